"""Intervals against published values."""

from __future__ import annotations

import math

import pytest

from tests.accuracy.statistics import exact_low, garwood, ratio_low, wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)
    mirrored = tuple(1 - limit for limit in reversed(wilson(n - hits, n)))
    assert mirrored == pytest.approx((low, high), abs=5e-5)


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert garwood(0, 0) == (0.0, math.inf)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [  # Garwood's table: limits of a Poisson mean
        (0, 0.0, 3.6889),
        (1, 0.0253, 5.5716),
        (3, 0.6187, 8.7673),
        (10, 4.7954, 18.3904),
        (100, 81.3639, 121.6270),
    ],
)
def test_a_rate(count: int, low: float, high: float) -> None:
    assert garwood(count, 1) == pytest.approx((low, high), abs=2e-3)
    assert garwood(count, 4) == pytest.approx((low / 4, high / 4), abs=1e-3)


def test_the_exact_limit_of_a_share() -> None:
    # Newcombe 1998, table I, method 5 (Clopper and Pearson)
    assert exact_low(81, 263) == pytest.approx(0.2527, abs=5e-5)
    assert exact_low(15, 148) == pytest.approx(0.0578, abs=5e-5)
    # all of n: p ** n = 0.025
    assert exact_low(3, 3) == pytest.approx(0.025 ** (1 / 3), abs=1e-6)


def test_a_ratio_of_two_rates() -> None:
    # 3 in 10 h, none in 30 h: the share's limit is 0.2924, 0.2924 / 0.7076 * 30 / 10 = 1.2397
    assert ratio_low(3, 10, 0, 30) == pytest.approx(1.2397, abs=1e-3)
    assert ratio_low(0, 10, 5, 30) == 0
    assert ratio_low(2, 10, 2, 10) < 1 < ratio_low(40, 10, 10, 10)
