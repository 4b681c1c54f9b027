/* adam_dense: Adam on contiguous parameters. Included once for each ISA. */
#include "adam.tpl.h"

static void ADASS_FN(adam_dense)(float *w, float *m, float *v, const float *grads, size_t n,
                                 const adass_adam *adam)
{
    const adass_adam copy = *adam;
    adam_run(w, m, v, grads, n, &copy);
}
