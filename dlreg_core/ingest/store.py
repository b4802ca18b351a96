"""Where uploaded tables are kept: once, under the hash of their content, and read-only from then on.

::

    HOME/datasets/<id>/data.parquet    the typed table
    HOME/datasets/<id>/dataset.json    the Dataset: name, dialect and profile
    HOME/datasets/<id>/source.zst      the file as it came, packed, so that it can be read in another way
    HOME/datasets/<id>/owners/<hex>    an empty file for each owner, named after them in hexadecimal

Two people who upload the same file share its folder without knowing of each other.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pydantic import ValidationError

from dlreg_core.errors import NotFoundError, TableError
from dlreg_core.ingest.arrow import parquet
from dlreg_core.ingest.profile import profile
from dlreg_core.ingest.reading import GUESS_ALL, RawTable, Source, read_bytes, read_table, start_of
from dlreg_core.ingest.tables import arrow_table, to_frame, type_columns
from dlreg_core.ingest.unpacking import unpacked
from dlreg_core.specs import SCHEMA_VERSION, Dataset, Reading

_ID = re.compile(r"[0-9a-f]{16}")
_TABLE = "data.parquet"
_PROFILE = "dataset.json"
_SOURCE = "source.zst"
_OWNERS = "owners"
_SAMPLE = 1_000
_ROW_GROUP = 65_536


class DatasetStore:
    """The data sets below one home folder.

    Parameters
    ----------
    home : Path
        The folder that `Settings.home` names; it is made on the first `add`.
    owner : str, optional
        Whose data sets these are: those of others don't exist here. Without it, all of them: for workers, which are
        told what to read by a run that has an owner itself.
    """

    def __init__(self, home: Path, owner: str | None = None) -> None:
        self._root = home / "datasets"
        self._owner = owner

    def add(self, source: Source, name: str = "", reading: Reading = GUESS_ALL) -> Dataset:
        """Read a table file and keep it.

        Parameters
        ----------
        source : Path, str, bytes or binary file object
            A table file as `read_table` takes it, or its content.
        name : str
            What to call it; of a path only the last part counts. Without it, the name of the file.
        reading : Reading
            What a person said about how to read it; all else is guessed.

        Returns
        -------
        Dataset
            The stored one, unchanged, if the same content was added before.

        Raises
        ------
        TableError
            If the file is no readable table.
        NotFoundError
            If there is no such file.
        """
        content = read_bytes(source)
        dataset_id = identifier_of(content, reading)
        stored = self._stored(dataset_id)
        if stored is not None:
            self._own(dataset_id)
            return stored
        dataset, table = _described(content, _plain_name(name or _own_name(source)), reading)
        written = self._write(dataset, table, content)
        self._own(dataset_id)
        return written

    def source(self, dataset_id: str) -> bytes:
        """Return the file that a data set was read from, as it came; `NotFoundError` where it wasn't kept."""
        if not self._owns(dataset_id):
            raise _not_found(dataset_id)
        try:
            with pa.input_stream(self.folder(dataset_id) / _SOURCE, compression="zstd") as file:
                found: bytes = file.read()
                return found
        except FileNotFoundError as exc:
            raise NotFoundError("The file of this data set wasn't kept.", "Add it again.") from exc

    def read_again(self, dataset_id: str, reading: Reading) -> Dataset:
        """Read a data set's file in another way; what comes of it is a data set of its own, under the same name."""
        return self.add(self.source(dataset_id), self.get(dataset_id).name, reading)

    def preview_again(self, dataset_id: str, reading: Reading, rows: int = 8) -> pd.DataFrame:
        """Return the first rows of a data set's file as they come out when it is read in another way."""
        content = unpacked(self.source(dataset_id))
        start = start_of(content)
        try:
            raw = read_table(start, reading)
        except TableError:
            # What was cut off may be what is missing.
            if len(start) == len(content):
                raise
            raw = read_table(content, reading)
        few = RawTable(raw.table.slice(0, _SAMPLE), raw.dialect)
        return to_frame(arrow_table(type_columns(few, day_first=reading.day_first))).head(rows)

    def get(self, dataset_id: str) -> Dataset:
        """Return a data set; `NotFoundError` if there is none, `TableError` if another version of dlreg wrote it."""
        if not self._owns(dataset_id):
            raise _not_found(dataset_id)
        return self._read(dataset_id)

    def _read(self, dataset_id: str) -> Dataset:
        path = self.folder(dataset_id) / _PROFILE
        try:
            kept = json.loads(path.read_text("utf-8"))
            version = kept.get("schema_version") if isinstance(kept, dict) else None
            if version == SCHEMA_VERSION:
                return Dataset.model_validate(kept)
        except FileNotFoundError as exc:
            raise _not_found(dataset_id) from exc
        except (ValueError, ValidationError) as exc:
            raise TableError(
                f"The stored data set {dataset_id} is damaged.", "Delete it and add its file again."
            ) from exc
        raise TableError(
            f"The stored data set {dataset_id} has format {version}, but this version of dlreg reads {SCHEMA_VERSION}.",
            "Add its file again, or use the version of dlreg that stored it.",
        )

    def folder(self, dataset_id: str) -> Path:
        """Return the folder of a data set, whether it is there or not; `NotFoundError` if `dataset_id` can't be one."""
        # What is asked for comes from addresses that people can type: it must not lead out of the store.
        if not _ID.fullmatch(dataset_id):
            raise _not_found(dataset_id)
        return self._root / dataset_id

    def table(self, dataset_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a data set in the order of its file.

        Parameters
        ----------
        dataset_id : str
            Which data set.
        columns : sequence of str, optional
            The columns to read, in this order; all without it.

        Returns
        -------
        pandas.DataFrame
            Numbers as ``int64``, or ``float64`` where there are fractions or missing values; dates as
            ``datetime64[ns]`` in UTC without a zone; everything else, booleans too, as the text of the file
            (``object``, None where it is missing). Booleans of a Parquet file are ``"true"`` and ``"false"``.

        Raises
        ------
        NotFoundError
            If the data set or a column isn't there.
        """
        dataset = self.get(dataset_id)
        wanted = list(dataset.column_names if columns is None else columns)
        absent = [name for name in wanted if name not in dataset.column_names]
        if absent:
            raise NotFoundError(f'{dataset.name} has no column "{absent[0]}".', "Choose one of its columns.")
        with parquet.ParquetFile(self._table_path(dataset_id)) as file:
            return to_frame(file.read(columns=wanted).select(wanted))

    def preview(self, dataset_id: str, rows: int = 50) -> pd.DataFrame:
        """Return the first `rows` rows of a data set, without reading the others."""
        if not self._owns(dataset_id):
            raise _not_found(dataset_id)
        with parquet.ParquetFile(self._table_path(dataset_id)) as file:
            first = next(file.iter_batches(batch_size=rows), None)
            return to_frame(file.schema_arrow.empty_table() if first is None else pa.Table.from_batches([first]))

    def list(self) -> tuple[Dataset, ...]:
        """Return the data sets that this version can read, newest first."""
        if not self._root.is_dir():
            return ()
        found = (
            self._stored(path.name)
            for path in self._root.iterdir()
            if _ID.fullmatch(path.name) and self._owns(path.name)
        )
        known = [dataset for dataset in found if dataset is not None]
        return tuple(sorted(known, key=lambda dataset: (dataset.created, dataset.id), reverse=True))

    def delete(self, dataset_id: str) -> None:
        """Remove a data set; `NotFoundError` if it isn't there. The table itself stays while others have it too."""
        if not self._owns(dataset_id):
            raise _not_found(dataset_id)
        folder = self.folder(dataset_id)
        if self._owner is not None:
            (folder / _OWNERS / _file_name(self._owner)).unlink(missing_ok=True)
            if any((folder / _OWNERS).glob("*")):
                return
        if not folder.is_dir():
            raise _not_found(dataset_id)
        self._discard(folder)

    def _discard(self, folder: Path) -> None:
        bin_folder = Path(tempfile.mkdtemp(prefix=".deleted-", dir=self._root))
        try:
            # Moving is one step: nobody ever sees a data set with half its files.
            folder.rename(bin_folder / folder.name)
        except FileNotFoundError as exc:
            raise _not_found(folder.name) from exc
        finally:
            shutil.rmtree(bin_folder, ignore_errors=True)

    def _own(self, dataset_id: str) -> None:
        """Note that the data set belongs to this owner too."""
        if self._owner is not None:
            owners = self.folder(dataset_id) / _OWNERS
            owners.mkdir(exist_ok=True)
            (owners / _file_name(self._owner)).touch()

    def _owns(self, dataset_id: str) -> bool:
        owners = self.folder(dataset_id) / _OWNERS
        # One that was stored before data sets had owners belongs to the one local user there was.
        return self._owner is None or not owners.is_dir() or (owners / _file_name(self._owner)).exists()

    def _table_path(self, dataset_id: str) -> Path:
        path = self.folder(dataset_id) / _TABLE
        if not path.is_file():
            raise _not_found(dataset_id)
        return path

    def _stored(self, dataset_id: str) -> Dataset | None:
        try:
            return self._read(dataset_id)
        except (NotFoundError, TableError):
            return None

    def _write(self, dataset: Dataset, table: pa.Table, content: bytes) -> Dataset:
        self._root.mkdir(parents=True, exist_ok=True)
        folder = self.folder(dataset.id)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=self._root))
        try:
            parquet.write_table(table, part / _TABLE, compression="zstd", row_group_size=_ROW_GROUP)
            with pa.output_stream(part / _SOURCE, compression="zstd") as file:
                file.write(content)
            (part / _PROFILE).write_text(dataset.model_dump_json(indent=1), "utf-8")
            part.chmod(0o755)
            if folder.exists() and self._stored(dataset.id) is None:
                self._discard(folder)
            try:
                part.rename(folder)
            except OSError:
                # The same file was added by somebody else in the meantime: theirs stays.
                return self._read(dataset.id)
            return dataset
        finally:
            shutil.rmtree(part, ignore_errors=True)


