from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dlreg_core.errors import ScorerError
from dlreg_core.jobs.dataset_service import DatasetService
from dlreg_core.runs import RunFolder
from dlreg_core.scoring.bulk import model_file_path
from dlreg_core.specs import DataHeld, Exported
from pages._ui.shared import services
from tests.pages.opening import copied, labels, opened, store_of, texts


class FakeScorer:
    """Writes a file that is no model."""

    made = 0

    def export(self, run: RunFolder, model: str | None, target: Path, *, with_rows: bool = True) -> Exported:
        type(self).made += 1
        target.write_bytes(b"zip")
        return Exported(
            path=str(target),
            model=str(model),
            size_mb=3.1,
            sha256=hashlib.sha256(b"zip").hexdigest(),
            members=("predict.py", "manifest.json", "model/a.pkl", "runtime/dlreg_core/__init__.py"),
            reference_rows=5,
            max_relative_difference=2e-7,
            held=DataHeld(reference_rows=5 if with_rows else 0, levels={"place": 3}),
        )


class BrokenScorer:
    def export(self, run: RunFolder, model: str | None, target: Path, *, with_rows: bool = True) -> Exported:
        raise ScorerError("The model file predicts its reference rows differently.", "It was not written.")


@pytest.fixture
def run(trained: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Return a copy of the trained run, with a scorer that starts no process."""
    monkeypatch.setattr(FakeScorer, "made", 0)
    monkeypatch.setattr(services, "scorer", FakeScorer)
    return copied(trained, home)


def test_without_a_run_the_page_leads_to_one(home: Path) -> None:
    app = opened("export")
    assert not app.exception
    assert labels(app) == ["Train networks"]


def test_the_file_is_made_once_and_described(run: RunFolder) -> None:
    app = opened("export", run=run.id)
    assert not app.exception
    words = texts(app)
    assert "5 reference rows" in words
    assert "works without this app" in words
    assert app.code[0].value == hashlib.sha256(b"zip").hexdigest()
    assert any("predict.py rows.csv out.csv" in code.value for code in app.code)
    app.run()
    assert FakeScorer.made == 1


def test_a_baseline_has_a_file_of_its_own(run: RunFolder) -> None:
    opened("export", run=run.id)
    app = opened("export", run=run.id, model="Ridge regression")
    assert not app.exception
    assert FakeScorer.made == 2
    assert model_file_path(run, "Ridge regression").name.endswith("-ridge-regression.zip")


def test_what_it_holds_of_the_data_is_said_and_rows_can_be_left_out(run: RunFolder) -> None:
    app = opened("export", run=run.id)
    words = texts(app)
    assert "5 test rows are in it" in words
    assert "Values that occur: 3 of place." in words
    app.checkbox[0].check().run()
    assert not app.exception
    words = texts(app)
    assert "No rows are in it to test itself with" in words
    assert "5 test rows came out as they should" in words
    assert FakeScorer.made == 2
    assert "-no-rows.zip" in "\n".join(code.value for code in app.code)


def test_where_the_data_was_deleted_there_are_no_rows_to_put_in(run: RunFolder) -> None:
    DatasetService(store_of(run.home)).delete(run.experiment().dataset_id, "keep")
    app = opened("export", run=run.id)
    assert not app.exception
    assert app.checkbox[0].disabled
    assert "No rows are in it to test itself with" in texts(app)


def test_a_file_that_fails_its_check_is_not_offered(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "scorer", BrokenScorer)
    app = opened("export", run=run.id)
    assert not app.exception
    assert "predicts its reference rows differently" in texts(app)
    assert not model_file_path(run, run.result().best_model).exists()  # type: ignore[union-attr]
