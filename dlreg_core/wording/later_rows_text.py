"""How the chosen model does on later rows, and on what only the test rows have, in sentences."""

from __future__ import annotations

import pandas as pd

from dlreg_core.charts.base import moment_text
from dlreg_core.checks.findings import listed_names
from dlreg_core.formatting import number_range, percent, quantity
from dlreg_core.specs import ErrorsOverTime, Period, UnseenValues

_MATTERS = 0.2
"""Part of the mean error from which on a bias is worth a word."""


def over_time_words(found: ErrorsOverTime, unit: str) -> str:
    """Return in which periods of the test rows predictions are too low or too high, beyond chance."""
    overall = sum(one.mae * one.rows for one in found.periods) / sum(one.rows for one in found.periods)
    clear = [one for one in found.periods if abs(one.bias) > max(one.bias_reach, _MATTERS * overall)]
    if not clear:
        return "In no part of the test period are predictions clearly too low or too high on average."
    if len(clear) == len(found.periods) and len({one.bias > 0 for one in clear}) == 1:
        first, last = (quantity(abs(one.bias), unit, 2) for one in (clear[0], clear[-1]))
        return (
            f"Predictions are too {_side(clear[0])} throughout the test period: by {first} on average at its beginning "
            f"({_when(clear[0])}), by {last} at its end ({_when(clear[-1])})."
        )
    told = [clear[0]] if len(clear) == 1 else [clear[0], clear[-1]]
    return f"{_capital('; '.join(_one(one, unit) for one in told))}."


def over_time_table(found: ErrorsOverTime) -> pd.DataFrame:
    """Return a line a period: when, its rows, error, bias (actual - predicted) and the share within the interval."""
    return pd.DataFrame(
        {
            "when": [_when(one) for one in found.periods],
            "rows": [one.rows for one in found.periods],
            "mae": [one.mae for one in found.periods],
            "bias": [one.bias for one in found.periods],
            "coverage": [one.coverage_90 for one in found.periods],
        }
    )


def unseen_words(found: tuple[UnseenValues, ...], unit: str) -> tuple[str, ...]:
    """Return what only the test rows have, a sentence a column, and the error there."""
    return tuple(_unseen(one, unit) for one in found)


def _unseen(one: UnseenValues, unit: str) -> str:
    if one.levels:
        levels = listed_names([*one.levels, *([f"{one.more_levels} more"] if one.more_levels else [])])
        what = f"{one.column} = {levels}"
    else:
        what = f"{one.column} of {number_range(one.low or 0.0, one.high or 0.0, joiner=' to ')}, beyond all of training"
    rows = f"{one.rows:,} of {one.of_rows:,}, {percent(one.rows / one.of_rows)}"
    text = f"Only test rows have {what} ({rows}): nothing was learned of it"
    if one.mae_others is None:
        return f"{text}."
    there, elsewhere = quantity(one.mae, unit), quantity(one.mae_others, unit)
    return f"{text}, and the error is {there} there, {elsewhere} on the other test rows."


def _one(one: Period, unit: str) -> str:
    return f"from {_when(one)} predictions are {quantity(abs(one.bias), unit, 2)} too {_side(one)} on average"


def _side(one: Period) -> str:
    return "low" if one.bias > 0 else "high"


def _when(one: Period) -> str:
    return f"{moment_text(one.first)} to {moment_text(one.last)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
