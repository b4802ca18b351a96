"""The bytes of a table file → its columns, as text or as the types that the file itself carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from dlreg_core.arrow import compute as pc
from dlreg_core.arrow import parquet
from dlreg_core.errors import NotFoundError, TableError
from dlreg_core.ingest.formats.column_names import names_of
from dlreg_core.ingest.formats.compression import unpacked
from dlreg_core.ingest.formats.json_table import read_json
from dlreg_core.ingest.formats.limits import check_decoded, check_feather, check_parquet, checked_texts, decodes_to
from dlreg_core.ingest.formats.limits.parquet_pages import check_footer, check_types, repeating_texts
from dlreg_core.ingest.formats.limits.table_width import check_width
from dlreg_core.ingest.formats.regular_files import ordinary
from dlreg_core.ingest.formats.signatures import is_feather, is_json, is_parquet, is_workbook
from dlreg_core.ingest.formats.spreadsheet import read_workbook
from dlreg_core.ingest.formats.text.csv_rows import held_text, is_empty, with_mark
from dlreg_core.specs import Dialect, Reading

Source = Path | str | bytes | BinaryIO
"""A file by its path, or the content of one."""

GUESS_ALL = Reading()
_START = 262_144
_ONLY_HEADER = "The table has a header but no rows."
_ONLY_HEADER_HINT = "Choose a file with at least one row below the header."


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in the file, and how it was read."""

    table: pa.Table
    dialect: Dialect
    units: Mapping[str, str] = field(default_factory=dict)
    """By column, what stood in a row of units."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """By column, why it is empty, where the file tells."""
    written: Mapping[str, str] = field(default_factory=dict)
    """How names stand in the file that had to be cleaned."""


def read_bytes(source: Source) -> bytes:
    """Return the content of `source`.

    Parameters
    ----------
    source : Path, str, bytes or binary file object
        A path, or the content itself.

    Returns
    -------
    bytes

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If the file can't be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | Path):
        path = Path(source)
        try:
            return ordinary(path).read_bytes()
        except FileNotFoundError as exc:
            raise NotFoundError(f"There is no file {path.name}.", "Check its name and folder.") from exc
        except OSError as exc:
            raise TableError(
                f"The file {path.name} can't be read.", "Check that it is a file that may be read."
            ) from exc
    return source.read()


def read_table(content: bytes, reading: Reading = GUESS_ALL, *, single_column: bool = False) -> RawTable:
    """Read a table file.

    Parameters
    ----------
    content : bytes
        The whole file: CSV (comma, semicolon, tab or vertical bar), an Excel or OpenDocument workbook, Parquet,
        Feather, or JSON (a list of objects, or one a line); it may be packed with gzip, Zstandard, bzip2, xz or ZIP.
    reading : Reading
        What a person said about how to read it; all else is guessed.
    single_column : bool
        Whether a table of one column is taken too.

    Returns
    -------
    RawTable
        Text columns for a CSV file, typed ones for the others, without trailing rows and unnamed columns that are
        wholly empty.

    Raises
    ------
    TableError
        If the bytes are no readable table; the message says what is wrong and on which line.
    """
    content = unpacked(content)
    if not content.strip():
        raise TableError("The file is empty.", "Choose a file that holds a header line and rows.")
    raw = _read(content, reading)
    check_shape(tuple(raw.table.column_names), raw.table.num_rows, single_column=single_column)
    return raw


def check_shape(names: tuple[str, ...], rows: int, *, single_column: bool = False) -> None:
    """Raise ``TableError`` where a table has no rows, or a single column that isn't enough."""
    # A lone word is told what it lacks first: rows below it would not make it a table either.
    if len(names) == 1 and not single_column:
        raise TableError(
            f'The table has a single column, "{names[0]}".',
            "A prediction needs a target and at least one other column. If there are more, separate them by commas, "
            "semicolons, tabs or vertical bars.",
        )
    if not names or not rows:
        raise TableError(_ONLY_HEADER, _ONLY_HEADER_HINT)


def start_of(content: bytes) -> bytes:
    """Return the first lines of a text table, for a preview; any other file is returned whole."""
    text = content[:_START]
    if len(content) <= _START or b"\0" in text or is_json(content):
        return content
    return text[: text.rfind(b"\n") + 1] or content


def _read(content: bytes, reading: Reading) -> RawTable:
    if is_parquet(content):
        check_footer(content[-8:])
        return _read_arrow(content, "Parquet", _parquet_table)
    if is_feather(content):
        check_feather(content)
        return _read_arrow(content, "Feather", _feather_table)
    if is_workbook(content):
        sheet = read_workbook(content, reading)
        return RawTable(sheet.table, sheet.dialect, sheet.units, sheet.notes, sheet.written)
    if is_json(content):
        found, names = read_json(content)
        dialect = Dialect(file="JSON", encoding="utf-8", header_row=None, renamed=names.changed)
        return RawTable(found, dialect, written=names.written)
    return _read_text(content, reading)


def _read_text(content: bytes, reading: Reading) -> RawTable:
    rows = held_text(content, reading)
    schema = pa.schema([(name, pa.string()) for name in rows.names])
    table = pa.Table.from_batches(rows.batches(lambda _: None), schema)
    # Spreadsheets leave columns behind that have neither a name nor a value.
    if table.num_rows:
        table = table.drop_columns([name for name in rows.unnamed if _is_empty(table.column(name))])
    return RawTable(table, with_mark(rows, table, reading).dialect, rows.units, written=rows.written)


def _is_empty(column: pa.ChunkedArray) -> bool:
    return bool(pc.all(is_empty(column), min_count=0).as_py())


def _read_arrow(content: bytes, kind: str, read: Callable[[pa.NativeFile], pa.Table]) -> RawTable:
    try:
        table = read(pa.BufferReader(content))
        table.validate(full=True)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:
        raise TableError(f"The {kind} file is damaged or of an unknown kind.", "Write it again.") from exc
    check_width(table.num_columns)
    names = names_of(table.column_names)
    checked_texts(table, names.tidy, kind)
    dialect = Dialect(file=kind, header_row=None, renamed=names.changed)
    return RawTable(table.rename_columns(list(names.tidy)), dialect, written=names.written)


def _parquet_table(source: pa.NativeFile) -> pa.Table:
    """Read all of a Parquet file that fits into memory; texts that repeat are held once."""
    with parquet.ParquetFile(source) as file:
        check_parquet(file)
        check_decoded(decodes_to(file), "Parquet")
        repeating = repeating_texts(file)
    return parquet.ParquetFile(source, read_dictionary=repeating).read()


def _feather_table(source: pa.NativeFile) -> pa.Table:
    file = pa.ipc.open_file(source)
    check_types(file.schema)
    return file.read_all()
