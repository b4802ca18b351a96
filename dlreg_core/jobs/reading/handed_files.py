"""Files that people hand in: kept on disk, and read by a process of its own."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from dlreg_core.errors import WorkError
from dlreg_core.ingest.datasets import DatasetStore, check_source
from dlreg_core.jobs.reading.reader_client import Readers, open_readers
from dlreg_core.runs import RunFolder
from dlreg_core.specs import Dataset, Reading


class ReaderBackedStore:
    """What the pages do with files, in place of a `DatasetStore`, which would read them in this process.

    Parameters
    ----------
    home : Path
        The folder that `Settings.home` names.
    owner : str, optional
        Whose data sets come of it.
    readers : Readers, optional
        What reads them.
    """

    def __init__(self, home: Path, owner: str | None = None, readers: Readers | None = None) -> None:
        self._home, self._owner = home, owner
        self._store = DatasetStore(home, owner)
        self._readers = readers or open_readers()

    def add(self, content: bytes | Path, name: str) -> Dataset:
        """Read a table file and keep it; see `DatasetStore.add`.

        Parameters
        ----------
        content : bytes or Path
            The file: what it holds, or where it is.
        name : str
            What to call it.

        Raises
        ------
        TableError
            If the file is no readable table, or takes too much memory or time.
        InputError
            If it is larger than the administrator allows.
        WorkError
            If the process that reads it ended for another reason.
        """
        return self._added(content, {"do": "add", "name": name})

    def add_own_test(self, content: bytes, name: str, table: Dataset) -> Dataset:
        """Read and keep an own test file for models of a table; see `splitting.external_test.add_own_test`."""
        return self._added(content, {"do": "own_test", "name": name, "table": table.id})

    def _added(self, content: bytes | Path, request: dict[str, Any]) -> Dataset:
        check_source(content)
        with self._workplace() as place:
            path = content if isinstance(content, Path) else place / "file"
            if not isinstance(content, Path):
                path.write_bytes(content)
            answer = self._asked({**request, "path": str(path)}, path.stat().st_size)
        return self._store.get(answer["dataset"])

    def read_again(self, dataset_id: str, reading: Reading) -> Dataset:
        """Read a data set's file in another way; see `DatasetStore.read_again`."""
        size = self._store.get(dataset_id).file_bytes
        said = {"do": "again", "dataset": dataset_id, "reading": reading.model_dump(mode="json")}
        return self._store.get(self._asked(said, size)["dataset"])

    def preview_again(self, dataset_id: str, reading: Reading) -> pd.DataFrame:
        """Return the first rows of a data set's file as read in another way; see `DatasetStore.preview_again`."""
        size = self._store.get(dataset_id).file_bytes
        with self._workplace() as place:
            said = {"do": "preview", "dataset": dataset_id, "reading": reading.model_dump(mode="json")}
            self._asked({**said, "target": str(place / "rows")}, size)
            return _rows(place / "rows")

    def raw_rows(self, content: bytes, run: RunFolder) -> pd.DataFrame:
        """Return the rows of a file as the models of a run expect them; see `cleaning.raw_rows.read_raw_rows`."""
        with self._workplace() as place:
            (place / "file").write_bytes(content)
            said = {"do": "rows", "run": str(run.path), "path": str(place / "file"), "target": str(place / "rows")}
            self._asked(said, len(content))
            return _rows(place / "rows")

    def _asked(self, request: dict[str, Any], size: int) -> dict[str, Any]:
        return self._readers.ask({**request, "home": str(self._home), "owner": self._owner}, size)

    @contextmanager
    def _workplace(self) -> Iterator[Path]:
        try:
            (self._home / "uploads").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".handed-", dir=self._home / "uploads") as place:
                yield Path(place)
        except OSError as exc:
            full = exc.errno == errno.ENOSPC
            said = "The server's disk is full." if full else "The server could not keep the file."
            raise WorkError(said, "Ask its administrator.") from exc


def _rows(path: Path) -> pd.DataFrame:
    """Return the rows that the process has left, as it had them."""
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_file(file) as reader:
        rows: pd.DataFrame = reader.read_all().to_pandas()
    return rows
