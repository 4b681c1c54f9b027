/* Shapes and inputs that several families share. */
#include "shapes.h"

#include <math.h>

const size_t bench_criteo_vocab[BENCH_CRITEO_FIELDS] = {
    44,     99,    122,    41,     220,    112,   80,
    69,     92,    6,      27,     37,     72, /* I1..I13 */
    1446,   554,   157339, 117822, 306,    18,    11882,
    630,    5,     39530,  5131,   156656, 3176, /* C1..C13 */
    28,     11043, 148913, 12,     4560,   2003,  5,
    154564, 18,    17,     53031,  82,     40955, /* C14..C26 */
};

uint32_t bench_zipf_id(double unit, size_t vocab)
{
    /* F(x) = (1 - x^-a) / (1 - (vocab + 1)^-a) for x in [1, vocab + 1), a = exponent - 1 */
    const double a = BENCH_ZIPF_EXPONENT - 1.0;
    const double tail = 1.0 - pow((double)vocab + 1.0, -a);
    const size_t rank = (size_t)pow(1.0 - unit * tail, -1.0 / a);
    return (uint32_t)((rank < vocab ? rank : vocab) - 1);
}
