"""Numbers as a person writes them: units, sensible digits, durations."""

from __future__ import annotations

import math
from typing import Any

CURRENCIES = ("$", "€", "£", "¥")
"""Units that stand before the number."""

MINUS = "\u2212"
UNKNOWN = "\u2013"
_DASH = "\u2013"
_LARGE = ((1e12, "trillion"), (1e9, "billion"))


def number(value: float | None, digits: int = 3) -> str:
    """Return `value` with at most `digits` significant digits and thousands separators; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    return _rounded(value, _exponent(float(f"{value:.{digits - 1}e}")) - digits + 1)


def observed(value: float | None, unit: str = "", digits: int = 8) -> str:
    """Return a value that was observed as it stands, with its unit: never rounded before the point, as estimates are.

    Behind the point there are as many decimals as `digits` significant digits need, and two at least.
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= 1e15 or 0 < abs(value) < 10.0 ** (3 - digits):
        return _with_unit(number(value, digits), unit)
    decimals = max(2, digits - 1 - max(0, _exponent(value)))
    text = f"{value:,.{decimals}f}".rstrip("0").rstrip(".")
    return _with_unit("0" if text == "-0" else text.replace("-", MINUS), unit)


def compact(value: float) -> str:
    """Return `value` as it stands on an axis: "15k", "1.2M"."""
    for scale, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale:
            return f"{number(value / scale)}{letter}"
    return number(value)


def quantity(value: float | None, unit: str = "", digits: int = 3) -> str:
    """Return `value` with its unit: "$38,400", "5.2 MPa", "84 rentals".

    Parameters
    ----------
    value : float or None
        None or an infinite number gives a dash.
    unit : str
        Currency signs stand before the number, other units after it; empty for none.
    digits : int
        Significant digits at most.
    """
    return _with_unit(number(value, digits), unit)


def signed(value: float | None, unit: str = "", digits: int = 3) -> str:
    """Return `value` with its unit and always a sign: "+$1,200", "−5 MPa"; zero has none."""
    text = quantity(value, unit, digits)
    return f"+{text}" if value is not None and math.isfinite(value) and value > 0 else text


def number_range(low: float, high: float, joiner: str = _DASH, before: str = "") -> str:
    """Return "188,000–305,000", with as many digits as the distance between the ends asks for.

    `before` stands before it unless both ends are the same number: "from 188,000 to 305,000".
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{before}{number(low)} to {number(high)}"
    step = _step(low, high)
    first, second = _rounded(low, step), _rounded(high, step)
    if first == second:
        return first
    # "-5–3" is hard to read.
    return f"{before}{first}{' to ' if low < 0 or high < 0 else joiner}{second}"


def quantity_range(low: float, high: float, unit: str = "") -> str:
    """Return a range with its unit: "$188,000–$305,000", "4.1–6.3 MPa"."""
    if unit not in CURRENCIES or not (math.isfinite(low) and math.isfinite(high)):
        return _with_unit(number_range(low, high), unit) if unit not in CURRENCIES else number_range(low, high)
    step = _step(low, high)
    first, second = (_with_unit(_rounded(end, step), unit) for end in (low, high))
    if first == second:
        return first
    return f"{first}{' to ' if low < 0 or high < 0 else _DASH}{second}"


def estimate(value: float, low: float, high: float, unit: str = "", level: float = 0.9) -> str:
    """Return a prediction with its interval: "$243,000 (90 %: $188,000–$305,000)".

    The prediction gets the digits that its interval has, so that a year isn't rounded to a century.
    """
    if not all(map(math.isfinite, (value, low, high))):
        return quantity(value, unit)
    text = _with_unit(_rounded(value, _step(low, high)), unit)
    return f"{text} ({percent(level)}: {quantity_range(low, high, unit)})"


def percent(share: float | None) -> str:
    """Return a share as "33 %"; with a decimal where a whole number would say 0 or 100 % of what isn't."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    return f"{_percent_number(share)} %"


def percent_range(low: float, high: float) -> str:
    """Return two shares as "30–36 %", or "−2 to 5 %"."""
    first, second = _percent_number(low), _percent_number(high)
    if first == second:
        return f"{first} %"
    return f"{first}{' to ' if low < 0 or high < 0 else _DASH}{second} %"


def duration(seconds: float | None) -> str:
    """Return a measured time: "0.4 s", "9 s", "1:12", "2:05:00"."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if seconds < 0.05:
        return "under 0.1 s"
    if seconds < 9.95:
        return f"{number(round(seconds, 1), 2)} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def about(seconds: float) -> str:
    """Return an expected time: "about 9 s", "about 3 min", "about 2 h"."""
    if seconds < 1:
        return "under a second"
    if seconds < 55:
        return f"about {math.ceil(seconds) if seconds < 10 else round(seconds / 5) * 5} s"
    if seconds < 57 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {number(round(seconds / 1800) / 2)} h"


def rows_per_second(per_second: float | None) -> str:
    """Return a speed: "600,000 rows/s"."""
    return quantity(per_second, "rows/s", digits=2)


def size(mb: float | None) -> str:
    """Return a size given in megabytes: "45 kB", "3.1 MB", "1.2 GB"."""
    if mb is None or not math.isfinite(mb):
        return UNKNOWN
    if mb >= 1000:
        return f"{number(mb / 1000, 2)} GB"
    if mb >= 1:
        return f"{number(mb, 2)} MB"
    return f"{number(mb * 1000, 2)} kB"


def value_words(value: Any, digits: int = 7) -> str:
    """Return the value of a setting as a person would type it: "0.001", "on", "256, 128", "one cycle"."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return UNKNOWN
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(str(width) for width in value)
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return str(value).replace("_", " ")


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _step(low: float, high: float) -> int:
    """Return the power of ten that both ends of a range are rounded to."""
    largest = _exponent(max(abs(low), abs(high))) - 2
    return min(largest, _exponent(high - low) - 1) if high != low else largest


def _rounded(value: float, step: int) -> str:
    """Return `value` rounded to a power of ten, without trailing zeros behind the point."""
    for scale, word in _LARGE:
        if abs(value) >= scale:
            return f"{_rounded(value / scale, step - _exponent(scale))} {word}"
    if step < -8:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}".replace("-", MINUS)
    text = f"{round(value, -step):,.{max(0, -step)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text.replace("-", MINUS)


def _with_unit(text: str, unit: str) -> str:
    if not unit or text == UNKNOWN:
        return text
    if unit not in CURRENCIES:
        return f"{text} {unit}"
    return f"{MINUS}{unit}{text[1:]}" if text.startswith(MINUS) else f"{unit}{text}"


def _percent_number(share: float) -> str:
    value = share * 100
    fine = 0 < abs(value) < 1 or 99 < value < 100
    return number(round(value, 1) if fine else float(round(value)), 3 if abs(value) < 1000 else 2)
