"""Data: from a file or a sample to a table that one has looked at."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import pandas as pd
import streamlit as st

from dlreg_core.errors import NotFoundError, RecipeError
from dlreg_core.formatting import percent
from dlreg_core.specs import Column, Dataset
from dlreg_core.wording import (
    TYPE_HELP,
    dialect_words,
    readable_moments,
    table_words,
    type_words,
    values_words,
)
from pages._ui.data import dialect_form, large_upload, table_pictures, upload_form
from pages._ui.prepare import draft_session, starting_split
from pages._ui.shared import services, session
from pages._ui.shared.result_header import read_alike
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import go_to, header

_PREVIEW_ROWS = 100
_SHOWN = 6
_BARS = 20
_MOST_NAME = 60
_MOST_HELP = 500
_MOST_LINES = 30
_HEIGHT = 900
_FAR_OUT = (
    "Values of a number column more than three times the distance between its quartiles away from them (Tukey's outer "
    "fences). Nothing is said where half of the values are the same."
)


def open_dataset() -> Dataset | None:
    """Return the open data set, None where there is none (any more)."""
    identifier = session.dataset_id()
    if identifier is None:
        return None
    try:
        return services.dataset(identifier)
    except NotFoundError:
        session.open_dataset(None)
        st.warning(
            "That data set is not here any more. Open another one, or add its file again.", icon=":material/info:"
        )
        return None


def ways_in() -> None:
    """Show how to get at a table: a file, a sample, an earlier one."""
    added = upload_form.upload("Drop a CSV, Excel or Parquet file here", "data")
    with st.container(horizontal=True, vertical_alignment="center"):
        added = added or upload_form.pasted() or upload_form.from_place()
    added = added or large_upload.sent()
    if added is not None:
        session.open_dataset(added.id)
        st.rerun()
    st.markdown(":gray[or try one of these]")
    upload_form.samples()
    upload_form.earlier()


def preview(dataset: Dataset) -> None:
    """Show the first rows; each column is headed by its name and type, and tells what is missing in it."""
    rows = readable_moments(services.datasets().preview(dataset.id, _PREVIEW_ROWS))
    # By place: names come from files, and may be anything.
    rows.columns = [f"c{place}" for place in range(len(dataset.columns))]
    heads = {
        place: st.column_config.Column(_head(column), help=_about(dataset, column))
        for place, column in zip(rows.columns, dataset.columns, strict=True)
    }
    shown, heads = read_alike(rows, heads)
    alt = f"The first {len(rows)} rows of {dataset.name}."
    st.dataframe(shown, hide_index=True, column_config=heads, height=290, placeholder="", alt=alt)


def _head(column: Column) -> str:
    name = column.name if len(column.name) <= _MOST_NAME else f"{column.name[: _MOST_NAME - 1]}…"
    return f"{name} · {type_words(column)}"


def _about(dataset: Dataset, column: Column) -> str:
    share = percent(column.missing / dataset.rows) if column.missing else "nothing"
    return escaped(f"{column.name[:_MOST_HELP]}: {type_words(column)}, {share} missing.")


def columns_table(dataset: Dataset) -> None:
    """Show a line a column: what it holds, in figures and as a tiny histogram."""
    lines = [
        {
            "name": column.name,
            "type": type_words(column),
            "distribution": _bars(column),
            "values": values_words(column),
            "distinct": column.distinct,
            "outliers": column.outliers,
            "missing": round(column.missing / dataset.rows, 3),
        }
        for column in dataset.columns
    ]
    config = {
        "name": st.column_config.TextColumn("Column", pinned=True),
        "type": st.column_config.TextColumn("Type", help=TYPE_HELP),
        "distribution": st.column_config.BarChartColumn(
            "Distribution", y_min=0, help="Numbers: a histogram. Categories: the most frequent ones."
        ),
        "values": st.column_config.TextColumn(
            "Values", help="The lowest and highest value, or the most frequent ones."
        ),
        "distinct": st.column_config.NumberColumn("Different values", format="%,d"),
        "outliers": st.column_config.NumberColumn("Far out", format="%,d", help=_FAR_OUT),
        "missing": st.column_config.ProgressColumn(
            "Missing", format="percent", min_value=0, max_value=1, width="small"
        ),
    }
    height: int | Literal["content"] = "content" if len(lines) <= _MOST_LINES else _HEIGHT
    alt = f"The columns of {dataset.name}."
    st.dataframe(pd.DataFrame(lines), hide_index=True, column_config=config, height=height, alt=alt)


def _bars(column: Column) -> list[int] | None:
    if column.histogram is not None:
        return list(column.histogram.counts)
    return [level.count for level in column.levels[:_BARS]] or None


def things_to_look_at(dataset: Dataset) -> None:
    """Show what is odd about the table, what matters first."""
    found = draft_session.remarks(dataset)
    draft_session.say_what_was_seen(dataset)
    if not found:
        st.markdown("Nothing odd was found: no gaps, no repeated rows, no useless columns.")
        return
    lines = []
    for finding in found:
        mark = ":orange[:material/warning:]" if finding.serious else ":gray[:material/info:]"
        name = f"**{escaped(finding.title)}**: " if finding.title else ""
        lines.append(f"{mark} {name}{escaped(finding.advice)}")
    st.markdown("  \n".join(lines[:_SHOWN]))
    if len(lines) > _SHOWN:
        with st.expander(f"{len(lines) - _SHOWN} more"):
            st.markdown("  \n".join(lines[_SHOWN:]))


def show(dataset: Dataset) -> None:
    """Show the open data set, and lead on."""
    size = f"{dataset.rows:,} rows × {len(dataset.columns)} columns"
    st.subheader(f"{escaped(dataset.name)}: {size}", anchor=False)
    st.markdown(f"{escaped(table_words(dataset))}  \n:gray[{escaped(dialect_words(dataset.dialect))}]")
    dialect_form.reading(dataset)
    preview(dataset)
    st.subheader("Things to look at", anchor=False)
    things_to_look_at(dataset)
    if st.button("Continue: choose what to predict", type="primary"):
        go_to("prepare")
    st.subheader("Columns", anchor=False)
    columns_table(dataset)
    table_pictures.gaps(dataset)
    table_pictures.closeness(dataset)
    look_ahead(dataset)


def look_ahead(dataset: Dataset) -> None:
    """Have measured what Prepare begins with, while somebody still looks at the table."""
    draft = draft_session.draft(dataset)
    if draft is not None:
        with suppress(RecipeError):
            starting_split.begin(dataset, draft)


def page() -> None:
    """Show the page."""
    dataset = open_dataset()
    if dataset is None:
        header(
            "Start with a table",
            "**dlreg** finds out how well deep learning predicts a number in it, with which network, and why.",
        )
        ways_in()
        return
    header("Data", "What is in your table, and what to look at before a network learns from it.")
    with st.expander("Start with another table", icon=":material/add:", expanded=large_upload.is_waiting()):
        ways_in()
    show(dataset)


page()
