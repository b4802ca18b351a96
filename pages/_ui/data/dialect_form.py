"""Data: how a file was read, to be corrected with a preview."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlreg_core.errors import DlregError
from dlreg_core.names import visible
from dlreg_core.specs import Column, Dataset, Dialect, Reading
from dlreg_core.wording import DELIMITER_WORDS, readable_moments
from pages._ui.shared import error_display, services, session

_ENCODINGS = ("utf-8", "cp1252", "latin-1", "utf-16", "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030")
_MARKS = {".": "point: 1.5", ",": "comma: 1,5"}
_MOST_LINES_ABOVE = 100


def reading(dataset: Dataset) -> None:
    """Let a person correct how the file was read, and show at once what comes of it."""
    dialect = dataset.dialect
    if dialect is None or dialect.file not in ("CSV", "workbook"):
        return
    part = st.expander(
        "Read it differently", icon=":material/tune:", type="compact", on_change="rerun", key=f"reading_{dataset.id}"
    )
    if part.open:
        with part:
            _form(dataset, dialect)


@st.fragment
def _form(dataset: Dataset, dialect: Dialect) -> None:
    chosen = _chosen(dataset, dialect)
    with error_display.shown():
        rows = readable_moments(services.preview_again(dataset.id, chosen))
        st.dataframe(rows, hide_index=True, alt=f"The first {len(rows)} rows of {dataset.name}, read in this way.")
    if chosen == dataset.reading:
        st.caption("This is how it is read now.")
        return
    if st.button("Read it this way", key=f"read_{dataset.id}"):
        try:
            with st.spinner("Reading"):
                again = services.reader_store().read_again(dataset.id, chosen)
        except DlregError as exc:
            error_display.show(exc)
            return
        session.open_dataset(again.id)
        st.rerun(scope="app")


def _chosen(dataset: Dataset, dialect: Dialect) -> Reading:
    """Show what can be chosen, and return it; what agrees with the guess is left to the program."""
    said, key = dataset.reading, dataset.id
    found: dict[str, Any] = {}
    with st.grid(3, min_column_width=170, gap="small"):
        if dialect.file == "workbook":
            found["sheet"] = _select("Sheet", list(dialect.sheets), dialect.sheet, said.sheet, f"sheet_{key}")
        else:
            words = DELIMITER_WORDS
            found["delimiter"] = _select(
                "Between the columns", list(words), dialect.delimiter, said.delimiter, f"delimiter_{key}", words
            )
            found["encoding"] = _select(
                "Encoding", list(_ENCODINGS), dialect.encoding, said.encoding, f"encoding_{key}",
            )  # fmt: skip
            found["decimal"] = _select(
                "Decimal mark", list(_MARKS), dialect.decimal, said.decimal, f"decimal_{key}", _MARKS
            )
        found["header"] = _header(dialect, said, key)
        dates = [column for column in dataset.columns if column.day_first is not None]
        if dates:
            found["day_first"] = _order(dates, said, key)
    return Reading(**found)


def _select(
    label: str, options: list[str], guess: str, said: str | None, key: str, words: dict[str, str] | None = None
) -> str | None:
    known = options if guess in options else [guess, *options]
    shown = words or {}

    def named(option: str) -> str:
        return option.upper() if option in _ENCODINGS else visible(shown.get(option, option))

    value = st.selectbox(label, known, index=known.index(guess), format_func=named, key=key)
    return said if value == guess else value


def _header(dialect: Dialect, said: Reading, key: str) -> int | str | None:
    has = st.toggle("Has a header", dialect.header_row is not None, key=f"header_{key}")
    if not has:
        return said.header if dialect.header_row is None else "none"
    guess = dialect.header_row or 0
    line = st.number_input(
        "Line of the header", 1, max(_MOST_LINES_ABOVE, guess + 1), guess + 1, key=f"header_line_{key}",
        help="What stands above it is left out.",
    )  # fmt: skip
    return said.header if dialect.header_row is not None and line == guess + 1 else int(line) - 1


def _order(dates: list[Column], said: Reading, key: str) -> bool | None:
    orders = {True: "day/month/year", False: "month/day/year"}
    guess = bool(dates[0].day_first)
    value = st.selectbox(
        "Dates that fit both orders", list(orders), index=list(orders).index(guess), format_func=orders.__getitem__,
        key=f"order_{key}",
    )  # fmt: skip
    return said.day_first if value == guess else value
