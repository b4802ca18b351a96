"""Any table of a stated grammar, written in any dialect, comes back equal.

The grammar leaves nothing to guess: names are words; numbers have two decimals, in the file's decimal mark, which isn't
its delimiter; dates are ISO 8601, or day.month.year with a day above 12 in the first row; texts are
words that begin with w, repeat, and may hold the delimiter, quotation marks, line breaks and letters beyond ASCII, in
an encoding of one byte single ones that Western and Central Europe write in the same way; nothing but an empty field is
missing, and the last row isn't empty.
"""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date
from typing import Any, Literal

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.specs import ColumnType

_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1")
_PIECES = ("a", "b", "c d", "éb", "üd", '"', "\n")
_MORE_PIECES = ("ñ", "øŁ", "中文")


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, bytes, dict[str, Any]]:
    """Draw a table, the bytes of its file, and the dialect of these."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    decimal = "." if delimiter == "," else draw(st.sampled_from([".", ","]))
    encoding = draw(st.sampled_from(_ENCODINGS))
    pieces = (*_PIECES, delimiter, *(_MORE_PIECES if encoding.startswith("utf") else ()))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    rows = draw(st.integers(8, 30))
    kinds = draw(st.lists(st.sampled_from(["number", "date", "text"]), min_size=2, max_size=5))
    values, written, names = {}, {}, []
    for place, kind in enumerate(kinds):
        name = f"{kind}{'abcdef'[place]}"
        names.append(name)
        values[name], written[name] = draw(
            {"number": _numbers, "date": _dates, "text": _texts}[kind](rows, pieces, decimal)
        )
    quoting: Literal[0, 1] = csv.QUOTE_ALL if draw(st.booleans()) else csv.QUOTE_MINIMAL
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(names)
    writer.writerows(zip(*written.values(), strict=True))
    content = buffer.getvalue().encode(encoding)
    if draw(st.booleans()):
        content = gzip.compress(content)
    return pd.DataFrame(values), content, {"delimiter": delimiter, "decimal": decimal, "names": names}


@st.composite
def _numbers(
    draw: st.DrawFn, rows: int, _pieces: tuple[str, ...], decimal: str
) -> tuple[list[float | None], list[str]]:
    cents = draw(st.lists(st.none() | st.integers(-999_999, 999_999), min_size=rows - 2, max_size=rows - 2))
    cents += [1234, 7]
    values = [None if cent is None else cent / 100 for cent in cents]
    return values, ["" if value is None else f"{value:.2f}".replace(".", decimal) for value in values]


@st.composite
def _dates(draw: st.DrawFn, rows: int, _pieces: tuple[str, ...], _decimal: str) -> tuple[list[Any], list[str]]:
    days = [date(2021, 5, 27)]
    days += draw(st.lists(st.dates(date(1990, 1, 1), date(2040, 1, 1)), min_size=rows - 1, max_size=rows - 1))
    pattern = draw(st.sampled_from(["%Y-%m-%d", "%d.%m.%Y"]))
    return [pd.Timestamp(day) for day in days], [day.strftime(pattern) for day in days]


@st.composite
def _texts(draw: st.DrawFn, rows: int, pieces: tuple[str, ...], _decimal: str) -> tuple[list[str | None], list[str]]:
    inside = st.lists(st.sampled_from(pieces), max_size=4).map(lambda chosen: "".join(chosen).strip())
    levels = ["wa", "wb", *("w" + draw(inside) for _ in range(2))]
    chosen = draw(st.lists(st.sampled_from([None, *levels]), min_size=rows - 2, max_size=rows - 2))
    values = ["wa", *chosen, "wb"]
    return values, ["" if value is None else value for value in values]


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_a_table_comes_back_as_it_was_written(case: tuple[pd.DataFrame, bytes, dict[str, Any]]) -> None:
    table, content, dialect = case
    dataset, rows = read_dataset(content)
    assert dataset.dialect is not None
    assert dataset.dialect.delimiter == dialect["delimiter"]
    assert list(rows.columns) == list(table.columns)
    if any(name.startswith("number") for name in dialect["names"]):
        assert dataset.dialect.decimal == dialect["decimal"]
    for name in dialect["names"]:
        if name.startswith("number"):
            assert dataset.column(name).type is ColumnType.NUMBER
            pd.testing.assert_series_equal(rows[name], table[name].astype(float), check_dtype=False)
        elif name.startswith("date"):
            assert rows[name].tolist() == table[name].tolist()
        else:
            assert dataset.column(name).type in (ColumnType.CATEGORY, ColumnType.TEXT)
            known = table[name].notna()
            assert rows[name].notna().tolist() == known.tolist()
            assert rows[name][known].tolist() == table[name][known].tolist()
