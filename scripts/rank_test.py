"""Mann-Whitney's rank-sum test of values measured in strata, exact; Holm's correction; centre and its interval.

A stratum is a pair (base, head) of lists of positive numbers, measured so close together in time that what drifts (a neighbour's
load, the clock) meets both sides alike. Values are divided by their stratum's geometric mean, which takes the drift out, and are then
ranked all together; under the hypothesis of no difference the sides of a stratum are exchangeable, so the exact distribution
of the rank sum comes from all ways to swap them inside the strata. One stratum makes this the plain Mann-Whitney test.
Sources: Mann and Whitney 1947; Hodges and Lehmann 1962 (aligned ranks); Lehmann, Nonparametrics, 1975, 1.4 (ties),
4.3 (estimate and interval); Holm 1979.
"""
import math
import statistics


def doubled_ranks(values):
    """Twice the midrank of every value: whole numbers, also for ties."""
    order = sorted(values)
    first, last = {}, {}
    for rank, value in enumerate(order, start=1):
        first.setdefault(value, rank)
        last[value] = rank
    return [first[value] + last[value] for value in values]


def rank_sum_counts(ranks, chosen):
    """How many of the ways to choose `chosen` of the `ranks` have each sum: {sum: ways}."""
    ways = [{0: 1}] + [{} for _ in range(chosen)]
    for rank in ranks:
        for k in range(chosen, 0, -1):
            for total, n in ways[k - 1].items():
                ways[k][total + rank] = ways[k].get(total + rank, 0) + n
    return ways[chosen]


def convolve(left, right):
    """The sum's distribution of two independent ones, all as {sum: ways}."""
    out = {}
    for a, n in left.items():
        for b, m in right.items():
            out[a + b] = out.get(a + b, 0) + n * m
    return out


def align(values):
    """The values over their geometric mean. Rounded, so that equal ratios tie whatever their stratum's level is."""
    mean = math.exp(sum(map(math.log, values)) / len(values))
    return [round(value / mean, 9) for value in values]


def mann_whitney(strata):
    """Two-sided p that base and head are exchangeable inside each stratum; exact, given the ties that occurred.

    Twice the smaller tail, as scipy.stats.mannwhitneyu(method="exact") has it.
    """
    if not all(base and head for base, head in strata):
        raise ValueError("a stratum needs values of both sides")
    ranks = doubled_ranks([value for base, head in strata for value in align(base + head)])
    observed, null = 0, {0: 1}
    for base, head in strata:
        mine, ranks = ranks[:len(base) + len(head)], ranks[len(base) + len(head):]
        observed += sum(mine[len(base):])
        null = convolve(null, rank_sum_counts(mine, len(head)))
    below = sum(n for total, n in null.items() if total <= observed)
    above = sum(n for total, n in null.items() if total >= observed)
    return min(1.0, 2 * min(below, above) / sum(null.values()))


def least_p(pairs):
    """The smallest p that so many strata of one value a side can give."""
    return min(1.0, 2.0 / 2**pairs)


def holm(p_values):
    """Adjusted p: testing each against alpha keeps the chance of any false alarm among all of them at most alpha."""
    adjusted, worst = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for done, i in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - done) * p_values[i]))
        adjusted[i] = worst
    return adjusted


def centre(values, confidence=0.95):
    """(estimate, low, high) of the centre of symmetry: Hodges and Lehmann's median of the means of all pairs of values, and the
    interval of these means that belongs to the signed-rank test; their extremes where the values are too few for it.
    """
    n = len(values)
    means = sorted((a + b) / 2 for i, a in enumerate(values) for b in values[i:])
    null = {0: 1}
    for rank in range(1, n + 1):
        null = convolve(null, {0: 1, rank: 1})
    cut, tail = 0, 1  # `tail` of the 2^n signings have a rank sum of `cut` at most
    while 2 * (tail + null.get(cut + 1, 0)) <= (1 - confidence) * 2**n:
        cut += 1
        tail += null[cut]
    return statistics.median(means), means[cut], means[-1 - cut]
