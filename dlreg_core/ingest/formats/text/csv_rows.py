"""A text table in UTF-8 → batches of its rows, as they stand in it."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from dlreg_core.arrow import compute as pc
from dlreg_core.arrow import csv
from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.limits.table_width import check_width
from dlreg_core.ingest.formats.signatures import foreign_kind
from dlreg_core.ingest.formats.text.csv_dialect import (
    Layout,
    Text,
    column_names,
    find_layout,
    first_bad_record,
    unclosed_quote,
    units_by_name,
)
from dlreg_core.ingest.formats.text.decimal_marks import DecimalMark, decimal_mark
from dlreg_core.ingest.formats.text.encoding import to_utf8
from dlreg_core.specs import Dialect, Reading

BLOCK = 4 * 1024**2
_HEAD = 1024**2
_START = 4 * 1024**2
_SPOT = 256 * 1024
_SPOTS = 12

ShareReporter = Callable[[float], None]
"""Is told which share of the file has been read."""


@dataclass(frozen=True)
class TextRows:
    """A text table in UTF-8; its fields are texts.

    Attributes
    ----------
    open : callable
        Opens its bytes, at their start.
    start, size : int
        Where the first row begins, and how many bytes there are.
    layout : Layout
        Delimiter and header.
    names, written : tuple of str and mapping
        Names of the columns, and how they stand in the file where they had to be cleaned.
    dialect : Dialect
        How the file is written.
    unnamed : frozenset of str
        Columns without a name in the file.
    text : Text
        What is read line by line to say what is wrong with it.
    """

    open: Callable[[], BinaryIO]
    start: int
    size: int
    layout: Layout
    names: tuple[str, ...]
    written: Mapping[str, str]
    dialect: Dialect
    unnamed: frozenset[str]
    text: Text

    @property
    def units(self) -> Mapping[str, str]:
        """By column, what stood in a row of units."""
        return units_by_name(self.layout)

    @property
    def notes(self) -> Mapping[str, str]:
        """A text says nothing of why a column is empty."""
        return {}

    @property
    def sampled(self) -> bool:
        """A sample holds some of the rows only."""
        return True

    def sample(self) -> pa.Table:
        """Return rows from several places of the file; only from its start where texts may run over several lines."""
        with self.open() as file:
            file.seek(self.start)
            tables = [self._rows(_whole_lines(file.read(_START), cut=self.size - self.start > _START))]
            if not self.text.quotes:
                for place in range(1, _SPOTS + 1):
                    at = self.start + (self.size - self.start) * place // (_SPOTS + 1)
                    file.seek(at)
                    piece = file.read(_SPOT)
                    tables.append(self._rows(_whole_lines(piece[piece.find(b"\n") + 1 :], cut=True)))
        found = [table for table in tables if table is not None]
        # What can't be read here can't be read later either, and is explained there.
        empty = pa.table({name: pa.array([], pa.string()) for name in self.names})
        return pa.concat_tables(found) if found else empty

    def _rows(self, piece: bytes) -> pa.Table | None:
        if not piece.strip():
            return None
        try:
            table = csv.read_csv(pa.BufferReader(piece), **self._options())
        except pa.ArrowException:
            return None
        if table.num_columns != len(self.names):
            return None
        return table.rename_columns(list(self.names))

    def _options(self) -> dict[str, object]:
        width = len(self.names)
        return {
            "read_options": csv.ReadOptions(autogenerate_column_names=True, block_size=BLOCK),
            "parse_options": csv.ParseOptions(
                # A blank line of a single column is a row whose value is missing.
                delimiter=self.layout.delimiter,
                newlines_in_values=self.text.quotes > 0,
                ignore_empty_lines=width > 1,
            ),
            "convert_options": csv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(width)}, strings_can_be_null=False
            ),
        }

    def batches(self, place: ShareReporter) -> Iterator[pa.RecordBatch]:
        """Yield all rows but the empty ones at the end; ``TableError`` where they can't be told apart."""
        return _without_empty_end(self._batches(place))

    def _batches(self, place: ShareReporter) -> Iterator[pa.RecordBatch]:
        with self.open() as file:
            if _is_blank(file, self.start):
                return
            file.seek(self.start)
            try:
                with csv.open_csv(file, **self._options()) as reader:
                    yield from self._checked(reader, file, place)
            except MemoryError:
                raise
            except pa.ArrowException as exc:
                raise self.error() from exc

    def _checked(
        self, reader: Iterator[pa.RecordBatch], file: BinaryIO, place: ShareReporter
    ) -> Iterator[pa.RecordBatch]:
        for batch in reader:
            # The two readers can differ on quotation marks within a field of the header.
            if batch.num_columns != len(self.names):
                raise self.error()
            if not batch.num_rows:
                continue
            place(file.tell() / self.size)
            yield batch.rename_columns(list(self.names))

    def error(self) -> TableError:
        """Return what is wrong with a text whose rows can't be told apart."""
        found = first_bad_record(self.text, self.layout)
        return found or TableError("The rows of the file can't be told apart.", "Export the table as CSV again.")


