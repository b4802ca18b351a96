"""The processes that read files: what they hand back, their limits, and what is said when one dies."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.feather
import pytest

from dlreg_core.cleaning.raw_rows import read_raw_rows
from dlreg_core.errors import ConflictError, NotFoundError, TableError, WorkError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.formats import library_errors
from dlreg_core.ingest.uploads.upload_receiver import Uploads
from dlreg_core.jobs.reading import reader_client, reader_process, upload_reading
from dlreg_core.jobs.reading.handed_files import ReaderBackedStore
from dlreg_core.jobs.reading.reader_client import Readers
from dlreg_core.jobs.reading.reader_limits import memory_limit, time_limit
from dlreg_core.runs import RunFolder
from dlreg_core.settings import Settings
from dlreg_core.specs import Reading
from tests.conftest import small_table, wait_for

CSV = small_table().to_csv(index=False).encode()
ANSWER = "print('ready', flush=True); line = input(); "


@pytest.fixture(scope="module")
def shared() -> Iterator[Readers]:
    """Return readers whose process is started once for all tests."""
    made = Readers()
    yield made
    made.close()


@pytest.fixture
def handed(home: Path, shared: Readers) -> ReaderBackedStore:
    return ReaderBackedStore(home, "ann", shared)


def speaking(code: str) -> Callable[[IO[bytes]], subprocess.Popen[bytes]]:
    """Return what starts a process that does something else in place of reading."""

    def start(log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    return start


def test_what_is_handed_in_becomes_the_data_set_that_it_would_be_here(home: Path, handed: ReaderBackedStore) -> None:
    dataset = handed.add(CSV, "../houses.csv")
    assert dataset.name == "houses.csv"
    assert DatasetStore(home, "ann").get(dataset.id) == dataset
    assert DatasetStore(home, "bob").list() == ()
    here = DatasetStore(home / "other").add(CSV, "houses.csv")
    assert dataset.model_dump(exclude={"created"}) == here.model_dump(exclude={"created"})
    assert not list((home / "uploads").iterdir()), "nothing of the file is left beside the data set"


def test_a_file_is_read_again_with_a_preview(home: Path, handed: ReaderBackedStore) -> None:
    dataset = handed.add(b"a;b\n1,5;x\n2,5;y\n", "t.csv")
    said = Reading(decimal=".", header="none")
    store = DatasetStore(home, "ann")
    pd.testing.assert_frame_equal(handed.preview_again(dataset.id, said), store.preview_again(dataset.id, said))
    again = handed.read_again(dataset.id, said)
    assert (again.id != dataset.id, again.rows, again.reading) == (True, 3, said)


def test_an_own_test_file_is_read_as_its_table_is(handed: ReaderBackedStore) -> None:
    table = handed.add(b"d,y\n13/02/2024,1\n14/02/2024,2\n", "table.csv")
    own = handed.add_own_test(b"d,y\n01/02/2024,1\n02/02/2024,2\n", "test.csv", table)
    assert own.column("d").day_first is True


def test_raw_rows_arrive_as_they_were_read(trained: RunFolder, home: Path, shared: Readers) -> None:
    from dlreg_core.evaluation.kept_models import load_cleaner

    moment = pd.Timestamp("2024-05-01 10:00:00.5")
    table = small_table(20).drop(columns="price")
    texts: list[Any] = ["x", None] * 10
    table = table.assign(flag=True, text=texts, gaps=[1.5, np.nan] * 10, whole=2**53, moment=moment)
    feather = pa.BufferOutputStream()
    pyarrow.feather.write_feather(pa.table(table), feather)
    for content in (table.to_csv(index=False).encode(), feather.getvalue().to_pybytes()):
        here = read_raw_rows(content, load_cleaner(trained).schema_)
        there = ReaderBackedStore(home, None, shared).raw_rows(content, trained)
        pd.testing.assert_frame_equal(there, here)
        assert there.attrs == here.attrs


def test_what_is_wrong_with_a_file_comes_back_as_the_same_error(handed: ReaderBackedStore) -> None:
    with pytest.raises(TableError, match="Line 3 has 1 field") as caught:
        handed.add(b"a,b\n1,2\n3\n4,5\n", "t.csv")
    assert caught.value.hint
    with pytest.raises(NotFoundError, match="no data set"):
        handed.read_again("0" * 16, Reading())


def test_a_file_that_takes_too_much_memory_is_told_and_the_next_one_is_read(
    handed: ReaderBackedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    feather = pa.BufferOutputStream()
    pyarrow.feather.write_feather(pa.table({name: np.zeros(6_000_000) for name in "ab"}), feather, compression="zstd")
    content = feather.getvalue().to_pybytes()
    assert len(content) < 200_000
    monkeypatch.setenv("DLREG_READER_MEMORY_MB", "64")
    # So little is less than the process itself holds: only its own limit counts.
    monkeypatch.setattr(reader_client._Watch, "_look", lambda _self: None)
    with pytest.raises(TableError, match=r"took more than 0\.0625 GB of memory"):
        handed.add(content, "bomb.feather")
    monkeypatch.delenv("DLREG_READER_MEMORY_MB")
    assert handed.add(CSV, "houses.csv").rows == 240


def test_memory_is_watched_from_outside_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_READER_MEMORY_MB", "50")
    greedy = Readers(
        speaking(ANSWER + "held = [bytes(1_000_000) + bytes([1]) * 1_000_000 for _ in range(3000)]; input()")
    )
    with pytest.raises(TableError, match="of memory"):
        greedy.ask({"do": "add"}, 0)


def test_time_is_limited(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_client, "time_limit", lambda _size: 0.2)
    slow = Readers(speaking(ANSWER + "input()"))
    with pytest.raises(TableError, match="longer than 0 minutes"):
        slow.ask({"do": "add"}, 0)
    assert slow.processes() == ()
    assert time_limit(100) == pytest.approx(120, abs=1)
    assert time_limit(100) < time_limit(10**6) < 300 < time_limit(10**7) < time_limit(10**9)


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("import os; os.abort()", TableError, "broke down over it"),
        ("import os, sys; sys.stderr.write('memory allocation of 9 bytes failed'); sys.stderr.flush(); os.abort()",
         TableError, "of memory"),
        ("import os; os.kill(os.getpid(), 9)", WorkError, "ended from outside"),
        ("print('Exception', flush=True)", WorkError, "can't be understood"),
    ],
)  # fmt: skip
def test_a_death_is_one_sentence(home: Path, code: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        Readers(speaking(ANSWER + code)).ask({"do": "add"}, 0)


def test_one_that_can_not_be_started_is_said(home: Path) -> None:
    with pytest.raises(WorkError, match="could not be started"):
        Readers(speaking("raise SystemExit(1)")).ask({"do": "add"}, 0)


def test_not_more_than_two_files_are_read_at_a_time(home: Path, tmp_path: Path) -> None:
    code = f"""
