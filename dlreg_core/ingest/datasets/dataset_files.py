"""A table file → the files of a data set in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pydantic import ValidationError

from dlreg_core.arrow import parquet
from dlreg_core.errors import TableError
from dlreg_core.ingest.batches import ReadingProgress, Scan, scan_file, stream_table
from dlreg_core.ingest.batches.row_sampling import sampled_rows
from dlreg_core.ingest.batches.typed_table import TypedTable, to_frame
from dlreg_core.ingest.formats.large_files import reads_in_pieces, unpacked_file
from dlreg_core.ingest.formats.library_errors import said_plainly
from dlreg_core.ingest.formats.raw_table import GUESS_ALL, RawTable, Source, read_bytes, read_table, start_of
from dlreg_core.names import clean_name
from dlreg_core.specs import SCHEMA_VERSION, Dataset, Reading

TABLE = "data.parquet"
SAMPLE = "sample.parquet"
PROFILE = "dataset.json"
SOURCE = "source.zst"
OPENED = "opened"
"""An empty file, touched when somebody opens the data set."""
RAW = "source.raw"
"""What a large packed file holds, until it is packed in our way."""

_SAMPLE = 1_000
_NOTED_SECONDS = 600.0
_ROW_GROUP = 65_536


def identifier_of(digest: str, reading: Reading = GUESS_ALL) -> str:
    """Return the identifier of a file's table; the same file read in another way is another table.

    Parameters
    ----------
    digest : str
        SHA-256 of the file, in hexadecimal.
    reading : Reading
        What a person said about how to read it.
    """
    if reading == GUESS_ALL:
        return digest[:16]
    said = b"\0" + reading.model_dump_json(exclude_none=True).encode()
    return hashlib.sha256(bytes.fromhex(digest) + said).hexdigest()[:16]


def described(content: bytes, name: str, dataset_id: str, reading: Reading) -> tuple[Dataset, pa.Table]:
    """Read a file that is in memory: its profile, and its rows in their types."""
    raw = read_table(content, reading)
    typed = TypedTable(raw, day_first=reading.day_first)
    dataset = Dataset(
        id=dataset_id,
        name=name,
        file_bytes=len(content),
        rows=typed.table.num_rows,
        columns=typed.columns,
        duplicate_rows=typed.duplicates,
        dialect=raw.dialect,
        reading=reading,
    )
    return dataset, typed.table


def write_small(part: Path, content: bytes, name: str, dataset_id: str, reading: Reading) -> Dataset:
    """Read a file that is in memory, and write what a data set consists of."""
    dataset, table = described(content, name, dataset_id, reading)
    parquet.write_table(table, part / TABLE, compression="zstd", row_group_size=_ROW_GROUP)
    places = sampled_rows(dataset.rows, len(dataset.columns))
    if places is not None:
        parquet.write_table(table.take(pa.array(places)), part / SAMPLE, compression="zstd")
    with pa.output_stream(part / SOURCE, compression="zstd") as file:
        file.write(content)
    (part / PROFILE).write_text(dataset.model_dump_json(indent=1), "utf-8")
    return dataset


def write_large(
    part: Path, path: Path, scan: Scan, name: str, dataset_id: str, reading: Reading, progress: ReadingProgress
) -> Dataset:
    """Read a file piece by piece, and write what a data set consists of, all but the file itself."""
    plain = unpacked_file(path, part)
    inner = scan if plain == path else scan_file(plain)
    work = part / "work"
    work.mkdir()
    found = stream_table(plain, inner, reading, work, progress)
    found.data.rename(part / TABLE)
    if found.sample is not None:
        found.sample.rename(part / SAMPLE)
    if plain != path:
        plain.rename(part / RAW)
    for left in work.iterdir():
        left.unlink()
    work.rmdir()
    dataset = Dataset(
        id=dataset_id,
        name=name,
        file_bytes=scan.size,
        rows=found.rows,
        columns=found.columns,
        duplicate_rows=found.duplicate_rows,
        dialect=found.dialect,
        reading=reading,
    )
    (part / PROFILE).write_text(dataset.model_dump_json(indent=1), "utf-8")
    return dataset


@said_plainly()
def read_dataset(source: Source, name: str = "", reading: Reading = GUESS_ALL) -> tuple[Dataset, pd.DataFrame]:
    """Read and profile a table file without keeping it; for parameters and errors see `DatasetStore.add`.

    Returns
    -------
    tuple of (Dataset, pandas.DataFrame)
        Its profile, and the rows that stand for all, as `DatasetStore.sample` returns them.
    """
    called = plain_name(name or own_name(source))
    if isinstance(source, str | Path) and reads_in_pieces(source):
        # Model files carry this package along, and know nothing of runs.
        from dlreg_core.runs.scratch_folders import scratch_folder

        with scratch_folder() as part:
            scan = scan_file(Path(source))
            large = write_large(part, Path(source), scan, called, identifier_of(scan.digest, reading), reading, quietly)
            kept = part / SAMPLE
            with parquet.ParquetFile(kept if kept.exists() else part / TABLE) as file:
                return large, to_frame(file.read(columns=list(large.column_names)))
    content = read_bytes(source)
    digest = hashlib.sha256(content).hexdigest()
    dataset, table = described(content, called, identifier_of(digest, reading), reading)
    places = sampled_rows(dataset.rows, len(dataset.columns))
    return dataset, to_frame(table if places is None else table.take(pa.array(places)))


def first_rows(content: bytes, reading: Reading, rows: int, *, cut: bool = False) -> pd.DataFrame:
    """Return the first rows of a file that is in memory, or of its beginning where it is `cut` off."""
    start = start_of(content)
    try:
        raw = read_table(start, reading)
    except TableError:
        # What was cut off may be what is missing.
        if cut or len(start) == len(content):
            raise
        raw = read_table(content, reading)
    few = RawTable(raw.table.slice(0, _SAMPLE), raw.dialect)
    return to_frame(TypedTable(few, day_first=reading.day_first).table).head(rows)


def note_opened(folder: Path) -> None:
    """Note that somebody has opened a data set."""
    path = folder / OPENED
    # A full disk, or a folder that goes away at this moment, must not keep anybody from looking at a table.
    with suppress(OSError):
        if not path.exists() or abs(time.time() - path.stat().st_mtime) > _NOTED_SECONDS:
            path.touch()


def own_name(source: Source) -> str:
    """Return the name of a file, empty where only its content is known."""
    return str(source) if isinstance(source, str | Path) else ""


def plain_name(name: str) -> str:
    """Return the last part of a name, cleaned."""
    return clean_name(name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]) or "table"


def quietly(_what: str, _share: float) -> None:
    """Take no notice of progress."""


def read_profile(folder: Path) -> Dataset:
    """Return what is known of the data set in a folder.

    Raises
    ------
    FileNotFoundError
        If there is none.
    TableError
        If it is damaged, or another version of dlreg wrote it.
    """
    path = folder / PROFILE
    found = path.stat()
    return _profile_of(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=512)
def _profile_of(path: Path, _changed: int, _size: int) -> Dataset:
    """Return a profile as it was kept; lists of hundreds are shown, of which hardly any has changed."""
    dataset_id = path.parent.name
    try:
        kept = json.loads(path.read_text("utf-8"))
        version = kept.get("schema_version") if isinstance(kept, dict) else None
        if version == SCHEMA_VERSION:
            return Dataset.model_validate(kept)
    except (ValueError, ValidationError) as exc:
        raise TableError(f"The stored data set {dataset_id} is damaged.", "Delete it and add its file again.") from exc
    raise TableError(
        f"The stored data set {dataset_id} has format {version}, but this version of dlreg reads {SCHEMA_VERSION}.",
        "Add its file again, or use the version of dlreg that stored it.",
    )
