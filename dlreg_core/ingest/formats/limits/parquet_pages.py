"""Parquet files: a page of a few bytes can stand for any number of values, and an index for the same long text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import compute as pc
from dlreg_core.arrow import parquet
from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.limits.cell_limits import MOST_DECODED, check_cells, check_decoded, check_text
from dlreg_core.ingest.formats.limits.table_width import check_width
from dlreg_core.ingest.inference.unusable_types import unusable_type

_MOST_FOOTER = 128 * 1024**2
_MAGIC = b"PAR1"
_DICTIONARY = "DICTIONARY"
_TEXTS = ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
_WIDEST = 16


def check_parquet(file: parquet.ParquetFile) -> None:
    """Refuse a Parquet file with more values than are read, by what its row groups say; ``TableError`` says so."""
    metadata = file.metadata
    check_width(len(file.schema_arrow.names))
    check_types(file.schema_arrow)
    check_cells(max(0, metadata.num_rows), metadata.num_columns, "Parquet")


def check_types(schema: pa.Schema) -> None:
    """Refuse columns of lists, structures and runs, which can't be used: a row of them holds any number of values."""
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_nested(kind) or pa.types.is_run_end_encoded(kind):
            raise unusable_type(field.name, field.type)


def check_footer(tail: bytes) -> None:
    """Refuse a Parquet file whose own description alone would fill the memory; `tail` is its last eight bytes."""
    if tail[4:] == _MAGIC and int.from_bytes(tail[:4], "little") > _MOST_FOOTER:
        raise TableError("The Parquet file has too many parts to be read.", "Write it again, with larger row groups.")


def decodes_to(file: parquet.ParquetFile) -> int:
    """Return about how many bytes the values of a file take in memory; long texts that repeat may take more."""
    metadata, texts = file.metadata, 0
    columns = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    for group in range(metadata.num_row_groups):
        part = metadata.row_group(group)
        for place, column in enumerate(columns):
            if column.physical_type in _TEXTS:
                texts += max(0, part.column(place).total_uncompressed_size)
    row = sum(_WIDEST if column.physical_type in _TEXTS else 8 for column in columns)
    return int(max(0, metadata.num_rows) * row + texts)


def repeating_texts(file: parquet.ParquetFile) -> list[str]:
    """Return the columns of texts whose values are numbers of an entry in a list: they can be read as such."""
    metadata, found = file.metadata, set()
    for group in range(metadata.num_row_groups):
        part = metadata.row_group(group)
        for place in range(metadata.num_columns):
            column = part.column(place)
            if column.physical_type == _TEXTS[0] and any(_DICTIONARY in one for one in column.encodings):
                found.add(column.path_in_schema)
    return sorted(found)


def text_bytes(column: pa.ChunkedArray | pa.Array) -> tuple[int, int]:
    """Return the bytes of a column's texts, and of the longest one, when each stands for itself; 0 of other columns."""
    kind, chunks = column.type, column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    if pa.types.is_string_view(kind):
        lengths = [_view_lengths(chunk) for chunk in chunks if len(chunk)]
        return sum(int(part.sum()) for part in lengths), max((int(part.max()) for part in lengths), default=0)
    if not pa.types.is_dictionary(kind):
        return 0, 0
    inner = kind.value_type
    if not (pa.types.is_string(inner) or pa.types.is_large_string(inner)):
        return 0, 0
    total = longest = 0
    for chunk in chunks:
        if len(chunk.dictionary):
            lengths = pc.cast(pc.binary_length(chunk.dictionary), pa.int64())
            longest = max(longest, pc.max(lengths).as_py() or 0)
            total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    return total, longest


def _view_lengths(chunk: pa.Array) -> NDArray[np.int64]:
    """Return the lengths of texts that are views on others: the first of four numbers each."""
    views = np.frombuffer(chunk.buffers()[1], np.int32).reshape(-1, 4)
    return views[chunk.offset : chunk.offset + len(chunk), 0].astype(np.int64)


def checked_texts(table: pa.Table | pa.RecordBatch, names: Sequence[str], kind: str, most: int = MOST_DECODED) -> int:
    """Return the bytes of a table's texts, once each stands for itself.

    Parameters
    ----------
    table : pyarrow.Table or pyarrow.RecordBatch
        Its columns, with texts as numbers of an entry in a list.
    names : sequence of str
        What the columns are called.
    kind : str
        What the file is, for the sentence.
    most : int
        Bytes that are still read.

    Raises
    ------
    TableError
        If there are more, or if one text alone is too long.
    """
    whole = 0
    for name, column in zip(names, table.columns, strict=True):
        size, longest = text_bytes(column)
        check_text(longest, name)
        whole += size
    check_decoded(whole, kind, most)
    return whole
