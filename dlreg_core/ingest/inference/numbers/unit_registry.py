"""Units: which spellings are one unit, what each measures, and how much one is of another."""

from __future__ import annotations

import re
from dataclasses import dataclass

# By what they measure: spellings and how many of the base unit one of them is. Units that mean different things in
# different countries (ton, gallon) are left out. Storage is counted in thousands, as its makers do; KiB in 1,024.
_LINEAR: dict[str, dict[str, float]] = {
    "length": {
        "nm nanometer nanometers nanometre nanometres": 1e-9,
        "mm millimeter millimeters millimetre millimetres": 1e-3,
        "µm um micrometer micrometers": 1e-6,
        "cm centimeter centimeters centimetre centimetres": 1e-2,
        "dm": 0.1,
        "m meter meters metre metres": 1.0,
        "km kms kilometer kilometers kilometre kilometres": 1e3,
        "in inch inches \" ″ ” ''": 0.0254,
        "ft foot feet ' ′": 0.3048,
        "yd yard yards": 0.9144,
        "mi mile miles": 1609.344,
    },
    "mass": {
        "µg ug": 1e-9,
        "mg milligram milligrams": 1e-6,
        "g gram grams": 1e-3,
        "kg kgs kilo kilos kilogram kilograms": 1.0,
        "t tonne tonnes Mg": 1e3,
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
        "b byte bytes": 1.0, "kb": 1e3, "MB": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15,
        "Kb kbit": 125.0, "Mb mbit": 1.25e5, "Gb gbit": 1.25e8, "Tb tbit": 1.25e11,
        "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40,
    },
    "energy": {
        "j joule joules": 1.0, "mJ": 1e-3, "kj": 1e3, "MJ": 1e6, "gj": 1e9, "cal": 4.184, "kcal": 4184.0,
        "mWh": 3.6, "wh": 3.6e3, "kwh": 3.6e6, "MWh": 3.6e9, "gwh": 3.6e12,
    },
    "power": {
        "mW": 1e-3, "w watt watts": 1.0, "kw": 1e3, "MW": 1e6, "gw": 1e9, "hp bhp": 745.69987158227022, "ps": 735.49875
    },
    "voltage": {"mV": 1e-3, "v volt volts": 1.0, "kv": 1e3, "MV": 1e6},
    "current": {"µa ua": 1e-6, "mA": 1e-3, "a amp amps ampere amperes": 1.0, "ka": 1e3, "MA": 1e6},
    "area": {
        "mm2 mm²": 1e-6, "cm2 cm²": 1e-4, "m2 m² sqm sq_m": 1.0, "km2 km²": 1e6, "ha hectare hectares": 1e4,
        "acre acres": 4046.8564224, "ft2 ft² sqft sq_ft": 0.09290304,
    },
    "volume": {"ml": 1e-3, "cl": 1e-2, "dl": 0.1, "l liter liters litre litres": 1.0, "m3 m³": 1e3},
    "speed": {"m/s": 1.0, "km/h kmh kph": 1 / 3.6, "mph": 0.44704, "kn kt knot knots": 1852 / 3600},
    "pressure": {
        "mPa": 1e-3, "pa": 1.0, "hpa mbar millibar": 1e2, "kpa": 1e3, "MPa": 1e6, "gpa": 1e9, "bar": 1e5,
        "psi": 6894.757293168, "atm": 101_325.0,
    },
    "frequency": {"mHz": 1e-3, "hz": 1.0, "khz": 1e3, "MHz": 1e6, "ghz": 1e9},
    "share": {"‰": 1e-3, "% percent": 1e-2},
    "fuel": {"kmpl km/l kml": 1.0, "mpl": 1.609344},
    "dollars": {"$ us$ usd": 1.0},
    "euros": {"€ eur euro euros": 1.0},
    "pounds sterling": {"£ gbp": 1.0},
    "rupees": {"₹ rs rs. inr": 1.0},
}  # fmt: skip
_DEGREES = {
    "°c celsius degc": (1.0, 273.15),
    "°f fahrenheit degf": (5 / 9, 273.15 - 32 * 5 / 9),
    "k kelvin": (1.0, 0.0),
}
_MILLI_OR_MEGA = frozenset(
    ("W", "Wh", "Pa", "Hz", "J", "g", "V", "VA", "A", "Ω", "eV", "m", "s", "N", "bar", "mol", "K", "S", "F", "H", "C")
) | frozenset(("Bq", "Gy", "Sv", "var", "VAr", "lx", "lm"))
"""Before these a small m is a thousandth and a large one a million."""
_BITS = frozenset(("Kb", "Mb", "Gb", "Tb"))
_USUAL = {
    "mw": "MW", "mwh": "MWh", "mpa": "MPa", "mhz": "MHz", "mj": "MJ", "mb": "MB",
    "mv": "mV", "ma": "mA",
}  # fmt: skip
"""What is meant where the case of the letters is plainly not that of the unit, as in 500 MHZ or 512 mb."""
_CURRENCIES = ("dollars", "euros", "pounds sterling", "rupees")
_CURRENCY = re.compile(r"^(?:[A-Z]{0,3}[€$£¥₹₩₽₺₴₪฿₫]|Rs\.?|[A-Z]{3})$")
_OUT_OF = re.compile(r"^/(\d+)$")


