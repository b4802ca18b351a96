"""A file on disk → batches of rows, as they stand in it."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TextIO

import pyarrow as pa

from dlreg_core.errors import TableError
from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.arrow import csv, parquet
from dlreg_core.ingest.budgets import check_parquet, checked_texts
from dlreg_core.ingest.budgets.parquet import check_footer, repeating_texts
from dlreg_core.ingest.column_names import names_of
from dlreg_core.ingest.columns import flat
from dlreg_core.ingest.dialect import Layout, Text, column_names, find_layout, unclosed_quote, units_by_name
from dlreg_core.ingest.encoding import (
    BEFORE,
    SAMPLE,
    check_is_text,
    encoding_by_start,
    legacy_encodings,
    nul_error,
    unreadable_error,
)
from dlreg_core.ingest.limits import check_width
from dlreg_core.ingest.marks import Mark, decimal_mark
from dlreg_core.ingest.reading import layout_error
from dlreg_core.ingest.signatures import foreign_kind
from dlreg_core.ingest.streaming.scan import PIECE, Scan, Scanner
from dlreg_core.specs import Dialect, Reading

_BLOCK = 2 * 1024**2
_HEAD = 1024**2
_START = 4 * 1024**2
_SPOT = 256 * 1024
_SPOTS = 12
_SAMPLED_ROWS = 100_000
_BATCH = 65_536
_FOOTER = 8
_PART = 128 * 1024**2
_MOST_TEXTS = 16 * 1024**3
"""Bytes of all texts of a file, each standing for itself."""

Place = Callable[[float], None]
"""Is told which share of the file has been read."""


class RowSource(Protocol):
    """A table that can be read in batches, as often as needed."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""

    @property
    def dialect(self) -> Dialect:
        """How the file is written."""

    @property
    def units(self) -> Mapping[str, str]:
        """By column, what stood in a row of units."""

    @property
    def unnamed(self) -> frozenset[str]:
        """Columns without a name in the file, which are left out where they are empty."""

    def sample(self) -> pa.Table:
        """Return rows from several places of the table."""

    def batches(self, place: Place) -> Iterator[pa.RecordBatch]:
        """Yield all rows in their order."""


@dataclass(frozen=True)
class TextRows:
    """A text table in UTF-8; its fields are texts."""

    path: Path
    start: int
    size: int
    layout: Layout
    names: tuple[str, ...]
    dialect: Dialect
    unnamed: frozenset[str]
    text: Text

    @property
    def units(self) -> Mapping[str, str]:
        """By column, what stood in a row of units."""
        return units_by_name(self.layout)

    def sample(self) -> pa.Table:
        """Return rows from several places of the file; only from its start where texts may run over several lines."""
        with self.path.open("rb") as file:
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
            "read_options": csv.ReadOptions(autogenerate_column_names=True, block_size=_BLOCK),
            "parse_options": csv.ParseOptions(
                delimiter=self.layout.delimiter, newlines_in_values=self.text.quotes > 0, ignore_empty_lines=width > 1
            ),
            "convert_options": csv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(width)}, strings_can_be_null=False
            ),
        }

    def batches(self, place: Place) -> Iterator[pa.RecordBatch]:
        """Yield all rows; ``TableError`` where they can't be told apart."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            try:
                with csv.open_csv(file, **self._options()) as reader:
                    yield from self._checked(reader, file, place)
            except MemoryError:
                raise
            except pa.ArrowException as exc:
                raise layout_error(self.text, self.layout) from exc

    def _checked(
        self, reader: Iterator[pa.RecordBatch], file: io.BufferedReader, place: Place
    ) -> Iterator[pa.RecordBatch]:
        for batch in reader:
            if batch.num_columns != len(self.names):
                raise layout_error(self.text, self.layout)
            if not batch.num_rows:
                continue
            place(file.tell() / self.size)
            yield batch.rename_columns(list(self.names))


@dataclass(frozen=True)
class ArrowRows:
    """A Parquet file; its columns have types."""

    path: Path
    names: tuple[str, ...]
    dialect: Dialect
    repeating: tuple[str, ...] = ()
    """Columns of the file that are read as numbers of an entry in a list."""
    unnamed: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)

    def _opened(self) -> parquet.ParquetFile:
        return parquet.ParquetFile(self.path, read_dictionary=list(self.repeating))

    def sample(self) -> pa.Table:
        """Return the first rows of several row groups."""
        with _damaged(), self._opened() as file:
            groups = range(0, file.num_row_groups, max(1, file.num_row_groups // 8))
            each = _SAMPLED_ROWS // max(1, len(groups))
            found = [file.schema_arrow.empty_table()]
            for group in groups:
                batch = next(file.iter_batches(batch_size=each, row_groups=[group]), None)
                if batch is not None:
                    # Of long texts fewer tell as much.
                    found.append(pa.Table.from_batches([next(_parts(batch, self.names, _PART))]))
            table = pa.concat_tables(found)
        return pa.table([flat(column) for column in table.columns], names=list(self.names))

    def batches(self, place: Place) -> Iterator[pa.RecordBatch]:
        """Yield all rows; ``TableError`` where the file is damaged."""
        with _damaged(), self._opened() as file:
            seen = texts = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                seen += batch.num_rows
                place(seen / max(1, file.metadata.num_rows))
                texts += checked_texts(batch, self.names, "Parquet", _MOST_TEXTS - texts)
                for part in _parts(batch, self.names, _PART):
                    columns = [flat(pa.chunked_array([column])).combine_chunks() for column in part.columns]
                    yield pa.RecordBatch.from_arrays(columns, names=list(self.names))


def _parts(batch: pa.RecordBatch, names: Sequence[str], most: int) -> Iterator[pa.RecordBatch]:
    """Yield a batch in parts whose texts, each standing for itself, take about so many bytes."""
    size = checked_texts(batch, names, "Parquet", _MOST_TEXTS)
    step = max(1, batch.num_rows * most // size) if size > most else max(1, batch.num_rows)
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


@contextmanager
def _damaged() -> Iterator[None]:
    """Say in one sentence what Arrow means by its errors."""
    try:
        yield
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:
        raise TableError("The Parquet file is damaged or of an unknown kind.", "Write it again.") from exc


def open_parquet(path: Path) -> ArrowRows:
    """Open a Parquet file; ``TableError`` where it is none, or too wide."""
    with path.open("rb") as tail:
        tail.seek(-min(_FOOTER, path.stat().st_size), io.SEEK_END)
        check_footer(tail.read())
    with _damaged(), parquet.ParquetFile(path) as file:
        check_parquet(file)
        names, repeating = names_of(file.schema_arrow.names), tuple(repeating_texts(file))
    return ArrowRows(path, names.tidy, Dialect(file="Parquet", header_row=None, renamed=names.changed), repeating)


def open_text(path: Path, scan: Scan, reading: Reading, workplace: Path) -> TextRows:
    """Find out how a text table is written.

    Parameters
    ----------
    path : Path
        The file.
    scan : Scan
        What its bytes tell.
    reading : Reading
        What a person said about how to read it.
    workplace : Path
        A folder for a copy in UTF-8, where the file is in another encoding.

    Raises
    ------
    TableError
        If it is no text table.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    kind = foreign_kind(head)
    if kind is not None:
        raise TableError(f"The file is not a table of text; it looks like {kind}.", "Save or export the table as CSV.")
    path, scan, encoding = _in_utf8(path, scan, head, reading.encoding, workplace)
    with path.open("rb") as file:
        head = file.read(_HEAD)
    # Which bytes a character has been cut in two at doesn't matter for finding the layout.
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    check_is_text(head[mark:])
    if scan.first_nul is not None:
        raise nul_error(_line_at(path, scan.first_nul))
    layout = find_layout(head[mark:], reading)
    check_width(len(layout.first))
    named = column_names(layout)
    names = named.tidy
    start, above = mark + layout.body, mark + layout.skip
    text = Text(lambda: _opened(path, above), scan.quotes)
    if unclosed_quote(text, layout.delimiter):
        raise layout_error(text, layout)
    unnamed = frozenset(
        name for name, written in zip(names, layout.first, strict=True) if layout.has_header and not written.strip()
    )
    dialect = Dialect(
        delimiter=layout.delimiter,
        encoding=encoding,
        header_row=layout.skipped_lines if layout.has_header else None,
        unit_rows=layout.unit_rows,
        renamed=named.changed,
    )
    found = TextRows(path, start, scan.size, layout, names, dialect, unnamed, text)
    told = Mark(reading.decimal) if reading.decimal else decimal_mark(found.sample(), layout.delimiter)
    known = dialect.model_copy(update={"decimal": told.decimal, "doubtful": told.doubtful})
    return replace(found, dialect=known)


