"""The route that takes large files."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dlreg_core.api import routes_below, upload_route
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.uploads.upload_receiver import Uploads
from tests.conftest import wait_for

ROWS = b"size,place,price\n" + b"".join(b"%d,north,%d\n" % (i, 2 * i) for i in range(60))


@pytest.mark.parametrize("base", ["", "/tools/dlreg/"])
def test_a_file_is_taken_and_read(home: Path, base: str) -> None:
    client = TestClient(Starlette(routes=routes_below(base)))
    ticket = Uploads(home).issue("local", 10_000)
    address = f"{base.rstrip('/')}/api/uploads/{ticket}"
    answer = client.put(address, content=ROWS, headers={"X-File-Name": "gro%C3%9F.csv"})
    assert (answer.status_code, answer.json()) == (202, {"ticket": ticket})
    wait_for(lambda: Uploads(home).state(ticket).has_ended, 60)
    found = Uploads(home).state(ticket)
    assert found.message == ""
    assert DatasetStore(home, "local").get(found.dataset_id).name == "groß.csv"


def test_what_is_refused_is_said_in_a_sentence(home: Path) -> None:
    client = TestClient(Starlette(routes=routes_below()))
    unknown = client.put("/api/uploads/" + "x" * 32, content=ROWS)
    assert unknown.status_code == 404
    assert unknown.json()["message"] == "This upload isn't known any more."
    ticket = Uploads(home).issue("local", 100)
    large = client.put(f"/api/uploads/{ticket}", content=ROWS)
    assert large.status_code == 413
    assert "larger than" in large.json()["message"]
    assert client.get(f"/api/uploads/{ticket}").status_code == 405


def test_a_file_that_does_not_come_whole_starts_no_process(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Path] = []
    monkeypatch.setattr(upload_route, "start_reading", started.append)
    client = TestClient(Starlette(routes=routes_below()))
    ticket = Uploads(home).issue("local", 10_000)
    answer = client.put(f"/api/uploads/{ticket}", content=ROWS, headers={"Content-Length": "5000"})
    assert answer.status_code == 413
    assert "didn't arrive whole" in answer.json()["message"]
    assert started == []
    assert not (home / "uploads" / ticket).exists()
