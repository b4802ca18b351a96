"""Numbers with several units, brought into one: only between units that are known to measure the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from dlreg_core.ingest.units import read_measures

_FEW_BARE = 0.05

# By what they measure: spellings and how many of the base unit one of them is. Units that mean different things in
# different countries (ton, gallon) are left out. Storage is counted in thousands, as its makers do; KiB in 1,024.
_LINEAR: dict[str, dict[str, float]] = {
    "length": {
        "mm millimeter millimeters millimetre millimetres": 1e-3,
        "µm um micrometer micrometers": 1e-6,
        "cm centimeter centimeters centimetre centimetres": 1e-2,
        "dm": 0.1,
        "m meter meters metre metres": 1.0,
        "km kms kilometer kilometers kilometre kilometres": 1e3,
        "in inch inches": 0.0254,
        "ft foot feet": 0.3048,
        "yd yard yards": 0.9144,
        "mi mile miles": 1609.344,
    },
    "mass": {
        "mg milligram milligrams": 1e-6,
        "g gram grams": 1e-3,
        "kg kgs kilo kilos kilogram kilograms": 1.0,
        "t tonne tonnes": 1e3,
        "oz ounce ounces": 0.028349523125,
        "lb lbs pound pounds": 0.45359237,
    },
    "time": {
        "ms msec millisecond milliseconds": 1e-3,
        "s sec secs second seconds": 1.0,
        "min mins minute minutes": 60.0,
        "h hr hrs hour hours": 3600.0,
        "d day days": 86_400.0,
        "wk wks week weeks": 604_800.0,
    },
    "months": {"mo mos month months": 1.0, "y yr yrs year years": 12.0},
    "data": {
        "b byte bytes": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15,
        "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40,
    },
    "energy": {
        "j joule joules": 1.0, "kj": 1e3, "mj": 1e6, "gj": 1e9, "cal": 4.184, "kcal": 4184.0,
        "wh": 3.6e3, "kwh": 3.6e6, "mwh": 3.6e9, "gwh": 3.6e12,
    },
    "power": {"w watt watts": 1.0, "kw": 1e3, "mw": 1e6, "hp bhp": 745.69987158227022, "ps": 735.49875},
    "area": {
        "cm2 cm²": 1e-4, "m2 m² sqm sq_m": 1.0, "km2 km²": 1e6, "ha hectare hectares": 1e4, "acre acres": 4046.8564224,
        "ft2 ft² sqft sq_ft": 0.09290304,
    },
    "volume": {"ml": 1e-3, "cl": 1e-2, "dl": 0.1, "l liter liters litre litres": 1.0, "m3 m³": 1e3},
    "speed": {"m/s": 1.0, "km/h kmh kph": 1 / 3.6, "mph": 0.44704, "kn kt knot knots": 1852 / 3600},
    "pressure": {
        "pa": 1.0, "hpa mbar millibar": 1e2, "kpa": 1e3, "mpa": 1e6, "bar": 1e5, "psi": 6894.757293168,
        "atm": 101_325.0,
    },
    "frequency": {"hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9},
    "share": {"‰": 1e-3, "% percent": 1e-2},
    "fuel": {"kmpl km/l kml": 1.0, "mpl": 1.609344},
    "dollars": {"$ us$ usd": 1.0},
    "euros": {"€ eur euro euros": 1.0},
    "pounds sterling": {"£ gbp": 1.0},
}  # fmt: skip
_DEGREES = {
    "°c celsius degc": (1.0, 273.15),
    "°f fahrenheit degf": (5 / 9, 273.15 - 32 * 5 / 9),
    "k kelvin": (1.0, 0.0),
}


@dataclass(frozen=True)
class _Unit:
    """What a unit measures, and its value in the base unit: ``number * factor + offset``."""

    kind: str
    factor: float
    offset: float = 0.0


_UNITS = {
    name.replace("_", " "): _Unit(kind, factor)
    for kind, units in _LINEAR.items()
    for names, factor in units.items()
    for name in names.split()
} | {
    name: _Unit("temperature", *scale) for names, scale in _DEGREES.items() for name in names.split()
}  # fmt: skip


def convertible(unit: str, into: str) -> bool:
    """Tell whether numbers in one unit can be written in another one."""
    first, second = _known(unit), _known(into)
    return unit.casefold() == into.casefold() or (
        first is not None and second is not None and first.kind == second.kind
    )


def converted(number: float, unit: str, into: str) -> float:
    """Return a number in another unit.

    Raises
    ------
    ValueError
        If the two don't measure the same thing.
    """
    if unit.casefold() == into.casefold():
        return number
    first, second = _known(unit), _known(into)
    if first is None or second is None or first.kind != second.kind:
        raise ValueError(f"{unit} can't be converted into {into}")
    # One division at the end, so that 300 m are 0.3 km to the last digit.
    base = number * first.factor + first.offset
    return (base - second.offset) / second.factor


def common_unit(rows: Sequence[tuple[str, int]]) -> str | None:
    """Return the unit that all others of a column can be converted into: the one that most rows have.

    Parameters
    ----------
    rows : sequence of (str, int)
        Units and their rows; the unit of numbers without one is empty.

    Returns
    -------
    str or None
        None where one can't be converted, or where more than one row in twenty has none.
    """
    named = [(unit, count) for unit, count in rows if unit]
    bare = sum(count for unit, count in rows if not unit)
    if len(named) < 2 or bare > _FEW_BARE * sum(count for _, count in rows):
        return None
    unit = max(named, key=lambda item: item[1])[0]
    return unit if all(convertible(other, unit) for other, _ in named) else None


def in_unit(values: pd.Series, unit: str, decimal: str = ".") -> pd.Series:
    """Return a column as numbers in a unit.

    Parameters
    ----------
    values : pandas.Series
        Numbers, which are in that unit already, or texts such as "300 m".
    unit : str
        What to convert into.
    decimal : str
        Decimal mark of the texts.

    Returns
    -------
    pandas.Series of float64
        NaN where a text is no number, or has a unit that can't be converted.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64")
    found = {value: _number(measure, unit) for value, measure in _measures(values, decimal).items()}
    return values.map(found).astype("float64")