def _opened(path: Path, start: int) -> TextIO:
    file = path.open("rb")
    file.seek(start)
    return io.TextIOWrapper(file, "utf-8", newline="")


def _whole_lines(piece: bytes, *, cut: bool) -> bytes:
    if cut:
        return piece[: max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1]
    # Arrow takes a single line without an end for no line at all.
    return piece if piece.endswith((b"\n", b"\r")) else piece + b"\n"


def _line_at(path: Path, place: int) -> int:
    """Return the line, counted from 1, on which a byte stands."""
    line = 1
    with path.open("rb") as file:
        while place > 0 and (piece := file.read(min(PIECE, place))):
            line += piece.count(b"\n")
            place -= len(piece)
    return line


def _in_utf8(path: Path, scan: Scan, head: bytes, said: str | None, workplace: Path) -> tuple[Path, Scan, str]:
    """Return the file, or a copy of it, in UTF-8, what its bytes tell, and the encoding it was in."""
    even = head[: len(head) - (len(head) + scan.size) % 2]
    told = said or encoding_by_start(even) or ("utf-8" if scan.utf8 else None)
    if told in ("utf-8", "utf-8-sig"):
        if not scan.utf8:
            raise unreadable_error(told, said)
        return path, scan, told
    for encoding in (told,) if told else legacy_encodings(_around(path, scan.first_high or 0)):
        copied = _copied(path, encoding, workplace / "utf8")
        if copied is not None:
            return workplace / "utf8", copied, encoding
    raise unreadable_error(told or "latin-1", said)


def _around(path: Path, place: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, place - BEFORE))
        return file.read(BEFORE + SAMPLE)


def _copied(path: Path, encoding: str, target: Path) -> Scan | None:
    """Write a file anew in UTF-8; None where it isn't in that encoding."""
    scanner = Scanner()
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        with path.open("rb") as source, target.open("wb") as copy:
            while piece := source.read(PIECE):
                text = decoder.decode(piece).encode("utf-8")
                scanner.update(text)
                copy.write(text)
            text = decoder.decode(b"", final=True).encode("utf-8")
            scanner.update(text)
            copy.write(text)
    except (UnicodeError, LookupError):
        return None
    return scanner.result()


def is_empty(column: pa.Array) -> pa.Array:
    """Tell of each text whether it is nothing but white space."""
    return pc.equal(pc.utf8_trim_whitespace(column), "")
