"""Where uploaded tables are kept: once, under the hash of their content, and read-only from then on.

::

    HOME/datasets/<id>/data.parquet    the typed table
    HOME/datasets/<id>/dataset.json    the Dataset: name, dialect and profile
    HOME/datasets/<id>/sample.parquet  some of its rows, where it is a large one
    HOME/datasets/<id>/source.zst      the file as it came, packed, so that it can be read in another way
    HOME/datasets/<id>/owners/<hex>    an empty file for each owner, named after them in hexadecimal
    HOME/datasets/<id>/opened          an empty file, as old as the last time that somebody opened it

Two people who upload the same file share its folder without knowing of each other.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.errors import NotFoundError, TableError, WorkError
from dlreg_core.ingest.batches import ReadingProgress, Scan, scan_file
from dlreg_core.ingest.batches.row_sampling import sampled_rows
from dlreg_core.ingest.datasets.dataset_files import (
    RAW,
    SAMPLE,
    SOURCE,
    TABLE,
    first_rows,
    identifier_of,
    note_opened,
    own_name,
    plain_name,
    quietly,
    read_profile,
    write_large,
    write_small,
)
from dlreg_core.ingest.datasets.parquet_rows import all_rows, chosen_rows, missing_values, top_rows
from dlreg_core.ingest.datasets.upload_limits import check_source
from dlreg_core.ingest.formats.compression import unpacked
from dlreg_core.ingest.formats.large_files import LARGE, pack, reads_in_pieces, unpacked_again
from dlreg_core.ingest.formats.library_errors import said_plainly
from dlreg_core.ingest.formats.raw_table import GUESS_ALL, Source, read_bytes
from dlreg_core.specs import Dataset, Reading

Columns = list[str]
_ID = re.compile(r"[0-9a-f]{16}")
_OWNERS = "owners"


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

    @said_plainly()
    def add(self, source: Source, name: str = "", reading: Reading = GUESS_ALL) -> Dataset:
        """Read a table file and keep it.

        Parameters
        ----------
        source : Path, str, bytes or binary file object
            A table file as `read_table` takes it, or its content. A large one that is named by its path is never held
            whole in memory.
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
        InputError
            If it is larger than the administrator allows.
        """
        if isinstance(source, str | Path):
            check_source(source)
            if reads_in_pieces(source):
                dataset = self.add_large(Path(source), name, reading)
                self.keep_source(dataset.id, Path(source))
                return dataset
        content = read_bytes(source)
        if not isinstance(source, str | Path):
            check_source(content)
        if reads_in_pieces(content):
            with self._spooled(content) as path:
                return self.add(path, name or "table", reading)
        dataset_id = identifier_of(hashlib.sha256(content).hexdigest(), reading)
        return self._stored_or(
            dataset_id,
            lambda part: write_small(part, content, plain_name(name or own_name(source)), dataset_id, reading),
        )

    @said_plainly()
    def add_large(
        self,
        path: Path,
        name: str = "",
        reading: Reading = GUESS_ALL,
        *,
        scan: Scan | None = None,
        progress: ReadingProgress = quietly,
    ) -> Dataset:
        """Read a table file piece by piece, as `add` does with large ones; the file isn't kept until `keep_source`.

        Parameters
        ----------
        path : Path
            The file.
        name : str
            What to call it; without it, the name of the file.
        reading : Reading
            What a person said about how to read it.
        scan : Scan, optional
            What its bytes tell, where they have been looked at already.
        progress : callable
            Is told what is done, and which share of it is finished.
        """
        check_source(path)
        if not reads_in_pieces(path):
            return self.add(path, name, reading)
        known = scan or scan_file(path, lambda seen: progress("Checking the file", seen / path.stat().st_size))
        dataset_id = identifier_of(known.digest, reading)
        return self._stored_or(
            dataset_id,
            lambda part: write_large(part, path, known, plain_name(name or path.name), dataset_id, reading, progress),
        )

    def keep_source(self, dataset_id: str, path: Path) -> None:
        """Keep the file that a data set was read from by `add_large`, packed."""
        folder = self.folder(dataset_id)
        unpacked_one = folder / RAW
        if not (folder / SOURCE).exists():
            pack(unpacked_one if unpacked_one.exists() else path, folder / SOURCE)
        unpacked_one.unlink(missing_ok=True)

    @said_plainly()
    def read_again(self, dataset_id: str, reading: Reading) -> Dataset:
        """Read a data set's file in another way; what comes of it is a data set of its own, under the same name."""
        name, kept = self.get(dataset_id).name, self._source(dataset_id)
        with tempfile.TemporaryDirectory(prefix=".again-", dir=self._root) as place:
            with unpacked_again(kept, Path(place)) as path:
                if not reads_in_pieces(path):
                    return self.add(path, name, reading)
                again = self.add_large(path, name, reading)
            if not (self.folder(again.id) / SOURCE).exists():
                shutil.copyfile(kept, self.folder(again.id) / SOURCE)
            (self.folder(again.id) / RAW).unlink(missing_ok=True)
            return again

    @said_plainly()
    def preview_again(self, dataset_id: str, reading: Reading, rows: int = 8) -> pd.DataFrame:
        """Return the first rows of a data set's file as they come out when it is read in another way."""
        with pa.input_stream(self._source(dataset_id), compression="zstd") as file:
            start = file.read(LARGE + 1)
            if len(start) > LARGE:
                # A file that is read in pieces is text, and kept without its packing.
                return first_rows(start, reading, rows, cut=True)
            return first_rows(unpacked(start), reading, rows)

    def _source(self, dataset_id: str) -> Path:
        if not self._owns(dataset_id):
            raise _not_found(dataset_id)
        path = self.folder(dataset_id) / SOURCE
        if not path.exists():
            raise NotFoundError("The file of this data set wasn't kept.", "Add it again.")
        return path

    def get(self, dataset_id: str) -> Dataset:
        """Return a data set; `NotFoundError` if there is none, `TableError` if another version of dlreg wrote it."""
        if not self._owns(dataset_id):
            raise _not_found(dataset_id)
        return self._read(dataset_id)

    def _read(self, dataset_id: str) -> Dataset:
        try:
            return read_profile(self.folder(dataset_id))
        except FileNotFoundError as exc:
            raise _not_found(dataset_id) from exc

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
        wanted = self._columns(dataset_id, columns)
        return all_rows(self._table_path(dataset_id), wanted)

    def _columns(self, dataset_id: str, columns: Sequence[str] | None) -> Columns:
        dataset = self.get(dataset_id)
        wanted = [*(dataset.column_names if columns is None else columns)]
        absent = [name for name in wanted if name not in dataset.column_names]
        if absent:
            raise NotFoundError(f'{dataset.name} has no column "{absent[0]}".', "Choose one of its columns.")
        return wanted

    def rows(self, dataset_id: str, places: NDArray[np.int64], columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return some rows of a data set, without holding the others in memory.

        Parameters
        ----------
        dataset_id : str
            Which data set.
        places : ndarray of int64
            Places of the rows, counted from 0.
        columns : sequence of str, optional
            The columns to read; all without it.

        Returns
        -------
        pandas.DataFrame
            The rows in the order of `places`, in the types of `table`.
        """
        wanted = self._columns(dataset_id, columns)
        return chosen_rows(self._table_path(dataset_id), wanted, places)

    def sample(self, dataset_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows that stand for all: all of them, or of a large table a random choice in their order."""
        wanted, dataset = self._columns(dataset_id, columns), self.get(dataset_id)
        kept = self.folder(dataset_id) / SAMPLE
        if kept.is_file():
            return all_rows(kept, wanted)
        places = sampled_rows(dataset.rows, len(dataset.columns))
        return self.table(dataset_id, wanted) if places is None else self.rows(dataset_id, places, wanted)

    def gaps(self, dataset_id: str, columns: Sequence[str]) -> Iterator[NDArray[np.bool_]]:
        """Yield, piece by piece, what is missing in all rows: an array of shape (some rows, columns)."""
        wanted = self._columns(dataset_id, columns)
        return missing_values(self._table_path(dataset_id), wanted)

    def preview(self, dataset_id: str, rows: int = 50) -> pd.DataFrame:
        """Return the first `rows` rows of a data set, without reading the others."""
        wanted = self._columns(dataset_id, None)
        return top_rows(self._table_path(dataset_id), wanted, rows)

    def list(self) -> tuple[Dataset, ...]:
        """Return the data sets that this version can read, newest first."""
        known = [dataset for name in self.identifiers() if (dataset := self.readable(name)) is not None]
        return tuple(sorted(known, key=lambda dataset: (dataset.created, dataset.id), reverse=True))

    def identifiers(self) -> tuple[str, ...]:
        """Return all data sets, those too that can't be read."""
        names = [path.name for path in self._root.iterdir()] if self._root.is_dir() else []
        return tuple(sorted(name for name in names if _ID.fullmatch(name) and self._owns(name)))

    def held(self, dataset_id: str) -> Path:
        """Return the folder of a data set that is there, whether it can be read or not; `NotFoundError` if it isn't."""
        folder = self.folder(dataset_id)
        if not folder.is_dir() or not self._owns(dataset_id):
            raise _not_found(dataset_id)
        return folder

    def delete(self, dataset_id: str) -> None:
        """Remove a data set; `NotFoundError` if it isn't there. The table itself stays while others have it too."""
        folder = self.held(dataset_id)
        if self._owner is not None:
            (folder / _OWNERS / _file_name(self._owner)).unlink(missing_ok=True)
            if any((folder / _OWNERS).glob("*")):
                return
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
        if bin_folder.exists():
            raise WorkError(f"Some files of data set {folder.name} could not be removed.", f"Remove {bin_folder}.")

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
        path = self.folder(dataset_id) / TABLE
        if not path.is_file():
            raise _not_found(dataset_id)
        return path

    def readable(self, dataset_id: str) -> Dataset | None:
        """Return a data set; None where there is none that this version can read, whoever it belongs to."""
        try:
            return self._read(dataset_id)
        except (NotFoundError, TableError):
            return None

    def _stored_or(self, dataset_id: str, write: Callable[[Path], Dataset]) -> Dataset:
        """Return a stored data set, or what is written into a new folder: all of it or nothing."""
        found = self.readable(dataset_id) or self._written(write)
        self._own(dataset_id)
        note_opened(self.folder(dataset_id))
        return found

    @contextmanager
    def _spooled(self, content: bytes) -> Iterator[Path]:
        """Put content that came in one piece on disk, to read it piece by piece from there."""
        self._root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".spool-", dir=self._root) as place:
            path = Path(place) / "file"
            path.write_bytes(content)
            yield path

    def _written(self, write: Callable[[Path], Dataset]) -> Dataset:
        self._root.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=self._root))
        try:
            dataset = write(part)
            folder = self.folder(dataset.id)
            if folder.exists() and self.readable(dataset.id) is None:
                self._discard(folder)
            try:
                part.rename(folder)
            except OSError:
                # The same file was added by somebody else in the meantime: theirs stays.
                return self._read(dataset.id)
            return dataset
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _file_name(owner: str) -> str:
    # The name of an owner may hold anything; in hexadecimal it is a file name everywhere.
    return owner.encode().hex()


def _not_found(dataset_id: str) -> NotFoundError:
    return NotFoundError(f"There is no data set {dataset_id[:40]}.", "It may have been deleted; add its file again.")
