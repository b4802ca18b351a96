"""The Data page while a large file is on its way, and after that."""

from __future__ import annotations

from pathlib import Path

import psutil
from streamlit.testing.v1 import AppTest

from dlreg_core.ingest.uploads.upload_receiver import Upload, Uploads
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.runs.machine import born
from tests.conftest import ROOT, add_table, small_table
from tests.pages.data.test_data import texts


def waiting(home: Path, arrival: Upload) -> AppTest:
    """Open Data in a session whose large file has come so far."""
    ticket = Uploads(home).issue("local", 10_000)
    write_spec(home / "uploads" / ticket / "arrival.json", arrival)
    app = AppTest.from_file(str(ROOT / "pages" / "_ui" / "router.py"), default_timeout=60)
    app.session_state["kept_large_waiting"] = ticket
    return app.run()


def test_how_far_it_has_come_is_shown(home: Path) -> None:
    me = psutil.Process()
    arrival = Upload(name="large.csv", done="Reading the rows", share=0.4, pid=me.pid, process_born=born(me.pid))
    app = waiting(home, arrival)
    assert not app.exception
    (bar,) = app.get("progress")
    assert (bar.proto.value, bar.proto.text.replace("\\", "")) == (40, "large.csv: reading the rows")


def test_what_is_wrong_is_said_and_stays_until_another_file_comes(home: Path) -> None:
    app = waiting(home, Upload(name="large.csv", message="Line 7 has 2 fields.", hint="Correct it."))
    assert [error.value.replace("\\", "") for error in app.error] == ["Line 7 has 2 fields. Correct it."]
    assert [error.value.replace("\\", "") for error in app.run().error] == ["Line 7 has 2 fields. Correct it."]


def test_its_data_set_is_opened(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = waiting(home, Upload(name="houses.csv", dataset_id=dataset.id))
    assert not app.exception
    assert app.query_params["dataset"] == dataset.id
    assert "houses.csv: 240 rows × 6 columns" in texts(app)
    assert not app.error


def test_a_ticket_that_is_gone_is_said(home: Path) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "_ui" / "router.py"), default_timeout=60)
    app.session_state["kept_large_waiting"] = "x" * 32
    app.run()
    assert "isn't known any more" in app.error[0].value
