"""Searching settings: what can be searched, within which ranges, and which values a grid takes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from dlreg_core.errors import PlanError
from dlreg_core.networks import Setting, family, typed_number
from dlreg_core.specs import NumberRange, Search, SearchRange

MOST_TRIALS, USUAL_TRIALS = 500, 20

_WIDE = 100.0
"""A range whose ends are this factor apart is searched by ratio: otherwise nearly all tries would lie near its top."""

_USUAL: dict[str, SearchRange] = {
    "dropout": NumberRange(low=0.0, high=0.5),
    "embedding_dropout": NumberRange(low=0.0, high=0.5),
    "weight_decay": NumberRange(low=1e-6, high=0.1),
    "l1": NumberRange(low=1e-7, high=1e-3),
    "l2": NumberRange(low=1e-7, high=1e-3),
    "early_stopping": NumberRange(low=5, high=40),
    "epochs": NumberRange(low=10, high=80),
    "batch_size": NumberRange(low=32, high=512),
    "layers": NumberRange(low=1, high=4),
    "width": NumberRange(low=64, high=512),
    "members": NumberRange(low=4, high=16),
    "warmup": NumberRange(low=0.0, high=0.3),
    "quantile": NumberRange(low=0.25, high=0.75),
    "huber_delta": NumberRange(low=0.1, high=100),
    "hidden": ([64, 64], [128, 128], [256, 256]),
}


def usual_range(known: Setting) -> SearchRange:
    """Return where a search for a setting begins to look when nobody says where: around what does well on most tables.

    Every choice of a setting with choices; a learning rate from a tenth of its default to ten times that.
    """
    if known.kind == "choice":
        return known.choices
    if known.kind == "bool":
        return (False, True)
    if known.name in _USUAL:
        usual = _USUAL[known.name]
        return setting_range(known, usual.low, usual.high) if isinstance(usual, NumberRange) else usual
    middle = float(known.default or 1e-3)
    return setting_range(known, max(known.least, middle / 10), min(known.most, middle * 10))


def setting_range(known: Setting, low: float, high: float, steps: int = 4) -> NumberRange:
    """Return the range of a number, by ratio where the catalogue or the distance of its ends asks for that.

    Raises
    ------
    PlanError
        If it is no range of that setting, whoever the family.
    """
    if known.kind not in ("int", "float"):
        raise PlanError(f"{known.title} has no range from a number to another; name the values to try.")
    try:
        return NumberRange(low=low, high=high, log=low > 0 and (known.logarithmic or high >= _WIDE * low), steps=steps)
    except ValidationError as exc:
        raise PlanError(
            f"{known.title} can't be searched from {typed_number(low)} to {typed_number(high)}.", _reason(exc)
        ) from exc


def checked_search(search: Search, fixed: Mapping[str, Any] | None = None) -> Search:
    """Return a search with its ranges in the form in which they are kept.

    Parameters
    ----------
    search : Search
        What was asked for. A grid with fewer combinations than trials has as many trials as combinations.
    fixed : mapping of str to object, optional
        Settings of the same family that were chosen, by name; they hold in every trial.

    Raises
    ------
    PlanError
        If the family has no such setting, or not such values of it; if a setting can't count in any trial, or is
        chosen as well; if a grid has more than `MOST_TRIALS` combinations.
    """
    chosen = family(search.family)
    fixed = {
        name: chosen.setting(name).checked(value, chosen.title)
        for name, value in (fixed or {}).items()
        if value is not None
    }
    ranges: dict[str, SearchRange] = {}
    for name, range_ in search.ranges.items():
        known = chosen.setting(name)
        if name in fixed:
            raise PlanError(f"{known.title} of {chosen.title} is chosen already, so it can't be searched as well.")
        ranges[name] = checked_range(known, range_, chosen.title)
    for name in ranges:
        _check_condition(chosen.setting(name), chosen.key, ranges, fixed)
    found = search.model_copy(update={"family": chosen.key, "ranges": ranges})
    if search.method != "grid":
        return found
    return found.model_copy(update={"trials": min(search.trials, _checked_size(found))})


def checked_range(known: Setting, range_: SearchRange, owner: str) -> SearchRange:
    """Return a range in the form in which it is kept; `owner` is the family's title, for the message.

    Raises
    ------
    PlanError
        If the setting can't have such values, or there are fewer than two of them.
    """
    if isinstance(range_, tuple):
        return tuple(_checked_values(known, range_, owner))
    if known.kind not in ("int", "float"):
        raise PlanError(f"{known.title} of {owner} has no range from a number to another; name the values to try.")
    ends = {"low": known.checked(range_.low, owner), "high": known.checked(range_.high, owner)}
    return range_.model_copy(update={end: float(value) for end, value in ends.items()})


def grid_values(known: Setting, range_: SearchRange) -> tuple[Any, ...]:
    """Return the values that a grid takes of a range: all that are listed, or `steps` numbers at equal distances.

    Equal distances are equal ratios where the range is logarithmic. Whole numbers that fall together count once.
    """
    if isinstance(range_, tuple):
        return range_
    shares = [place / (range_.steps - 1) for place in range(range_.steps)]
    return tuple(dict.fromkeys(number_at(known, range_, share) for share in shares))


def number_at(known: Setting, range_: NumberRange, share: float) -> int | float:
    """Return the number at `share`, from 0 to 1, of the way through a range; a whole one where the setting wants it."""
    if range_.log:
        value = math.exp(math.log(range_.low) + share * (math.log(range_.high) - math.log(range_.low)))
    else:
        value = range_.low + share * (range_.high - range_.low)
    return tidy(known, range_, value)


def tidy(known: Setting, range_: NumberRange, value: float) -> int | float:
    """Return a number of a range with six digits, which say everything about a setting and can be typed."""
    value = min(range_.high, max(range_.low, float(f"{value:.6g}")))
    return round(value) if known.kind == "int" else value


def trial_settings(key: str, fixed: Mapping[str, Any], tried: Mapping[str, Any]) -> dict[str, Any]:
    """Return all settings of a trial, checked: what was chosen for all of them and what this one tries.

    Those that have no effect beside the others are left out, such as Huber's delta where the loss isn't Huber's.
    """
    values = {**fixed, **tried}
    return family(key).checked(
        {name: value for name, value in values.items() if family(key).counts(family(key).setting(name), values)}
    )


def _checked_values(known: Setting, values: Sequence[Any], owner: str) -> list[Any]:
    found: list[Any] = []
    for value in values:
        checked = known.checked(value, owner)
        if checked in found:
            raise PlanError(f"{value!r} is listed twice among the values of {known.title} of {owner}.", "List it once.")
        found.append(checked)
    if len(found) < 2:
        raise PlanError(f"A search needs at least two values of {known.title} of {owner}.")
    return found


def _check_condition(known: Setting, key: str, ranges: Mapping[str, SearchRange], fixed: Mapping[str, Any]) -> None:
    """Refuse a setting that no trial could make use of."""
    if known.only_with is None:
        return
    other, needed = known.only_with
    searched = ranges.get(other)
    values = searched if isinstance(searched, tuple) else (fixed.get(other, family(key).setting(other).default),)
    if not set(needed) & set(values):
        title = family(key).title
        raise PlanError(
            f"{known.title} of {title} counts only where {other} is {' or '.join(needed)}, which is never tried."
        )


def _checked_size(search: Search) -> int:
    size = math.prod(
        len(grid_values(family(search.family).setting(name), range_)) for name, range_ in search.ranges.items()
    )
    if size > MOST_TRIALS:
        raise PlanError(
            f"The grid has {size:,} combinations, and at most {MOST_TRIALS} can be tried.", "Leave out some values."
        )
    return size


def _reason(exc: ValidationError) -> str:
    words = str(exc.errors()[0]["msg"]).removeprefix("Value error, ")
    return f"{words[:1].upper()}{words[1:]}."
