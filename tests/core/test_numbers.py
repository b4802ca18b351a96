from __future__ import annotations

import math

import pytest

from dlreg_core import formatting as n


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (38412, "$", "$38,400"),
        (-38412, "$", "−$38,400"),
        (5.2, "MPa", "5.2 MPa"),
        (84, "rentals", "84 rentals"),
        (0.83456, "", "0.835"),
        (0, "€", "€0"),
        (1234567, "£", "£1,230,000"),
        (1.234e9, "$", "$1.23 billion"),
        (-2.5e12, "", "−2.5 trillion"),
        (999.6, "", "1,000"),
        (0.00012345, "m", "0.000123 m"),
        (1.5e-12, "m", "1.5e−12 m"),
        (100, "", "100"),
        (None, "$", "–"),
        (math.nan, "$", "–"),
        (math.inf, "", "–"),
        (-0.0, "", "0"),
    ],
)
def test_quantities(value: float | None, unit: str, text: str) -> None:
    assert n.quantity(value, unit) == text


def test_signs() -> None:
    assert n.signed(1200, "$") == "+$1,200"
    assert n.signed(-5, "MPa") == "−5 MPa"
    assert n.signed(0) == "0"


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (188_012, 304_960, "$", "$188,000–$305,000"),
        (4.1, 6.3, "MPa", "4.1–6.3 MPa"),
        (-5, 3, "MPa", "−5 to 3 MPa"),
        (-5, 3, "$", "−$5 to $3"),
        (2003.41, 2004.13, "", "2,003.41–2,004.13"),
        (100_123, 100_456, "", "100,120–100,460"),
        (7, 7, "kg", "7 kg"),
        (0, 0, "", "0"),
    ],
)
def test_ranges(low: float, high: float, unit: str, text: str) -> None:
    assert n.quantity_range(low, high, unit) == text


def test_a_prediction_has_the_digits_of_its_interval() -> None:
    assert n.estimate(243_210, 188_100, 304_900, "$") == "$243,000 (90 %: $188,000–$305,000)"
    assert n.estimate(1998.3, 1994.1, 2002.5) == "1,998.3 (90 %: 1,994.1–2,002.5)"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.334, "33 %"), (0.004, "0.4 %"), (0.997, "99.7 %"), (1, "100 %"), (0, "0 %"), (-0.12, "−12 %"), (None, "–")],
)
def test_percents(share: float, text: str) -> None:
    assert n.percent(share) == text


def test_percent_ranges() -> None:
    assert n.percent_range(0.30, 0.36) == "30–36 %"
    assert n.percent_range(-0.02, 0.05) == "−2 to 5 %"
    assert n.percent_range(0.5, 0.5) == "50 %"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (72, "1:12"),
        (0.41, "0.4 s"),
        (9.4, "9.4 s"),
        (12.3, "12 s"),
        (59.7, "1:00"),
        (7500, "2:05:00"),
        (0.001, "under 0.1 s"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert n.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "under a second"), (8.2, "about 9 s"), (41, "about 40 s"), (58, "about 1 min"), (190, "about 3 min"),
     (3500, "about 1 h"), (5400, "about 1.5 h")],
)  # fmt: skip
def test_expected_times(seconds: float, text: str) -> None:
    assert n.about(seconds) == text


def test_rates_and_sizes() -> None:
    assert n.rows_per_second(598_765) == "600,000 rows/s"
    assert n.rows_per_second(None) == "–"
    assert [n.size(mb) for mb in (0.045, 3.14, 1234)] == ["45 kB", "3.1 MB", "1.2 GB"]


def test_what_was_observed_is_not_rounded_before_the_point() -> None:
    assert [n.observed(value) for value in (2_147_483_647.0, 2069.0, -1.05, 0.0, 38.91326078)] == [
        "2,147,483,647",
        "2,069",
        "\u22121.05",
        "0",
        "38.913261",
    ]
    assert n.observed(500_001.0, "$") == "$500,001"
    assert n.observed(12_345.678, digits=5) == "12,345.68"
    assert n.observed(None) == "\u2013"
