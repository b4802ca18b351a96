"""What was deleted is gone from every file of the home: a row's text and number are searched for in all of them."""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.cleaning import fit_cleaner
from dlreg_core.errors import ConflictError, NotFoundError, RecipeError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.uploads.arrived_file import read_arrived
from dlreg_core.ingest.uploads.upload_receiver import Uploads
from dlreg_core.jobs import Dispatcher
from dlreg_core.jobs.dataset_service import DatasetService
from dlreg_core.pipeline.fitted_pipeline import save_pipeline
from dlreg_core.pipeline.pipeline_spec import PipelineModel, PipelineSpec
from dlreg_core.recipe.draft import Draft, load_draft, save_draft
from dlreg_core.runs import (
    Explanation,
    PartPredictions,
    RunFolder,
    RunStore,
    find_explanation,
    save_explanation,
    save_predictions,
)
from dlreg_core.settings import Settings
from dlreg_core.specs import (
    Cleaning,
    Dataset,
    Done,
    Experiment,
    ExplainRequest,
    ExplainResult,
    Recipe,
    RunState,
    Split,
    TaskKind,
    TrainPlan,
)
from dlreg_core.splitting import own_test_table, prepared_of
from tests.conftest import small_table, wait_until_ended
from tests.hostile.helpers.traces import NUMBER, TEXT, traces

OWNER = "local"


def table(rows: int = 120) -> pd.DataFrame:
    """Return a table of which one row holds what is searched for."""
    found = small_table(rows).assign(remark=[f"note {n}" for n in range(rows)])
    found.loc[7, "remark"] = TEXT
    found.loc[7, "size"] = NUMBER
    found.loc[7, "price"] = NUMBER
    found.loc[8, "remark"] = TEXT
    return found


def uploaded(home: Path) -> Dataset:
    """Send a table as a browser sends a large file, have it read, and keep a draft of it; the note of it is left."""
    arrivals = Uploads(home)
    ticket = arrivals.issue(OWNER, 10**7)
    content = table().to_csv(index=False).encode()
    with arrivals.receive(ticket, f"{TEXT}.csv", len(content)) as receiver:
        receiver.write(content)
        folder = receiver.finish(len(content))
    read_arrived(folder)
    dataset = DatasetStore(home, OWNER).get(arrivals.state(ticket).dataset_id)
    # What a server leaves that was killed while it handed a file on.
    (home / "uploads" / ".handed-x").mkdir()
    (home / "uploads" / ".handed-x" / "file").write_bytes(content)
    draft = Draft(target="price", cleaning=Cleaning(merged_labels={"remark": {TEXT: "other"}}))
    save_draft(home, OWNER, dataset.id, draft)
    return dataset


def experiment(dataset: Dataset) -> Experiment:
    return Experiment(
        name=f"about {TEXT}",
        owner=OWNER,
        dataset_id=dataset.id,
        dataset_name=dataset.name,
        recipe=Recipe(
            target="price",
            features=tuple(name for name in dataset.column_names if name != "price"),
            cleaning=Cleaning(impute_numbers="knn", drop_identifiers=False),
        ),
        plan=TrainPlan(models=("FEEDFORWARD",), time_limit=10.0),
    )


