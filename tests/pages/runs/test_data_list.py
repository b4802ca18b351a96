"""Data sets on the pages: which there are, deleting them, and runs whose data is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs.dataset_service import DatasetService
from dlreg_core.recipe.draft import load_draft, save_draft, start_draft
from dlreg_core.runs import RunFolder
from dlreg_core.specs import Reading
from pages._ui.runs import dataset_table
from pages._ui.shared import services
from tests.conftest import add_table, small_table
from tests.pages.opening import copied, failed_run, labels, opened, store_of, texts, waiting, widget


def asked(dataset_id: str) -> AppTest:
    """Open what asks before a data set is deleted: rows of tables can't be selected here."""

    def script(dataset_id: str) -> None:
        from pages._ui.runs import dataset_table
        from pages._ui.shared import services

        dataset_table.actions(services.run_service().data.get(dataset_id))

    return AppTest.from_function(script, default_timeout=60, args=(dataset_id,)).run()


def test_data_sets_are_listed_below_the_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_KEEP_DAYS", "30")
    run = failed_run(home)
    add_table(home, small_table(20), "lonely.csv")
    app = opened("runs", run=run.id)
    assert not app.exception
    table = app.dataframe[1].value
    assert list(table["name"]) == ["lonely.csv", "houses.csv"]
    assert list(table["rows"]) == [20, 240]
    assert list(table["used"]) == ["no run", "1 run: houses.csv → price"]
    words = texts(app)
    assert "2 data sets take" in words
    assert "Those that no run uses are deleted when nobody has opened them for 30 days." in words


def test_they_are_listed_without_a_run_too(home: Path) -> None:
    add_table(home, small_table(20))
    app = opened("runs")
    assert not app.exception
    assert list(app.dataframe[0].value["name"]) == ["houses.csv"]


def test_the_data_page_leads_there(home: Path) -> None:
    add_table(home, small_table(20))
    app = opened("data")
    assert not app.exception
    assert any("See and delete all data sets" in str(link.proto) for link in app.get("page_link"))


def test_one_that_no_run_uses_is_deleted_at_once(home: Path) -> None:
    dataset = add_table(home, small_table(20))
    again = DatasetStore(home).read_again(dataset.id, Reading(header="none"))
    app = asked(dataset.id)
    assert not app.exception
    assert not app.radio
    assert "The same file is kept once more, read in another way, and that stays." in texts(app)
    widget(app.button, "Delete data set").click().run()
    assert DatasetStore(home).identifiers() == (again.id,)


def test_what_was_prepared_is_forgotten(home: Path) -> None:
    dataset = add_table(home, small_table())
    assert "Forget what was prepared" not in labels(asked(dataset.id))
    draft = start_draft(dataset)
    assert draft is not None
    save_draft(home, "local", dataset.id, draft.changed(target="area"))
    app = asked(dataset.id)
    app.session_state["draft"] = {(dataset.id, "draft"): draft, ("another", "draft"): draft}
    widget(app.button, "Forget what was prepared").click().run()
    assert not app.exception
    assert app.session_state["draft"] == {("another", "draft"): draft}
    assert load_draft(home, "local", dataset.id) is None
    assert DatasetStore(home).identifiers() == (dataset.id,)


@pytest.mark.parametrize("keep", [False, True])
def test_what_becomes_of_the_runs_is_chosen(home: Path, keep: bool) -> None:
    run = failed_run(home)
    app = asked(run.experiment().dataset_id)
    assert not app.exception
    assert "Used by 1 run: houses" in app.radio[0].label.replace("\\", "")
    captions = "".join(app.radio[0].proto.captions).replace("\\", "")
    assert "nothing of its rows is left here" in captions
    assert "hold values of its rows" in captions
    assert widget(app.button, "Delete data set").disabled
    app.radio[0].set_value("keep" if keep else "delete").run()
    assert "Open" in labels(app)
    widget(app.button, "Delete data set" if keep else "Delete it and 1 run").click().run()
    assert not DatasetStore(home).identifiers()
    assert run.path.exists() is keep


def test_a_run_that_waits_is_in_the_way(home: Path) -> None:
    task = waiting(home)
    app = asked(task.run.experiment().dataset_id)
    app.radio[0].set_value("delete").run()
    widget(app.button, "Delete it and 1 run").click().run()
    assert not app.exception
    assert "still needs this data" in texts(app)
    assert DatasetStore(home).identifiers()


def test_what_is_remembered_of_a_table_does_not_outlive_it(home: Path) -> None:
    dataset = add_table(home, small_table(20))
    app = opened("data", dataset=dataset.id)
    assert "20 rows" in texts(app)
    # By another process, which this server's memory knows nothing of.
    DatasetService(store_of(home), "local").delete(dataset.id)
    app.run()
    assert not app.exception
    assert "That data set is not here any more" in texts(app)


@pytest.fixture
def alone(trained: RunFolder, home: Path) -> RunFolder:
    """Return a trained run whose data was deleted."""
    run = copied(trained, home)
    DatasetService(store_of(home), "local").delete(run.experiment().dataset_id, "keep")
    return run


@pytest.mark.parametrize("page", ["leaderboard", "diagnostics", "explain", "train", "runs"])
def test_pages_of_a_run_without_its_data_show_what_is_left(page: str, alone: RunFolder) -> None:
    app = opened(page, run=alone.id)
    assert not app.exception
    assert not app.error
    if page not in ("leaderboard", "runs"):
        assert "The data of this run was deleted" in texts(app)
    assert not [label for label in labels(app) if label.startswith(("Explain ", "Continue for", "Train again"))]


def test_predicting_goes_on_without_the_data(alone: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    from dlreg_core.scoring.client import Scored

    monkeypatch.setattr(services, "predict_row", lambda run_id, model, row: Scored(predictions=(300.0,)))
    app = opened("predict", run=alone.id)
    assert not app.exception
    assert not app.error
    assert "$300" in texts(app)


def test_explanations_can_be_deleted_alone(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    result = run.result()
    assert result is not None
    assert services.explanation(run.id, result.best_model) is not None
    app = opened("runs", run=run.id)
    widget(app.button, "Delete its explanations only").click().run()
    assert not app.exception
    assert "Deleted 1 explanation of" in app.toast[0].value.replace("\\", "")
    assert services.explanation(run.id, result.best_model) is None
    assert "is not explained on many rows yet" in texts(opened("explain", run=run.id))


def test_its_table_is_made_of_what_is_there(home: Path) -> None:
    dataset = add_table(home, small_table(20))
    (home / "datasets" / dataset.id / "dataset.json").write_text("{")
    table = dataset_table.table_of(services.run_service().data.list())
    assert list(table["name"]) == ["can't be read"]
    assert table["rows"].isna().all()