@dataclass(frozen=True)
class _Unit:
    """What a unit measures, and its value in the base unit: ``number * factor + offset``."""

    kind: str
    factor: float
    offset: float = 0.0


def unit_key(unit: str) -> str:
    """Return the spelling by which a unit is known: the same for kWh and KWH, not for mW and MW."""
    plain = " ".join(unit.split()).replace("μ", "µ")
    return "/".join(_part_key(part) for part in plain.split("/"))


def _part_key(part: str) -> str:
    if part in _BITS:
        return part
    if part[:1] in ("m", "M") and part[1:] in _MILLI_OR_MEGA:
        return part
    folded = part.casefold()
    return _USUAL.get(folded, folded)


_UNITS = {
    unit_key(name.replace("_", " ")): _Unit(kind, factor)
    for kind, units in _LINEAR.items()
    for names, factor in units.items()
    for name in names.split()
} | {
    name: _Unit("temperature", *scale) for names, scale in _DEGREES.items() for name in names.split()
}  # fmt: skip


def known_unit(unit: str) -> _Unit | None:
    """Return what a unit measures; None where that isn't known."""
    key = unit_key(unit)
    out_of = _OUT_OF.match(key)
    # 4.1/5: a mark out of so many.
    return _Unit("mark", 1 / int(out_of[1])) if out_of and int(out_of[1]) else _UNITS.get(key)


def same_unit(unit: str, other: str) -> bool:
    """Tell two spellings of one unit: km and kilometres, kg and kgs; not mW and MW."""
    return meaning(unit) == meaning(other)


def meaning(unit: str) -> object:
    """Return what two spellings of one unit have in common."""
    return known_unit(unit) or unit_key(unit)


def is_currency(unit: str) -> bool:
    """Tell whether a unit is money."""
    known = known_unit(unit)
    return (known is not None and known.kind in _CURRENCIES) or bool(_CURRENCY.match(unit))


def convertible(unit: str, into: str) -> bool:
    """Tell whether numbers in one unit can be written in another one."""
    first, second = known_unit(unit), known_unit(into)
    same_kind = first is not None and second is not None and first.kind == second.kind
    return unit_key(unit) == unit_key(into) or same_kind or (not into and magnitude(unit) is not None)


def converted(number: float, unit: str, into: str) -> float:
    """Return a number in another unit.

    Raises
    ------
    ValueError
        If the two don't measure the same thing.
    """
    if unit_key(unit) == unit_key(into):
        return number
    times = magnitude(unit)
    if not into and times is not None:
        return number * times
    first, second = known_unit(unit), known_unit(into)
    if first is None or second is None or first.kind != second.kind:
        raise ValueError(f"{unit} can't be converted into {into}")
    # One division at the end, so that 300 m are 0.3 km to the last digit.
    base = number * first.factor + first.offset
    return (base - second.offset) / second.factor


_MAGNITUDES = {
    1e3: "k K thousand tsd", 1e6: "M mn mio million millions", 1e9: "B bn mrd billion billions", 1e12: "tn trillion",
    1e5: "lakh lakhs lac lacs", 1e7: "crore crores",
}  # fmt: skip
_TIMES = {word: times for times, words in _MAGNITUDES.items() for word in words.split()}
_LETTERS = frozenset("kKMB")


def magnitude(word: str, *, money: bool = False) -> float | None:
    """Return what a word behind a number multiplies it by; None where it is no such word.

    Parameters
    ----------
    word : str
        Such as K, M or million.
    money : bool
        Whether it stands beside a currency, where a small m, a small b and MM can only mean that too.
    """
    if word in _TIMES:
        return _TIMES[word]
    folded = word.casefold()
    if len(word) > 1 and folded in _TIMES:
        return _TIMES[folded]
    return {"m": 1e6, "mm": 1e6, "b": 1e9}.get(folded) if money else None


def is_letter(word: str) -> bool:
    """Tell a magnitude that is a single letter, and may be a unit too: K is kelvin, M may be months."""
    return word in _LETTERS
