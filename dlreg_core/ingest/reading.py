"""The bytes of a table file → its columns, as text or as the types that the file itself carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from dlreg_core.errors import NotFoundError, TableError
from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.arrow import csv, parquet
from dlreg_core.ingest.budgets import check_decoded, check_feather, check_parquet, checked_texts, decodes_to
from dlreg_core.ingest.budgets.parquet import check_footer, check_types, repeating_texts
from dlreg_core.ingest.column_names import names_of
from dlreg_core.ingest.dialect import (
    Layout,
    Text,
    column_names,
    find_layout,
    first_bad_record,
    unclosed_quote,
    units_by_name,
)
from dlreg_core.ingest.documents import read_json
from dlreg_core.ingest.encoding import to_utf8
from dlreg_core.ingest.limits import check_width
from dlreg_core.ingest.marks import Mark, decimal_mark
from dlreg_core.ingest.ordinary import ordinary
from dlreg_core.ingest.signatures import foreign_kind, is_feather, is_json, is_parquet, is_workbook
from dlreg_core.ingest.unpacking import unpacked
from dlreg_core.ingest.workbooks import read_workbook
from dlreg_core.specs import Dialect, Reading

Source = Path | str | bytes | BinaryIO
"""A file by its path, or the content of one."""

GUESS_ALL = Reading()
_START = 262_144
_BLOCK = 4 * 1024**2
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
    kind = foreign_kind(content)
    if kind is not None:
        raise TableError(f"The file is not a table of text; it looks like {kind}.", "Save or export the table as CSV.")
    text, encoding = to_utf8(content, reading.encoding)
    layout = find_layout(text, reading)
    check_width(len(layout.first))
    table = _parse(text, layout)
    names = column_names(layout)
    table = table.rename_columns(list(names.tidy))
    table = _without_trailing_rows(_without_empty_columns(table, layout))
    mark = Mark(reading.decimal) if reading.decimal else decimal_mark(table, layout.delimiter)
    dialect = Dialect(
        delimiter=layout.delimiter,
        encoding=encoding,
        decimal=mark.decimal,
        doubtful=mark.doubtful,
        header_row=layout.skipped_lines if layout.has_header else None,
        unit_rows=layout.unit_rows,
        renamed=names.changed,
    )
    return RawTable(table, dialect, units_by_name(layout), written=names.written)


def _parse(text: bytes, layout: Layout) -> pa.Table:
    width, lines = len(layout.first), Text.of(text[layout.skip :])
    quoted = lines.quotes > 0
    if unclosed_quote(lines, layout.delimiter):
        raise layout_error(lines, layout)
    text = text[layout.body :]
    if not text.strip() and width > 1:
        raise TableError(_ONLY_HEADER, _ONLY_HEADER_HINT)
    # Arrow takes a single line without an end for no line at all.
    text = text if text.endswith((b"\n", b"\r")) else text + b"\n"
    try:
        table = csv.read_csv(
            pa.BufferReader(text),
            read_options=csv.ReadOptions(autogenerate_column_names=True, block_size=_BLOCK),
            parse_options=csv.ParseOptions(
                # A blank line of a single column is a row whose value is missing.
                delimiter=layout.delimiter,
                newlines_in_values=quoted,
                ignore_empty_lines=width > 1,
            ),
            convert_options=csv.ConvertOptions(
                column_types={f"f{i}": pa.string() for i in range(width)}, strings_can_be_null=False
            ),
        )
    except MemoryError:
        raise
    except pa.ArrowException as exc:
        raise layout_error(lines, layout) from exc
    # The two readers can differ on quotation marks within a field of the header.
    if table.num_columns != width:
        raise layout_error(lines, layout)
    return table


def layout_error(text: Text, layout: Layout) -> TableError:
    """Return what is wrong with a text whose rows can't be told apart."""
    found = first_bad_record(text, layout)
    return found or TableError("The rows of the file can't be told apart.", "Export the table as CSV again.")


def _without_empty_columns(table: pa.Table, layout: Layout) -> pa.Table:
    """Drop the columns that have neither a name nor a value; spreadsheets leave them behind."""
    if not layout.has_header:
        return table
    unnamed = [index for index, name in enumerate(layout.first) if not name.strip()]
    empty = {i for i in unnamed if pc.all(_is_empty(table.column(i)), min_count=0).as_py()}
    return table.select([index for index in range(table.num_columns) if index not in empty])


def _without_trailing_rows(table: pa.Table) -> pa.Table:
    """Drop the rows at the end in which every field is empty."""
    if not table.num_rows or not table.num_columns or table.column(0)[-1].as_py().strip():
        return table
    empty = _is_empty(table.column(0))
    for column in table.columns[1:]:
        empty = pc.and_(empty, _is_empty(column))
    filled = pc.indices_nonzero(pc.invert(empty))
    return table.slice(0, filled[-1].as_py() + 1 if len(filled) else 0)


def _is_empty(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.equal(pc.utf8_trim_whitespace(column), "")


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