def read_dataset(source: Source, name: str = "", reading: Reading = GUESS_ALL) -> tuple[Dataset, pd.DataFrame]:
    """Read and profile a table file without keeping it; for parameters and errors see `DatasetStore.add`.

    Returns
    -------
    tuple of (Dataset, pandas.DataFrame)
        Its profile, and its rows as `DatasetStore.table` returns them.
    """
    dataset, table = _described(read_bytes(source), _plain_name(name or _own_name(source)), reading)
    return dataset, to_frame(table)


def identifier_of(content: bytes, reading: Reading = GUESS_ALL) -> str:
    """Return the identifier of a file's table; the same file read in another way is another table."""
    said = b"" if reading == GUESS_ALL else b"\0" + reading.model_dump_json(exclude_none=True).encode()
    return hashlib.sha256(content + said).hexdigest()[:16]


def _own_name(source: Source) -> str:
    return str(source) if isinstance(source, str | Path) else ""


def _described(content: bytes, name: str, reading: Reading) -> tuple[Dataset, pa.Table]:
    raw = read_table(content, reading)
    columns = type_columns(raw, day_first=reading.day_first)
    table = arrow_table(columns)
    dataset = Dataset(
        id=identifier_of(content, reading),
        name=name,
        file_bytes=len(content),
        rows=table.num_rows,
        columns=tuple(profile(column) for column in columns),
        duplicate_rows=int(to_frame(table).duplicated().sum()),
        dialect=raw.dialect,
        reading=reading,
    )
    return dataset, table


def _plain_name(name: str) -> str:
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable()).strip() or "table"


def _file_name(owner: str) -> str:
    # The name of an owner may hold anything; in hexadecimal it is a file name everywhere.
    return owner.encode().hex()


def _not_found(dataset_id: str) -> NotFoundError:
    return NotFoundError(f"There is no data set {dataset_id[:40]}.", "It may have been deleted; add its file again.")