import os, time
print('ready', flush=True)
while True:
    try: input()
    except EOFError: break
    open({str(tmp_path)!r} + f'/began-{{os.getpid()}}', 'w').close()
    while not os.path.exists({str(tmp_path / "go")!r}): time.sleep(0.01)
    print('{{}}', flush=True)
"""
    made = Readers(speaking(code))
    asking = [threading.Thread(target=made.ask, args=({"do": "add"}, 0)) for _ in range(6)]
    for thread in asking:
        thread.start()
    wait_for(lambda: len(list(tmp_path.glob("began-*"))) == 2)
    assert len(made.processes()) == 2
    (tmp_path / "go").touch()
    for thread in asking:
        thread.join(30)
    wait_for(lambda: len(made.processes()) == 1)
    assert len(list(tmp_path.glob("began-*"))) <= 3, "one process reads several files"
    made.close()
    assert made.processes() == ()


def test_one_stands_by_and_another_follows_it_when_it_dies(home: Path) -> None:
    made = Readers(speaking(ANSWER + "print('{}', flush=True); input()"))
    made.prepare()
    made.prepare()
    (pid,) = made.processes()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: made.processes() == ())
    assert made.ask({"do": "add"}, 0) == {}
    (other,) = made.processes()
    made.close()
    wait_for(lambda: not psutil.pid_exists(other))


def test_a_file_that_arrived_is_told_of_when_its_reader_dies(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_reading, "open_readers", lambda: Readers(speaking(ANSWER + "import os; os.abort()")))
    arrivals = Uploads(home)
    ticket = arrivals.issue("ann", 10_000)
    with arrivals.receive(ticket, "t.csv", None) as receiver:
        receiver.write(CSV[:5000])
        folder = receiver.finish(None)
    upload_reading.start_reading(folder)
    assert arrivals.state(ticket).done == "Waiting for other files" or arrivals.state(ticket).has_ended
    wait_for(lambda: arrivals.state(ticket).has_ended)
    assert "broke down over it" in arrivals.state(ticket).message
    wait_for(lambda: not (folder / "file").exists())


def test_large_files_leave_a_place_for_small_ones(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go = [], threading.Event()

    class Waiting:
        def ask(self, request: dict[str, str], size: int) -> None:
            asked.append(request["folder"])
            go.wait(30)

    monkeypatch.setattr(upload_reading, "open_readers", Waiting)
    arrivals = Uploads(home)
    for _ in range(3):
        ticket = arrivals.issue("ann", 10_000)
        with arrivals.receive(ticket, "t.csv", None) as receiver:
            receiver.write(CSV[:5000])
            upload_reading.start_reading(receiver.finish(None))
    wait_for(lambda: len(asked) == 1)
    assert arrivals.state(ticket).done == "Waiting for other files"
    go.set()
    wait_for(lambda: len(asked) == 3)


def test_a_full_queue_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_client, "_MOST_WAITING", 0.01)
    made = Readers(speaking(ANSWER + "input()"), most=1)

    def ask() -> None:
        with pytest.raises(WorkError):
            made.ask({"do": "add"}, 0)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(lambda: len(made.processes()) == 1)
    with pytest.raises(ConflictError, match="Too many files"):
        made.ask({"do": "add"}, 0)
    (pid,) = made.processes()
    os.kill(pid, signal.SIGKILL)
    asking.join(30)


def test_the_memory_allowed_follows_the_machine() -> None:
    assert 1.5 * 1024**3 <= memory_limit(Settings()) <= 4 * 1024**3
    assert memory_limit(Settings(reader_memory_mb=100)) == 100 * 1024**2


def test_whatever_a_library_raises_is_ours() -> None:
    class PanicException(BaseException):
        """What libraries written in Rust raise."""

    for raised in (ValueError("x"), KeyError("x"), PanicException("x"), OSError("x"), RecursionError(), MemoryError()):
        with pytest.raises(TableError) as caught, library_errors.said_plainly():
            raise raised
        assert caught.value.__cause__ is raised
    for kept in (OSError(28, "full"), KeyboardInterrupt(), WorkError("x")):
        with pytest.raises(type(kept)), library_errors.said_plainly():
            raise kept


def test_a_full_disk_says_nothing_about_the_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pa, "output_stream", full)
    (tmp_path / "t.csv").write_bytes(CSV)
    request = {"do": "add", "home": str(home), "owner": None, "path": str(tmp_path / "t.csv"), "name": "t", "memory": 1}
    told = reader_process.answered(request)
    assert (told["error"], told["kind"]) == ("The server's disk is full.", "WorkError")
