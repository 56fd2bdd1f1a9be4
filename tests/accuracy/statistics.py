"""Intervals of 95 % for shares, rates and their ratios; no dependency, no approximation of tails.

Shares: Wilson's score interval (Wilson 1927; Newcombe, Stat. Med. 17, 1998). Rates: the exact
Poisson interval of Garwood (Biometrika 28, 1936). Ratios of two rates: exact, given their sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Interval = tuple[float, float]

#: Two-sided 95 %.
Z = 1.959963984540054
TAIL = 0.025


def wilson(hits: int, n: int) -> Interval:
    """Of a share ``hits / n``; everything is possible when nothing was tried."""
    if n == 0:
        return 0.0, 1.0
    share, spread = hits / n, Z * Z / n
    middle = share + spread / 2
    reach = Z * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    low, high = (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)
    return (0.0 if hits == 0 else low), (1.0 if hits == n else high)


def garwood(count: int, exposure: float) -> Interval:
    """Of a rate ``count / exposure``, in events per unit of exposure."""
    if exposure <= 0:
        return 0.0, math.inf
    most = count + 12 * math.sqrt(count + 1) + 12
    low = _root(lambda mean: 1 - _poisson(count - 1, mean) - TAIL, 0, most) if count else 0.0
    high = _root(lambda mean: TAIL - _poisson(count, mean), 0, most)
    return low / exposure, high / exposure


def ratio_low(count: int, exposure: float, others: int, rest: float) -> float:
    """Lower limit of (count / exposure) / (others / rest); 0 where nothing was counted.

    Given the sum of both, ``count`` is binomial; its exact lower limit (Clopper and Pearson) is
    turned back into a ratio.
    """
    if count == 0 or exposure <= 0:
        return 0.0
    share = exact_low(count, count + others)
    return share / (1 - share) * rest / exposure


def exact_low(hits: int, n: int) -> float:
    """Lower limit of a share by Clopper and Pearson."""
    if hits == 0:
        return 0.0
    return _root(lambda share: 1 - _binomial(hits - 1, n, share) - TAIL, 0, 1)


def _poisson(count: int, mean: float) -> float:
    """P(X ≤ count)."""
    if mean <= 0:
        return 1.0
    logs = (k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(count + 1))
    return math.fsum(map(math.exp, logs))


def _binomial(count: int, n: int, share: float) -> float:
    """P(X ≤ count)."""
    if share <= 0 or share >= 1:
        return 1.0 if share <= 0 or count >= n else 0.0
    ways = (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(n + 1))
    logs = (
        way + k * math.log(share) + (n - k) * math.log(1 - share)
        for k, way in zip(range(count + 1), ways, strict=False)
    )
    return math.fsum(map(math.exp, logs))


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that rises from below 0 to above it crosses, by halving."""
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