def worked_on(store: RunStore, dataset: Dataset) -> RunFolder:
    """Return a run whose files were written as a worker writes them, all but the networks."""
    asked = experiment(dataset)
    run = store.create(asked)
    task, prepared = run.train_task(), prepared_of(store.home, asked)
    every = pd.concat([prepared.train, prepared.validation, prepared.test])
    actual = np.concatenate([prepared.y_train, prepared.y_validation, prepared.y_test])
    places = np.concatenate([prepared.rows_train, prepared.rows_validation, prepared.rows_test])
    cleaner = fit_cleaner(every, prepared.types, asked.recipe.cleaning, prepared.day_first, prepared.written)
    mean = PipelineModel(name="Mean", family="MEAN", role="baseline", internal="MEAN")
    spec = PipelineSpec(target="price", unit="$", cleaner=cleaner, best_model="Mean", models=(mean,))
    save_pipeline(task.path / "model", spec, {"MEAN": None})
    save_predictions(task, "test", PartPredictions(places, actual, {"Mean": np.zeros(len(actual))}))
    figures = {"permutations": 0, "evaluations": 1, "base_value": 0.0, "seconds": 1.0, "relative_error": 0.0}
    result = ExplainResult(model="Mean", rows=len(every), background=1, **figures)
    values = pd.DataFrame(0.0, index=every.index, columns=every.columns)
    save_explanation(task, Explanation(values, every, np.zeros(len(every)), places, result))
    task.emit("log", text=f"read {TEXT}")
    task.finish(Done(state=RunState.COMPLETED))
    store.index.dequeue(run.id, task.number)
    store.refresh(run.id)
    exports = store.home / "cache" / "exports"
    exports.mkdir(parents=True)
    with zipfile.ZipFile(exports / f"{run.id}-mean.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("reference.csv", every.to_csv(index=False))
    return run


def parts(found: dict[str, set[str]]) -> set[str]:
    """Return the parts of a home that hold something."""
    return {name.split("/", maxsplit=1)[0] for name in found}


def test_nothing_of_a_deleted_table_is_left_in_the_home(store: RunStore) -> None:
    home = store.home
    dataset = uploaded(home)
    run = worked_on(store, dataset)
    before = traces(home)
    # The search finds it wherever it is, so that finding nothing means something.
    assert parts(before) >= {"datasets", "drafts", "uploads", "runs", "cache"}
    assert parts(before) & {"dlreg.db", "dlreg.db-wal"}
    assert before[f"datasets/{dataset.id}/data.parquet"] == before[f"datasets/{dataset.id}/source.zst"]
    for name in ("model/pipeline.json", "predictions-test.parquet", "explanations/mean/data.parquet"):
        assert f"runs/{run.id}/tasks/1/{name}" in before
    assert {"text", "number"} == set().union(*before.values())
    # Another process has the list of runs open meanwhile.
    with closing(sqlite3.connect(home / "dlreg.db")) as other:
        other.execute("select count(*) from runs").fetchall()
        DatasetService(store, OWNER).delete(dataset.id, "delete")
        assert traces(home) == {}
    assert store.list(OWNER) == ()


def test_what_earlier_versions_left_in_the_list_of_runs_goes_too(store: RunStore) -> None:
    database = store.home / "dlreg.db"
    with closing(sqlite3.connect(database)) as other:
        other.execute("create table notes (note text)")
        other.executemany("insert into notes values (?)", [(f"{TEXT} {n}",) for n in range(500)])
        other.commit()
        other.execute("delete from notes")
        other.commit()
    assert parts(traces(store.home)) & {"dlreg.db", "dlreg.db-wal"}
    assert store.index.wipe()
    assert traces(store.home) == {}


def test_runs_that_are_kept_hold_models_and_predictions_but_no_rows(store: RunStore) -> None:
    dataset = uploaded(store.home)
    run = worked_on(store, dataset)
    DatasetService(store, OWNER).delete(dataset.id, "keep")
    left = traces(store.home)
    folder = f"runs/{run.id}"
    assert {name for name in left if name.startswith("runs/")} == {
        f"{folder}/experiment.json",
        f"{folder}/tasks/1/events.jsonl",
        f"{folder}/tasks/1/model/pipeline.json",
        f"{folder}/tasks/1/predictions-test.parquet",
    }
    assert parts(left) <= {"runs", "dlreg.db", "dlreg.db-wal"}
    assert find_explanation(run, "Mean") is None
    assert [known.run_id for known in store.list(OWNER)] == [run.id]
    # The run can still be deleted, and then nothing is left.
    store.delete(run.id)
    assert traces(store.home) == {}


def test_explanations_can_be_deleted_alone(store: RunStore) -> None:
    dataset = uploaded(store.home)
    run = worked_on(store, dataset)
    assert any("/explanations/" in name for name in traces(store.home))
    assert store.delete_explanations(run.id) == 1
    assert not any("/explanations/" in name for name in traces(store.home))
    assert store.delete_explanations(run.id) == 0
    assert DatasetStore(store.home, OWNER).get(dataset.id).rows == 120


def test_runs_are_neither_deleted_nor_left_without_data_unless_that_was_said(store: RunStore) -> None:
    dataset = uploaded(store.home)
    run = worked_on(store, dataset)
    run_service = DatasetService(store, OWNER)
    with pytest.raises(ConflictError, match=f"The run about {TEXT} used this data"):
        run_service.delete(dataset.id)
    assert run.path.exists()
    assert run_service.get(dataset.id).runs[0].run_id == run.id


@pytest.mark.parametrize("choice", ["refuse", "delete", "keep"])
def test_a_run_that_waits_or_is_explained_keeps_its_data(store: RunStore, choice: str) -> None:
    dataset = uploaded(store.home)
    waiting = store.create(experiment(dataset))
    with pytest.raises(ConflictError, match="still needs this data"):
        DatasetService(store, OWNER).delete(dataset.id, choice)  # type: ignore[arg-type]
    waiting.train_task().finish(Done(state=RunState.CANCELLED))
    store.refresh(waiting.id)
    store.add_task(waiting, TaskKind.EXPLAIN, explain=ExplainRequest(model="Mean", rows=5)).mark_launched()
    with pytest.raises(ConflictError, match="still needs this data"):
        DatasetService(store, OWNER).delete(dataset.id, choice)  # type: ignore[arg-type]
    assert DatasetStore(store.home, OWNER).get(dataset.id).rows == 120


def test_a_file_that_judges_counts_as_used(store: RunStore) -> None:
    dataset = uploaded(store.home)
    judge = DatasetStore(store.home, OWNER).add(table(60).to_csv(index=False).encode(), "judge.csv")
    asked = experiment(dataset)
    own = Split(kind="own", test_dataset=judge.id)
    run = store.create(asked.model_copy(update={"recipe": asked.recipe.model_copy(update={"split": own})}))
    run.train_task().finish(Done(state=RunState.FAILED, reason="r"))
    store.refresh(run.id)
    with pytest.raises(ConflictError, match="used this data"):
        DatasetService(store, OWNER).delete(judge.id)


@pytest.mark.parametrize("choice", ["delete", "keep"])
def test_a_run_whose_folder_is_gone_or_damaged_is_no_hindrance(store: RunStore, choice: str) -> None:
    dataset = uploaded(store.home)
    gone, damaged = (store.create(experiment(dataset)) for _ in range(2))
    for run in (gone, damaged):
        run.train_task().finish(Done(state=RunState.FAILED, reason="r"))
        store.refresh(run.id)
    shutil.rmtree(gone.path)
    (damaged.path / "experiment.json").write_text("{")
    DatasetService(store, OWNER).delete(dataset.id, choice)  # type: ignore[arg-type]
    assert damaged.path.exists() is (choice == "keep")
    assert not any(name.startswith("datasets/") for name in traces(store.home))


def test_drafts_forget_a_file_that_would_have_judged(store: RunStore) -> None:
    dataset = uploaded(store.home)
    judge = DatasetStore(store.home, OWNER).add(table(60).to_csv(index=False).encode(), "judge.csv")
    save_draft(store.home, OWNER, dataset.id, Draft(target="price", kind="own", test_dataset=judge.id))
    made = experiment(dataset).recipe.model_copy(update={"split": Split(kind="own", test_dataset=judge.id)})
    DatasetService(store, OWNER).delete(judge.id)
    kept = load_draft(store.home, OWNER, dataset.id)
    assert kept is not None
    assert (kept.kind, kept.test_dataset) == ("own", None)
    # A page that is open still knows it.
    with pytest.raises(RecipeError, match="The own test file was deleted"):
        own_test_table(DatasetStore(store.home, OWNER), made)


def test_what_two_people_have_stays_for_the_other(store: RunStore) -> None:
    ann, bob = (DatasetStore(store.home, owner) for owner in ("ann", "bob"))
    dataset = ann.add(table().to_csv(index=False).encode(), "a.csv")
    bob.add(table().to_csv(index=False).encode(), "b.csv")
    DatasetService(store, "ann").delete(dataset.id)
    with pytest.raises(NotFoundError):
        DatasetService(store, "ann").get(dataset.id)
    assert bob.get(dataset.id).rows == 120
    DatasetService(store, "bob").delete(dataset.id)
    assert traces(store.home) == {}


@pytest.mark.soak
def test_nothing_is_left_of_a_run_that_was_really_trained(store: RunStore) -> None:
    from dlreg_core.jobs import open_dispatcher
    from dlreg_core.model_file import write_bundle

    dispatcher: Dispatcher = open_dispatcher(Settings(home=store.home))
    dataset = uploaded(store.home)
    run_id = dispatcher.submit(experiment(dataset))
    assert wait_until_ended(dispatcher, run_id) is RunState.COMPLETED
    run = store.folder(run_id)
    result = run.result()
    assert result is not None
    task = dispatcher.explain(run, ExplainRequest(model="Ridge regression", rows=60))
    while task.done() is None:
        dispatcher.tick()
    write_bundle(run, None, store.home / "cache" / "exports" / f"{run_id}-best.zip")
    before = traces(store.home)
    assert parts(before) >= {"datasets", "drafts", "uploads", "runs", "cache"}
    DatasetService(store, OWNER).delete(dataset.id, "delete")
    assert traces(store.home) == {}
