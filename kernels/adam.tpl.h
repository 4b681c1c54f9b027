/*
 * Adam on a run of parameters, shared by adam_rows and adam_dense. Included after an ISA's vector
 * layer.
 */
#ifndef ADASS_ADAM_TPL_H
#define ADASS_ADAM_TPL_H

#include "row.tpl.h"

/*
 * Multiplications and additions apart, not fused: the update is bound by memory, and so its bits
 * are the same on every ISA. `adam` is a copy that no store can change: read from the caller's
 * again for each vector, it cost 10 to 25 % within the caches.
 */
ADASS_INLINE void adam_part(float *w, float *m, float *v, const float *grads, size_t lanes,
                            const adass_adam *adam)
{
    VF weight = v_loadn(w, lanes), first = v_loadn(m, lanes), second = v_loadn(v, lanes);
    const VF g = v_add(v_loadn(grads, lanes), v_mul(v_set1(adam->l2), weight));
    first = v_add(v_mul(v_set1(adam->beta1), first), v_mul(v_set1(adam->rest1), g));
    second = v_add(v_mul(v_set1(adam->beta2), second), v_mul(v_set1(adam->rest2), v_mul(g, g)));
    const VF root =
        v_add(v_mul(v_sqrtn(second, lanes), v_set1(adam->inv_sqrt_bc2)), v_set1(adam->epsilon));
    weight = v_sub(weight, v_divn(v_mul(v_set1(adam->step_size), first), root, lanes));
    v_storen(w, weight, lanes);
    v_storen(m, first, lanes);
    v_storen(v, second, lanes);
}

ADASS_INLINE void adam_run(float *w, float *m, float *v, const float *grads, size_t n,
                           const adass_adam *adam)
{
    size_t k = 0;
    for (; k + VW <= n; k += VW)
        adam_part(w + k, m + k, v + k, grads + k, VW, adam);
    if (k < n)
        adam_part(w + k, m + k, v + k, grads + k, n - k, adam);
}

#endif
