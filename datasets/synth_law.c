/* Drawing ids of a power law by the alias method (Walker 1977; Vose's construction, 1991). */
#include "synth_law.h"

#include "adass/rng.h"
#include "portable_math.h"

#include <stdlib.h>

enum { EXACT_FEATURES = 8192, CELLS_PER_ID = 256 };

static double power(double x, double exponent) { return portable_exp(-exponent * portable_log(x)); }

static uint32_t cell_width(uint64_t first, uint64_t n)
{
    const uint64_t share = n <= EXACT_FEATURES ? 1 : first / CELLS_PER_ID;
    const uint64_t width = share > 1 ? share : 1;
    return (uint32_t)(n + 1 - first < width ? n + 1 - first : width);
}

static uint32_t count_cells(uint64_t n)
{
    uint32_t cells = 0;
    for (uint64_t id = 1; id <= n; id += cell_width(id, n))
        cells++;
    return cells;
}

/* Cells and their masses (in `keep`, up to a factor); returns the sum of the masses. */
static double fill_masses(synth_law *law, uint32_t n, double oov_share)
{
    double total = 0.0;
    uint32_t c = 0;
    if (law->first_id == 0)
        law->cells[c++] = (synth_cell){ .first = 0, .width = 1 };
    for (uint64_t id = 1; id <= n; c++) {
        const uint32_t width = cell_width(id, n);
        const double middle = (double)id + 0.5 * (double)(width - 1);
        const double mass = (double)width * power(middle, law->exponent);
        law->cells[c] = (synth_cell){ .keep = mass, .first = (uint32_t)id, .width = width };
        total += mass;
        id += width;
    }
    law->factor = (1.0 - oov_share) / total;
    if (law->first_id == 0) {
        law->cells[0].keep = oov_share / (1.0 - oov_share) * total;
        total += law->cells[0].keep;
    }
    return total;
}

/* Vose: cells below the mean, from the front of `work`, are filled up by those above, from its back. */
static void make_aliases(synth_law *law, double total, uint32_t *work)
{
    const uint32_t n = law->n_cells;
    synth_cell *cells = law->cells;
    uint32_t small = 0, large = n;
    for (uint32_t i = 0; i < n; i++) {
        cells[i].keep *= (double)n / total;
        if (cells[i].keep < 1.0)
            work[small++] = i;
        else
            work[--large] = i;
    }
    while (small > 0 && large < n) {
        const uint32_t less = work[--small], more = work[large];
        cells[less].alias = more;
        cells[more].keep -= 1.0 - cells[less].keep;
        if (cells[more].keep < 1.0) {
            large++;
            work[small++] = more;
        }
    }
    while (small > 0)
        cells[work[--small]].keep = 1.0;
    while (large < n)
        cells[work[large++]].keep = 1.0;
}

adass_status adass_synth_law_init(synth_law *law, uint32_t n, double exponent, double oov_share,
                                  adass_error *err)
{
    *law = (synth_law){ .exponent = exponent, .first_id = oov_share > 0.0 ? 0 : 1 };
    law->n_cells = count_cells(n) + (oov_share > 0.0);
    law->cells = calloc(law->n_cells, sizeof *law->cells);
    uint32_t *work = calloc(law->n_cells, sizeof *work);
    if (law->cells == NULL || work == NULL) {
        free(work);
        return adass_fail_memory(err, "an id distribution", (double)law->n_cells * 28.0);
    }
    make_aliases(law, fill_masses(law, n, oov_share), work);
    free(work);
    return ADASS_OK;
}

uint32_t adass_synth_law_draw(const synth_law *law, uint64_t word)
{
    const double u = adass_unit(word) * (double)law->n_cells;
    const uint32_t i = (uint32_t)u;
    const synth_cell *cells = law->cells;
    const uint32_t chosen[2] = { cells[i].alias, i }; /* a branch here could not be predicted */
    const synth_cell *cell = &cells[chosen[u - (double)i < cells[i].keep]];
    if (cell->width == 1)
        return cell->first;
    return cell->first + (uint32_t)(adass_unit(adass_mix64(word)) * (double)cell->width);
}

double adass_synth_law_share(const synth_law *law, uint32_t id)
{
    return law->factor * power((double)id, law->exponent);
}

void adass_synth_law_free(synth_law *law)
{
    free(law->cells);
    law->cells = NULL;
}
