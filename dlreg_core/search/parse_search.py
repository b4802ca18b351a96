"""Searches as they are typed: ``FAMILY.learning_rate=1e-4..1e-2`` and ``FAMILY.loss=mse,mae``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlreg_core.errors import PlanError
from dlreg_core.networks import EXAMPLE, Setting, family
from dlreg_core.search.search_ranges import MOST_TRIALS, USUAL_TRIALS, checked_range, checked_search, setting_range
from dlreg_core.specs import NumberRange, Search, SearchMethod, SearchRange

METHODS: dict[str, SearchMethod] = {"random": "random", "grid": "grid", "bayes": "bayes"}


def parsed_range(text: str) -> tuple[str, str, SearchRange]:
    """Return family, name and range of a text: ``FAMILY.learning_rate=1e-4..1e-2`` or ``FAMILY.loss=mse,mae``.

    ``low..high:steps`` says how many values a grid takes of it. Widths are parted by a stroke:
    ``FAMILY.hidden=64,32/128,64``.

    Raises
    ------
    PlanError
        If it isn't of that form, or names no setting, or no values of it.
    """
    path, equals, value = text.partition("=")
    key, dot, name = path.partition(".")
    if not (equals and dot):
        raise PlanError(f"{text!r} is no range; write FAMILY.name=low..high or FAMILY.name=a,b,c.")
    chosen = family(key)
    known = chosen.setting(name.strip())
    if ".." in value and known.kind in ("int", "float"):
        return chosen.key, known.name, checked_range(known, _parsed_numbers(known, value, text), chosen.title)
    return chosen.key, known.name, parsed_values(known, value, chosen.title)


def parsed_values(known: Setting, text: str, owner: str) -> SearchRange:
    """Return the values that a text names one by one, checked.

    Raises
    ------
    PlanError
        If one of them can't be had, or there are fewer than two.
    """
    parts = text.split("/" if known.kind == "widths" else ",")
    values = tuple(known.parsed(part) for part in parts if part.strip())
    return checked_range(known, values, owner)


def search_from_texts(
    method: str, texts: Sequence[str], *, trials: int | None, seed: int, models: Sequence[str], fixed: Mapping[str, Any]
) -> Search | None:
    """Return the search that options of the command line describe, checked; None where there is none.

    Parameters
    ----------
    method : str
        One of `METHODS`, or empty.
    texts : sequence of str
        Ranges, as `parsed_range` reads them; all of one family.
    trials : int, optional
        How many at most; without it 20, or all combinations of a grid.
    seed : int
        Of the draws.
    models : sequence of str
        The families that are trained.
    fixed : mapping of str to dict
        The chosen settings by family.

    Raises
    ------
    PlanError
        If they don't make a search.
    """
    if not method and not texts and trials is None:
        return None
    if method not in METHODS:
        raise PlanError(f"{method!r} is no way to search.", "Use --search with random, grid or bayes.")
    if not texts:
        raise PlanError(
            "There is nothing to search.", f"Give --search-range, such as {EXAMPLE}.learning_rate=1e-4..1e-2."
        )
    found = [parsed_range(text) for text in texts]
    keys = list(dict.fromkeys(key for key, _, _ in found))
    if len(keys) > 1:
        raise PlanError(f"A run searches one family, not {' and '.join(keys)}.", "Search them in runs of their own.")
    key, ranges = keys[0], {name: range_ for _, name, range_ in found}
    if len(ranges) < len(found):
        raise PlanError("A setting is searched within one range, and one is given twice.", "Give it once.")
    if key not in models:
        raise PlanError(f"{family(key).title} isn't among the networks to train, so it can't be searched.")
    usual = MOST_TRIALS if method == "grid" else USUAL_TRIALS
    search = Search(method=METHODS[method], family=key, ranges=ranges, trials=trials or usual, seed=seed)
    return checked_search(search, fixed.get(key))


def _parsed_numbers(known: Setting, value: str, text: str) -> NumberRange:
    numbers, colon, steps = value.partition(":")
    low, _, high = numbers.partition("..")
    try:
        ends, taken = (float(low), float(high)), int(steps) if colon else 4
    except ValueError as exc:
        raise PlanError(
            f"{text!r} is no range; write FAMILY.name=low..high, such as {EXAMPLE}.dropout=0..0.5."
        ) from exc
    return setting_range(known, *ends, steps=taken)
