"""Where each setting of a search is looked for: a field from here to there, or some values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dlreg_core.errors import PlanError
from dlreg_core.formatting import value_words
from dlreg_core.networks import Setting, family
from dlreg_core.search import checked_range, parsed_values, setting_range, usual_range
from dlreg_core.specs import NumberRange, SearchRange

_WIDTH = 210


def choose_ranges(
    settings: Sequence[Setting], before: Mapping[str, SearchRange], model: str, key: str, *, grid: bool
) -> dict[str, SearchRange]:
    """Show the fields of all searched settings; return their ranges by name.

    Parameters
    ----------
    settings : sequence of Setting
        What is searched.
    before : mapping of str to SearchRange
        Where it was searched before, by name.
    model, key : str
        The family, and the place on the pages.
    grid : bool
        Ask how many values of a range are tried.

    Raises
    ------
    PlanError
        If one of them is no range of that setting.
    """
    found: dict[str, SearchRange] = {}
    refused: list[PlanError] = []
    for known in settings:
        # All fields are shown whatever the first of them holds: one that isn't shown forgets its value.
        try:
            range_ = _range(known, before.get(known.name), model, f"{known.name}_{model}_{key}", grid=grid)
            found[known.name] = checked_range(known, range_, family(model).title)
        except PlanError as exc:
            refused.append(exc)
    if refused:
        raise refused[0]
    return found


def _range(known: Setting, before: SearchRange | None, model: str, place: str, *, grid: bool) -> SearchRange:
    """Show where a setting is searched, and return it."""
    start = before if before is not None else usual_range(known)
    if isinstance(start, NumberRange):
        return _numbers(known, start, place, grid=grid)
    if known.kind in ("choice", "bool"):
        options = list(usual_range(known))
        picked = st.pills(
            known.title,
            options,
            selection_mode="multi",
            default=[value for value in options if value in start],
            format_func=value_words,
            key=f"search_values_{place}",
            help=known.help,
        )
        return tuple(value for value in options if value in picked)
    widths = known.kind == "widths"
    text = st.text_input(
        known.title,
        (" / " if widths else ", ").join(value_words(value) for value in start),
        key=f"search_values_{place}",
        width=2 * _WIDTH,
        help=f"{known.help}  \n{'Networks parted by a stroke: 64, 32 / 128.' if widths else 'Values to try.'}",
    )
    return parsed_values(known, text, family(model).title)


def _numbers(known: Setting, start: NumberRange, key: str, *, grid: bool) -> NumberRange:
    whole = known.kind == "int"
    read = int if whole else float
    ends: dict[str, Any] = {
        "min_value": read(known.least),
        "max_value": read(known.most),
        "format": "%d" if whole else "%g",
    }
    with st.container(horizontal=True, gap="medium"):
        low = st.number_input(
            f"{known.title} from",
            value=read(start.low),
            step=read(_step(known, start.low)),
            key=f"search_low_{key}",
            help=known.help,
            width=_WIDTH,
            **ends,
        )
        high = st.number_input(
            f"{known.title} to",
            value=read(start.high),
            step=read(_step(known, start.high)),
            key=f"search_high_{key}",
            width=_WIDTH,
            **ends,
        )
        steps = start.steps
        if grid:
            steps = st.number_input("Values", 2, 20, min(20, steps), key=f"search_steps_{key}", width=_WIDTH // 2)
    return setting_range(known, low, high, steps)


def _step(known: Setting, value: float) -> float:
    """Return by how much a click on plus changes an end: what is compared by its ratio, by its own size."""
    if known.kind == "int":
        return 1
    return value if known.logarithmic and value > 0 else 0.05