def rows_of_text(
    open_bytes: Callable[[], BinaryIO], size: int, quotes: int, encoding: str, reading: Reading
) -> TextRows:
    """Find delimiter, header and names of a text table in UTF-8.

    Parameters
    ----------
    open_bytes : callable
        Opens its bytes, at their start.
    size, quotes : int
        How many bytes and quotation marks there are.
    encoding : str
        What it was encoded in before.
    reading : Reading
        What a person said about how to read it.

    Returns
    -------
    TextRows
        Its decimal mark isn't known yet: see `with_mark`.

    Raises
    ------
    TableError
        If it is no table.
    """
    with open_bytes() as file:
        head = file.read(_HEAD)
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    layout = find_layout(head[mark:], reading)
    check_width(len(layout.first))
    named = column_names(layout)
    text = Text(lambda: _opened(open_bytes, mark + layout.skip), quotes)
    dialect = Dialect(
        delimiter=layout.delimiter,
        encoding=encoding,
        header_row=layout.skipped_lines if layout.has_header else None,
        unit_rows=layout.unit_rows,
        renamed=named.changed,
    )
    header = zip(named.tidy, layout.first, strict=True) if layout.has_header else ()
    unnamed = frozenset(name for name, written in header if not written.strip())
    start = mark + layout.body
    found = TextRows(open_bytes, start, size, layout, named.tidy, named.written, dialect, unnamed, text)
    if unclosed_quote(text, layout.delimiter):
        raise found.error()
    return found


def with_mark(rows: TextRows, table: pa.Table, reading: Reading) -> TextRows:
    """Return a text table with its decimal mark, given some of its rows."""
    told = DecimalMark(reading.decimal) if reading.decimal else decimal_mark(table, rows.layout.delimiter)
    known = rows.dialect.model_copy(update={"decimal": told.decimal, "doubtful": told.doubtful})
    return replace(rows, dialect=known)


def held_text(content: bytes, reading: Reading) -> TextRows:
    """Find out how a text table is written that is in memory; see `rows_of_text`."""
    check_is_no_other(content)
    text, encoding = to_utf8(content, reading.encoding)
    # Arrow takes a single line without an end for no line at all.
    text = text if text.endswith((b"\n", b"\r")) else text + b"\n"
    return rows_of_text(lambda: io.BytesIO(text), len(text), text.count(b'"'), encoding, reading)


def check_is_no_other(content: bytes) -> None:
    """Raise ``TableError`` where a file, or its beginning, is of a known kind that is no text."""
    kind = foreign_kind(content)
    if kind is not None:
        raise TableError(f"The file is not a table of text; it looks like {kind}.", "Save or export the table as CSV.")


def _opened(open_bytes: Callable[[], BinaryIO], start: int) -> io.TextIOWrapper:
    file = open_bytes()
    file.seek(start)
    return io.TextIOWrapper(file, "utf-8", newline="")


def _whole_lines(piece: bytes, *, cut: bool) -> bytes:
    if cut:
        return piece[: max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1]
    # Arrow takes a single line without an end for no line at all.
    return piece if piece.endswith((b"\n", b"\r")) else piece + b"\n"


def _is_blank(file: BinaryIO, start: int) -> bool:
    """Tell whether nothing but white space follows."""
    file.seek(start)
    while piece := file.read(_HEAD):
        if piece.strip():
            return False
    return True


def _without_empty_end(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches without the rows at the end in which every field is empty; those among others are rows."""
    pending = 0
    for batch in batches:
        filled = _filled(batch)
        if filled and pending:
            yield _empty(batch.schema, pending)
            pending = 0
        if filled:
            yield batch.slice(0, filled)
        pending += batch.num_rows - filled


def _filled(batch: pa.RecordBatch) -> int:
    """Return how many rows there are up to the last one that isn't wholly empty."""
    rows: int = batch.num_rows
    if any(column[-1].as_py().strip() for column in batch.columns):
        return rows
    empty = np.ones(rows, dtype=np.bool_)
    for column in batch.columns:
        empty &= is_empty(column).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(~empty)
    return int(places[-1]) + 1 if len(places) else 0


def _empty(schema: pa.Schema, rows: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([""] * rows, pa.string()) for _ in schema], names=schema.names)


def is_empty(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Tell of each text whether it is nothing but white space."""
    return pc.equal(pc.utf8_trim_whitespace(column), "")