def other_units(values: pd.Series, unit: str) -> dict[str, int]:
    """Count the rows of a column that have another unit than `unit`, by that unit."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return {}
    units = {value: measure[1] for value, measure in _measures(values, ".").items() if measure[0] is not None}
    counts: dict[str, int] = {}
    for value, count in values.value_counts().items():
        found = units.get(value, "")
        if found and not _same(found, unit):
            counts[found] = counts.get(found, 0) + int(count)
    return counts


def units_of(values: pd.Series, decimal: str = ".") -> list[tuple[str, int]]:
    """Count the rows of each unit in a column of texts; numbers without one have the unit ""."""
    measures = _measures(values, decimal)
    counts: dict[str, int] = {}
    for value, count in values.value_counts().items():
        number, unit = measures[value]
        if number is not None:
            counts[unit] = counts.get(unit, 0) + int(count)
    return sorted(counts.items(), key=lambda item: -item[1])


def _number(measure: tuple[float | None, str], unit: str) -> float:
    number, own = measure
    if number is None or (own and not convertible(own, unit)):
        return np.nan
    return converted(number, own, unit) if own else number


def _same(unit: str, other: str) -> bool:
    """Tell two spellings of one unit: km and kilometres."""
    return unit.casefold() == other.casefold() or (_known(unit) is not None and _known(unit) == _known(other))


def _known(unit: str) -> _Unit | None:
    return _UNITS.get(unit.strip().casefold().replace("μ", "µ"))


def _measures(values: pd.Series, decimal: str) -> dict[Any, tuple[float | None, str]]:
    """Read the different values of a column: a number, None where it is none, and the unit beside it."""
    levels = pd.unique(values.dropna()).tolist()
    texts = [level for level in levels if isinstance(level, str)]
    found: dict[Any, tuple[float | None, str]] = {
        level: (float(level), "") for level in levels if isinstance(level, int | float) and not isinstance(level, bool)
    }
    read = read_measures(pa.array([text.strip() for text in texts], pa.string()), decimal)
    found |= dict(zip(texts, read, strict=True))
    return {level: found.get(level, (None, "")) for level in levels}
