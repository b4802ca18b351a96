"""A form for one raw row: a field for each column that the models need."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import floor, log10

import streamlit as st

from dlreg_core.cleaning import SchemaField, Value
from dlreg_core.formatting import number, number_range
from dlreg_core.names import visible
from dlreg_core.specs import ColumnType
from pages._ui.shared.sidebar import as_label, escaped

_SHOWN = 10
_EARLIEST, _LATEST = datetime(1, 1, 1), datetime(9999, 12, 31)


def ask(fields: tuple[SchemaField, ...], start: Mapping[str, Value], key: str) -> dict[str, Value]:
    """Show a field for each column, the first ones openly, and return what stands in them.

    Other values of `key` start the form again from `start`.
    """
    found = _grid(fields[:_SHOWN], start, key)
    rest = fields[_SHOWN:]
    if rest:
        with st.expander(f"{len(rest)} more columns, which matter less"):
            found |= _grid(rest, start, key)
    return found


def _grid(fields: tuple[SchemaField, ...], start: Mapping[str, Value], key: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    with st.grid(2, min_column_width=170, gap="small"):
        for field in fields:
            found[field.name] = _field(field, start.get(field.name), f"{key}_{field.name}")
    return found


def _field(field: SchemaField, value: Value, key: str) -> Value:
    label = as_label(field.name)
    if field.type is ColumnType.NUMBER:
        return _number(field, label, value, key)
    if field.type is ColumnType.DATETIME:
        return _date(field, label, value, key)
    if field.levels:
        options = list(field.levels)
        # A test row may hold a level that training never saw: it is offered too, since it can be predicted.
        if value is not None and str(value) not in options:
            options.append(str(value))
        index = options.index(str(value)) if value is not None else None
        return st.selectbox(label, options, index=index, format_func=visible, key=key, placeholder="missing")
    text = st.text_input(label, value="" if value is None else str(value), key=key, placeholder="missing")
    return text or None


def _number(field: SchemaField, label: str, value: Value, key: str) -> float | None:
    low, high = float(field.minimum or 0), float(field.maximum or 0)
    help_text = (
        f"In training from {number_range(low, high, ' to ')}, half of the rows below {number(_as_float(field))}."
    )
    return st.number_input(
        label,
        value=None if value is None else float(value),
        step=_step(field, low, high),
        format="%.15g",
        help=escaped(help_text),
        key=key,
        placeholder="missing",
    )


def _as_float(field: SchemaField) -> float | None:
    return None if field.typical is None else float(field.typical)


def _step(field: SchemaField, low: float, high: float) -> float:
    """Return what the + and − keys add: about a hundredth of the range, in a round number."""
    if high <= low:
        return 1.0
    step = 10.0 ** floor(log10((high - low) / 100))
    return max(1.0, step) if field.integer else step


def _date(field: SchemaField, label: str, value: Value, key: str) -> str | None:
    if field.time_of_day:
        return _time(field, label, value, key)
    moment = None if value is None else datetime.fromisoformat(str(value))
    ends = [datetime.fromisoformat(str(end)) for end in (field.minimum, field.maximum) if end is not None]
    help_text = f"In training from {ends[0]:%Y-%m-%d} to {ends[-1]:%Y-%m-%d}." if ends else None
    known = [*ends, *([moment] if moment else [])]
    if all(m == m.replace(hour=0, minute=0, second=0, microsecond=0) for m in known):
        chosen = st.date_input(
            label, value=moment, min_value=_EARLIEST, max_value=_LATEST, help=help_text, key=key, format="YYYY-MM-DD"
        )
        return None if chosen is None else chosen.isoformat()
    entered = st.datetime_input(
        label, value=moment, min_value=_EARLIEST, max_value=_LATEST, help=help_text, key=key, format="YYYY-MM-DD",
        step=timedelta(minutes=15),
    )  # fmt: skip
    return None if entered is None else entered.isoformat()


def _time(field: SchemaField, label: str, value: Value, key: str) -> str | None:
    moment = None if value is None else datetime.fromisoformat(str(value)).time()
    ends = [str(end)[11:16] for end in (field.minimum, field.maximum) if end is not None]
    help_text = f"In training from {ends[0]} to {ends[-1]}." if ends else None
    entered = st.time_input(label, value=moment, help=help_text, key=key, step=timedelta(minutes=15))
    return None if entered is None else entered.isoformat()
