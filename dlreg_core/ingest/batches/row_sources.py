"""A file on disk, or a table in memory → batches of rows, as they stand in it."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from dlreg_core.arrow import parquet
from dlreg_core.errors import TableError
from dlreg_core.ingest.batches.file_scan import PIECE, Scan, Scanner
from dlreg_core.ingest.formats.column_names import names_of
from dlreg_core.ingest.formats.limits import check_parquet, checked_texts
from dlreg_core.ingest.formats.limits.parquet_pages import check_footer, repeating_texts
from dlreg_core.ingest.formats.raw_table import RawTable
from dlreg_core.ingest.formats.text.csv_rows import ShareReporter, TextRows, check_is_no_other, rows_of_text, with_mark
from dlreg_core.ingest.formats.text.encoding import (
    BEFORE,
    SAMPLE,
    check_is_text,
    encoding_by_start,
    legacy_encodings,
    nul_error,
    unreadable_error,
)
from dlreg_core.ingest.inference.column_values import flat
from dlreg_core.specs import Dialect, Reading

_HEAD = 1024**2
_SAMPLED_ROWS = 100_000
_BATCH, _FEWEST_ROWS = 65_536, 1_000
_FOOTER = 8
_PART = 128 * 1024**2
_MOST_TEXTS = 16 * 1024**3
"""Bytes of all texts of a file, each standing for itself."""


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
    def notes(self) -> Mapping[str, str]:
        """By column, why it is empty, where the file tells."""

    @property
    def unnamed(self) -> frozenset[str]:
        """Columns without a name in the file, which are left out where they are empty."""

    @property
    def sampled(self) -> bool:
        """Whether `sample` returns some of the rows only."""

    def sample(self) -> pa.Table:
        """Return rows from several places of the table."""

    def batches(self, place: ShareReporter) -> Iterator[pa.RecordBatch]:
        """Yield all rows in their order."""


@dataclass(frozen=True)
class HeldRows:
    """A table that is in memory, as it stands in its file."""

    raw: RawTable

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.raw.table.column_names)

    @property
    def dialect(self) -> Dialect:
        """How the file is written."""
        return self.raw.dialect

    @property
    def units(self) -> Mapping[str, str]:
        """By column, what stood in a row of units."""
        return self.raw.units

    @property
    def notes(self) -> Mapping[str, str]:
        """By column, why it is empty, where the file tells."""
        return self.raw.notes

    @property
    def unnamed(self) -> frozenset[str]:
        """Whoever read it has left out what is empty and has no name."""
        return frozenset()

    @property
    def sampled(self) -> bool:
        """All rows are at hand."""
        return False

    def sample(self) -> pa.Table:
        """Return all rows."""
        return self.raw.table

    def batches(self, place: ShareReporter) -> Iterator[pa.RecordBatch]:
        """Yield all rows."""
        seen, table = 0, self.raw.table
        if any(column.num_chunks * _FEWEST_ROWS > table.num_rows for column in table.columns if column.num_chunks > 1):
            # Each batch costs something, however few rows it has.
            table = table.combine_chunks()
        for batch in table.to_batches(_BATCH):
            seen += batch.num_rows
            place(seen / table.num_rows)
            yield _flat(batch, self.names)


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
    notes: Mapping[str, str] = field(default_factory=dict)
    sampled: bool = True

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
            return pa.concat_tables(found).rename_columns(list(self.names))

    def batches(self, place: ShareReporter) -> Iterator[pa.RecordBatch]:
        """Yield all rows; ``TableError`` where the file is damaged."""
        with _damaged(), self._opened() as file:
            seen = texts = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                seen += batch.num_rows
                place(seen / max(1, file.metadata.num_rows))
                texts += checked_texts(batch, self.names, "Parquet", _MOST_TEXTS - texts)
                for part in _parts(batch, self.names, _PART):
                    yield _flat(part, self.names)


def _flat(batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
    """Return a batch whose columns stand for themselves."""
    columns = [flat(pa.chunked_array([column])).combine_chunks() for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=list(names))


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
    check_is_no_other(head)
    path, scan, encoding = _in_utf8(path, scan, head, reading.encoding, workplace)
    with path.open("rb") as file:
        # Which bytes a character has been cut in two at doesn't matter for telling text.
        check_is_text(file.read(_HEAD).removeprefix(codecs.BOM_UTF8))
    if scan.first_nul is not None:
        raise nul_error(_line_at(path, scan.first_nul))
    found = rows_of_text(lambda: path.open("rb"), scan.size, scan.quotes, encoding, reading)
    return with_mark(found, found.sample(), reading)


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
