"""JSON → a table: one object a line, or a list of objects."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.column_names import ColumnNames, names_of
from dlreg_core.ingest.formats.limits import MOST_CELLS_IN_MEMORY, check_cells
from dlreg_core.ingest.formats.limits.table_width import check_width

_MOST_BYTES = 256 * 1024**2
_MOST_OBJECTS = 5_000_000
_MOST_DIGITS = 400
_OTHER_HINT = "Save the table as CSV or Parquet."
_NESTED_HINT = "Write one value for each name, without lists or objects in it."


def read_json(text: bytes) -> tuple[pa.Table, ColumnNames]:
    """Read objects as rows; their names are the columns, in the order in which they are first met.

    Parameters
    ----------
    text : bytes
        UTF-8: a list of objects, alone or as the only one within an object, or an object on each line.

    Raises
    ------
    TableError
        If it is no JSON, or no list of flat objects; the message names the line or the object.
    """
    _check_size(text)
    whole = text.decode("utf-8", errors="replace").lstrip("\ufeff")
    rows = _list(whole) if whole.lstrip().startswith("[") else _wrapped(whole) or _lines(whole)
    cells: dict[str, list[Any]] = {}
    for count, (where, row) in enumerate(rows):
        if not isinstance(row, dict):
            raise TableError(f"{where} is no object with names and values.", "Write an object for each row.")
        for name, value in row.items():
            if isinstance(value, dict | list):
                raise TableError(f'{where} holds a list or an object in "{name}".', _NESTED_HINT)
            if name not in cells:
                check_width(len(cells) + 1)
                check_cells(len(rows), len(cells) + 1, "JSON", MOST_CELLS_IN_MEMORY)
                cells[name] = [None] * count
            cells[name].append(value)
        for column in cells.values():
            if len(column) == count:
                column.append(None)
    names = names_of(tuple(cells))
    return pa.table([_column(column) for column in cells.values()], names=list(names.tidy)), names


def _check_size(text: bytes) -> None:
    """Refuse a file that would fill the memory: an object takes a hundred times as much there as its braces."""
    if len(text) > _MOST_BYTES:
        size, most = len(text) / 1024**2, _MOST_BYTES // 1024**2
        raise TableError(f"The JSON has {size:,.0f} MB; {most} MB is the most that can be read.", _OTHER_HINT)
    objects = text.count(b"{")
    if objects > _MOST_OBJECTS:
        raise TableError(
            f"The JSON has {objects:,} objects; {_MOST_OBJECTS:,} is the most that can be read.", _OTHER_HINT
        )


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # An integer of thousands of digits, which takes long to read and is beyond all floats.
        return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) <= _MOST_DIGITS else float(digits))


def _list(text: str) -> list[tuple[str, Any]]:
    try:
        return [(f"Object {number:,}", row) for number, row in enumerate(_loaded(text), start=1)]
    except json.JSONDecodeError as exc:
        raise TableError(f"The JSON breaks off or is wrong on line {exc.lineno:,}.", "Export it again.") from exc
    except RecursionError as exc:
        raise TableError("The JSON is nested too deeply for a table.", _NESTED_HINT) from exc


def _wrapped(text: str) -> list[tuple[str, Any]]:
    """Return the rows of a list of objects that stands within an object, such as {"data": […]}; none without one."""
    try:
        outer = _loaded(text)
    except (json.JSONDecodeError, RecursionError):
        return []
    lists = {name: rows for name, rows in outer.items() if _is_rows(rows)} if isinstance(outer, dict) else {}
    if len(lists) > 1:
        named = ", ".join(f'"{name}"' for name in list(lists)[:5])
        raise TableError(f"The JSON holds {len(lists)} lists of objects: {named}.", "Write one of them alone.")
    return [(f"Object {number:,}", row) for rows in lists.values() for number, row in enumerate(rows, start=1)]


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _lines(text: str) -> list[tuple[str, Any]]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append((f"Line {number:,}", _loaded(line)))
        except (json.JSONDecodeError, RecursionError) as exc:
            raise TableError(
                f"Line {number:,} is no complete JSON object.", "Write one object on each line, or a list of objects."
            ) from exc
    return rows


def _column(values: list[Any]) -> pa.Array:
    """Return values in the type that all of them have, else as text, from which the type is found again."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in known):
        return pa.array(values, pa.bool_())
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        whole = all(isinstance(value, int) and abs(value) < 2**63 for value in known)
        return pa.array(values, pa.int64()) if whole else pa.array([_float(value) for value in values], pa.float64())
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _float(value: float | None) -> float | None:
    try:
        return None if value is None else float(value)
    except OverflowError:
        # An integer beyond all floats; as the infinite, it counts as missing.
        return float("inf")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # A lone surrogate, which JSON can spell, is no text that a table can hold.
    return str(value).encode("utf-8", errors="replace").decode("utf-8")
