"""Ways to a data set: a file, a sample, one that was opened before."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dlreg_core.errors import DlregError
from dlreg_core.ingest.datasets import SAMPLES, SampleTable, sample_path
from dlreg_core.ingest.uploads import place_name, place_pieces
from dlreg_core.recipe import start_draft
from dlreg_core.specs import Dataset
from pages._ui.data import large_upload
from pages._ui.prepare import draft_session
from pages._ui.shared import error_display, services, session
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import PAGES, go_to

TYPES = [
    *("csv", "tsv", "txt", "xlsx", "xlsb", "xls", "ods", "parquet", "feather", "arrow", "json", "jsonl", "ndjson"),
    *("gz", "zip", "zst", "bz2", "xz"),
]
_MOST_EARLIER = 50
_CELLS = "size\tplace\tprice\n120\tnorth\t310000\n…"
_HELP = (
    "CSV, Excel, OpenDocument, Parquet, Feather or JSON, also packed (ZIP, gzip, Zstandard, bzip2, xz), up to {:,} MB."
)


def upload(label: str, name: str, add: Callable[[bytes, str], Dataset] | None = None) -> Dataset | None:
    """Let a person choose a file; return the data set once it is stored.

    `add` stores its content under its name; without it, the file is read for itself.

    A file that can't be read is said once and plainly, and nothing else on the page changes.
    """
    services.expect_file()
    megabytes = services.settings().max_upload_mb
    key = f"upload_{name}_{session.recall(f'uploads_{name}', 0)}"
    file = st.file_uploader(label, type=TYPES, key=key, max_upload_size=megabytes, help=_HELP.format(megabytes))
    if file is None:
        return None
    try:
        with st.spinner(f"Reading {escaped(file.name)}"):
            dataset = (add or services.reader_store().add)(file.getvalue(), file.name)
    except DlregError as exc:
        error_display.show(exc)
        return None
    # A fresh uploader: the old one would hold the file in memory and hand it over again and again.
    session.remember(f"uploads_{name}", session.recall(f"uploads_{name}", 0) + 1)
    return dataset


def pasted() -> Dataset | None:
    """Let a person paste cells of a spreadsheet; return the data set once it is stored."""
    with st.popover("Paste from a spreadsheet", icon=":material/content_paste:", type="tertiary"):
        key = f"pasted_{session.recall('pasted', 0)}"
        text = st.text_area(
            "Cells, with the names of the columns in the first row", key=key, height=120, placeholder=_CELLS
        )
        if not st.button("Use these cells", disabled=not text.strip(), key=f"use_{key}"):
            return None
        with error_display.shown():
            dataset = services.reader_store().add(text.encode(), "pasted table")
            session.remember("pasted", session.recall("pasted", 0) + 1)
            return dataset
    return None


def from_place() -> Dataset | None:
    """Let a person name a file on the server or at an address, where the administrator allows some."""
    allowed = services.settings().allowed_places
    if not allowed:
        return None
    with st.popover("From a place on the server", icon=":material/folder_open:", type="tertiary"):
        place = st.text_input("Path or address", key="place", placeholder=allowed[0])
        st.caption(escaped(f"Allowed: {', '.join(allowed)}"))
        if not st.button("Read this file", disabled=not place.strip(), key="read_place"):
            return None
        with error_display.shown(), st.spinner("Reading"):
            return large_upload.fetched(place_pieces(place, allowed), place_name(place))
    return None


def samples() -> None:
    """Show the samples; a click stores one and opens Prepare with its target chosen."""
    for sample, place in zip(SAMPLES, st.columns(len(SAMPLES), gap="small"), strict=True):
        with place.container(border=True, height="stretch", vertical_alignment="distribute"):
            with st.container(gap=None):
                st.markdown(f"**{sample.title}**")
                st.caption(f"{sample.rows:,} rows × {sample.columns} columns  \n{sample.sentence}")
            source = f"{sample.source}. Licence: {sample.licence}."
            label = f"Predict {_plain(sample.target)}"
            if st.button(label, key=f"sample_{sample.key}", width="stretch", help=source):
                _open_sample(sample)


def earlier() -> None:
    """Let a person open one of the data sets that are already here."""
    known = {dataset.id: dataset for dataset in services.datasets().list()[:_MOST_EARLIER]}
    others = [identifier for identifier in known if identifier != session.dataset_id()]
    if not others:
        return
    chosen = st.selectbox(
        "Or open an earlier table",
        others,
        index=None,
        placeholder=f"{len(others)} earlier" if len(others) > 1 else "1 earlier",
        format_func=lambda identifier: _line(known[identifier]),
        key=f"earlier_{session.dataset_id()}",
    )
    st.page_link(
        PAGES / "runs.py",
        label="See and delete all data sets",
        icon=":material/delete:",
        query_params=session.address(),
    )
    if chosen is not None:
        session.open_dataset(chosen)
        st.rerun()


def _open_sample(sample: SampleTable) -> None:
    with error_display.shown():
        dataset = services.datasets().add(sample_path(sample))
        session.open_dataset(dataset.id)
        started = start_draft(dataset, sample.target, sample.unit)
        if started is not None:
            draft_session.keep(started)
        go_to("prepare")


def _line(dataset: Dataset) -> str:
    return f"{dataset.name} · {dataset.rows:,} rows × {len(dataset.columns)} columns · {dataset.created:%d %b %Y}"


def _plain(column: str) -> str:
    return column.removesuffix("_mpa").replace("_", " ")
