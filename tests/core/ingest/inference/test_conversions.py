"""Numbers in several units: converted as physics says, and only where they measure the same thing."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from scipy import constants as c

from dlreg_core.ingest.inference.mixed_units import (
    common_unit,
    converted,
    convertible,
    in_unit,
    other_units,
    units_of,
)
from dlreg_core.ingest.inference.numbers.number_cells import read_measures


@pytest.mark.parametrize(
    ("number", "unit", "into", "wanted"),
    [
        (300, "m", "km", 0.3),
        (1, "mile", "km", c.mile / 1000),
        (1, "ft", "cm", c.foot * 100),
        (1, "inch", "mm", c.inch * 1000),
        (1, "yard", "m", c.yard),
        (1, "lb", "kg", c.pound),
        (1, "oz", "g", c.ounce * 1000),
        (1, "tonnes", "kg", c.metric_ton),
        (90, "min", "hours", 1.5),
        (1, "week", "days", 7),
        (18, "months", "years", 1.5),
        (512, "MB", "GB", 0.512),
        (1, "GiB", "MiB", 1024),
        (1, "kWh", "MJ", 3.6),
        (1, "kcal", "J", 1000 * c.calorie),
        (1, "hp", "W", c.hp),
        (1, "acre", "m2", c.acre),
        (1, "ha", "m²", c.hectare),
        (1, "mph", "m/s", c.mph),
        (1, "knot", "km/h", c.knot * 3.6),
        (1, "psi", "Pa", c.psi),
        (1, "atm", "bar", c.atm / c.bar),
        (100, "°C", "°F", c.convert_temperature(100, "C", "F")),
        (0, "K", "Celsius", c.convert_temperature(0, "K", "C")),
        (-40, "°F", "°C", -40),
        (250, "ml", "l", 0.25),
    ],
)
def test_units_are_converted(number: float, unit: str, into: str, wanted: float) -> None:
    assert converted(number, unit, into) == pytest.approx(wanted, rel=1e-9, abs=1e-9)
    assert converted(converted(number, unit, into), into, unit) == pytest.approx(number, rel=1e-9, abs=1e-9)


def test_round_numbers_stay_round() -> None:
    assert converted(300, "m", "km") == 0.3
    assert converted(512, "mb", "GB") == 0.512


@pytest.mark.parametrize(("unit", "into"), [("kmpl", "km/kg"), ("kg", "m"), ("$", "€"), ("month", "day"), ("x", "y")])
def test_other_units_are_never_guessed(unit: str, into: str) -> None:
    assert not convertible(unit, into)
    with pytest.raises(ValueError, match="can't be converted"):
        converted(1, unit, into)


def test_the_most_frequent_unit_is_the_common_one() -> None:
    assert common_unit([("km", 50), ("m", 30)]) == "km"
    assert common_unit([("km", 50), ("m", 30), ("", 3)]) == "km"
    assert common_unit([("km", 50), ("m", 30), ("", 30)]) is None
    assert common_unit([("km", 50), ("kg", 1)]) is None
    assert common_unit([("km", 50)]) is None


def test_a_column_is_brought_into_one_unit() -> None:
    values = pd.Series(["1.2 km", "300 m", None, "5", "2 kg", "far", 7])
    assert in_unit(values, "km").tolist()[:2] == [1.2, 0.3]
    assert in_unit(values, "km").isna().tolist() == [False, False, True, False, True, True, False]
    assert in_unit(values, "km").tolist()[3] == 5.0
    assert in_unit(pd.Series([1, 2]), "km").tolist() == [1.0, 2.0]
    assert other_units(values, "km") == {"m": 1, "kg": 1}
    assert other_units(pd.Series(["3 kilometres", "2 KM"]), "km") == {}
    assert dict(units_of(values)) == {"km": 1, "m": 1, "": 2, "kg": 1}


def test_decimal_commas_of_the_file_count() -> None:
    values = pd.Series(["1,250 km", "300 m"])
    assert in_unit(values, "km", ",").tolist() == [1.25, 0.3]
    assert in_unit(values, "km", ".").tolist() == [1250.0, 0.3]


def test_marks_that_do_not_fit_each_other_are_read_one_by_one() -> None:
    found = read_measures(pa.array(["1.5 km", "2,5 km", "1,234.5 m", "(3 km", "x"]))
    assert found == [(1.5, "km"), (2.5, "km"), (1234.5, "m"), (None, "km"), (None, "")]
