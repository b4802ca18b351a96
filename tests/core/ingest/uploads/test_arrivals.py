"""Large files on their way from a browser to a data set."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlreg_core.errors import ConflictError, InputError, NotFoundError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.formats import large_files
from dlreg_core.ingest.uploads.arrived_file import read_arrived
from dlreg_core.ingest.uploads.upload_receiver import Upload, Uploads
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.runs.machine import boot_id
from dlreg_core.specs import Instant

ROWS = b"size,place,price\n" + b"".join(b"%d,north,%d\n" % (i, 2 * i) for i in range(60))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def sent(home: Path, content: bytes = ROWS, name: str = "big.csv", owner: str | None = None) -> tuple[str, Path]:
    """Send a file, and return its ticket and folder."""
    arrivals = Uploads(home)
    ticket = arrivals.issue(owner, 10_000_000)
    with arrivals.receive(ticket, name, len(content)) as receiver:
        for at in range(0, len(content), 100):
            receiver.write(content[at : at + 100])
        return ticket, receiver.finish(len(content))


@pytest.mark.parametrize("size", [-1, 10**9])
def test_a_file_becomes_a_data_set_of_its_owner(home: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(large_files.reads_in_pieces, "__defaults__", (size,))
    ticket, folder = sent(home, owner="ann")
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    read_arrived(folder)
    # The process reads others' files after it.
    assert os.getpriority(os.PRIO_PROCESS, 0) == priority
    state = Uploads(home).state(ticket)
    assert (state.name, state.message) == ("big.csv", "")
    dataset = DatasetStore(home, "ann").get(state.dataset_id)
    assert (dataset.name, dataset.rows) == ("big.csv", 60)
    assert DatasetStore(home, "bob").list() == ()
    again = DatasetStore(home, "ann").add(ROWS, "big.csv")
    assert again.id == dataset.id, "the same file is the same data set, however it came"
    assert len(DatasetStore(home, "ann").preview_again(dataset.id, dataset.reading)) == 8
    Uploads(home).forget(ticket)
    assert not folder.exists()


def test_what_is_wrong_with_a_file_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_files.reads_in_pieces, "__defaults__", (-1,))
    ticket, folder = sent(home, ROWS + b"1,2\n")
    read_arrived(folder)
    state = Uploads(home).state(ticket)
    assert state.message == "Line 62 has 2 fields, but the first line has 3 fields."
    assert not (folder / "file").exists()
    assert not list((home / "datasets").glob("*"))


def test_a_ticket_is_good_for_one_file(home: Path) -> None:
    ticket, _ = sent(home)
    with pytest.raises(ConflictError, match="used before"):
        Uploads(home).receive(ticket, "again.csv", 5)


@pytest.mark.parametrize("ticket", ["", "../../etc", "x" * 32, "a/b"])
def test_an_unknown_ticket_is_refused(home: Path, ticket: str) -> None:
    with pytest.raises(NotFoundError, match="isn't known"):
        Uploads(home).receive(ticket, "t.csv", 5)


def test_a_file_that_is_too_large_is_refused_before_and_while_it_comes(home: Path) -> None:
    arrivals = Uploads(home)
    with pytest.raises(InputError, match="larger than 1 MB"):
        arrivals.receive(arrivals.issue(None, 1024**2), "t.csv", 2 * 1024**2)
    ticket = arrivals.issue(None, 1000)
    with pytest.raises(InputError, match="larger than"), arrivals.receive(ticket, "t.csv", None) as receiver:
        receiver.write(b"x" * 2000)
    assert not (home / "uploads" / ticket).exists(), "nothing is kept of half a file"


def test_half_a_file_is_not_kept(home: Path) -> None:
    arrivals = Uploads(home)
    ticket = arrivals.issue(None, 10_000)
    with pytest.raises(InputError, match="didn't arrive whole"), arrivals.receive(ticket, "t.csv", 500) as receiver:
        receiver.write(b"a,b\n")
        receiver.finish(500)
    assert not (home / "uploads" / ticket).exists()


def test_no_room_on_the_disk_is_said(home: Path) -> None:
    arrivals = Uploads(home)
    with pytest.raises(InputError, match="no room"):
        arrivals.receive(arrivals.issue(None, 10**18), "t.csv", 10**17)


def test_a_reading_process_that_is_gone_has_ended(home: Path) -> None:
    ticket, folder = sent(home)
    assert not Uploads(home).state(ticket).has_ended, "it is being started"
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    write_spec(folder / "arrival.json", Upload(name="big.csv", pid=child.pid, process_born="an earlier one"))
    assert "ended before it was done" in Uploads(home).state(ticket).message
    long_ago = Instant(boot=boot_id(), ticks=time.monotonic() - 600)
    write_spec(folder / "arrival.json", Upload(name="big.csv", instant=long_ago))
    assert Uploads(home).state(ticket).has_ended, "no process ever began"
