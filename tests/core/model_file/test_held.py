"""What a model file holds of the rows that were learned from: little, and what there is of it is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.cleaning import fit_cleaner
from dlreg_core.errors import ConflictError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs.dataset_service import DatasetService
from dlreg_core.model_file import Manifest, load_bundle, write_bundle
from dlreg_core.model_file.contents import values_found
from dlreg_core.model_file.manifest import MANIFEST
from dlreg_core.networks import default_plan
from dlreg_core.pipeline.fitted_pipeline import save_pipeline
from dlreg_core.pipeline.pipeline_spec import PipelineModel, PipelineSpec
from dlreg_core.pipeline.prediction_interval import PredictionInterval
from dlreg_core.runs import RunFolder, RunStore, open_store
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.settings import Settings
from dlreg_core.specs import (
    Cleaning,
    ColumnType,
    DataHeld,
    Done,
    Experiment,
    LeaderboardRow,
    Recipe,
    ResolvedPlan,
    RowCounts,
    RowsHeld,
    RunState,
    TrainResult,
    ValuesFound,
)
from dlreg_core.splitting import prepared_of
from dlreg_core.training.baselines.simple_models import Boosting, fit_baselines
from dlreg_core.wording.contents_text import checked_words, held_words
from tests.conftest import small_table

NAME = "Ridge regression"


def table() -> pd.DataFrame:
    """Return a table with identifiers and free texts, of which each stands in one row."""
    found = small_table(240)
    words = ("quiet street", "busy street", "near the park", "near the river")
    found["remark"] = [f"{words[n % 4]}, owner Zq{n * 7919:07d}" for n in range(len(found))]
    found["code"] = [f"K{n * 104729:09d}" for n in range(len(found))]
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return a run with one baseline that was really fitted."""
    home = tmp_path_factory.mktemp("held") / "home"
    store = open_store(Settings(home=home))
    dataset = DatasetStore(home, "local").add(table().to_csv(index=False).encode(), "houses.csv")
    assert {c.name for c in dataset.columns if c.type is ColumnType.IDENTIFIER} == {"id", "code"}
    assert dataset.column("remark").type is ColumnType.TEXT
    recipe = Recipe(
        target="price",
        features=("id", "size", "place", "built", "remark", "code"),
        unit="$",
        cleaning=Cleaning(impute_numbers="knn", drop_identifiers=False),
    )
    asked = Experiment(name="r", dataset_id=dataset.id, dataset_name=dataset.name, recipe=recipe, plan=default_plan())
    folder = store.create(asked)
    fitted(store, folder, asked)
    return folder


def fitted(store: RunStore, run: RunFolder, asked: Experiment) -> None:
    rows, task = prepared_of(store.home, asked), run.train_task()
    cleaner = fit_cleaner(rows.train, rows.types, asked.recipe.cleaning, rows.day_first, rows.written)
    parts = [cleaner.transform(part) for part in (rows.train, rows.validation)]
    few = Boosting(threads=1, iterations=5)
    models = fit_baselines(parts[0], rows.y_train, parts[1], rows.y_validation, seed=0, boosting=few)
    ridge = next(one.model for one in models if one.key == "RIDGE")
    model = PipelineModel(
        name=NAME, family="RIDGE", role="baseline", internal="RIDGE", interval_90=PredictionInterval(factor=9.0)
    )
    spec = PipelineSpec(target="price", unit="$", cleaner=cleaner, best_model=NAME, models=(model,))
    save_pipeline(task.path / "model", spec, {"RIDGE": ridge})
    line = LeaderboardRow(model=NAME, family="RIDGE", role="baseline", rmse=9.0, mae=7.0, mse=81.0, r2=0.9)
    counts = RowCounts(train=len(rows.train), validation=len(rows.validation), test=len(rows.test))
    result = TrainResult(
        leaderboard=(line,), best_model=NAME, comparison=None, rows=counts, plan=ResolvedPlan(), seconds=1.0
    )
    write_spec(task.path / "result.json", result)
    task.finish(Done(state=RunState.COMPLETED))
    store.index.dequeue(run.id, task.number)
    store.refresh(run.id)


def opened(path: Path, place: Path) -> dict[str, str]:
    """Unpack a model file; return those of its members that are text."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(place)
    kinds = (".csv", ".json", ".md")
    return {str(p.relative_to(place)): p.read_text() for p in place.rglob("*") if p.suffix in kinds}


def test_identifiers_and_texts_are_in_none_of_what_is_there_to_look_at(run: RunFolder, tmp_path: Path) -> None:
    made = write_bundle(run, None, tmp_path / "m.zip")
    members = opened(tmp_path / "m.zip", tmp_path / "alone")
    rows = pd.read_csv(tmp_path / "alone" / "reference.csv")
    assert rows[["id", "code", "remark"]].isna().all(axis=None)
    assert rows[["place", "built"]].notna().all(axis=None)
    values = table()
    owners = values["remark"].str[-9:]
    for name, text in members.items():
        found = [value for value in (*values["code"], *values["remark"], *owners) if value in text]
        assert not found, name
    # And it predicts them as it did, with every digit that counts.
    pipeline, manifest = load_bundle(tmp_path / "m.zip", tmp_path / "loaded")
    expected = rows.pop("expected_prediction")
    np.testing.assert_allclose(pipeline.predict(rows), expected, rtol=1e-5)
    assert manifest.held == made.held
    whole = prepared_of(run.home, run.experiment()).test
    assert len(pipeline.predicted(whole)) == len(whole)


def test_what_it_holds_is_told(run: RunFolder, tmp_path: Path) -> None:
    made = write_bundle(run, None, tmp_path / "m.zip")
    held = made.held
    assert held is not None
    rows = prepared_of(run.home, run.experiment())
    assert held.reference_rows == 5
    assert set(held.blanked) == {"id", "remark", "code"}
    assert held.levels == {"place": 3}
    assert set(held.typical) == {"size", "place", "built"}
    assert {"size", "built"} <= set(held.ranges)
    assert held.similar is not None
    assert held.similar.rows == len(rows.train)
    assert "size" in held.similar.columns
    assert set(held.terms) == {"remark"}
    assert (held.last, held.context) == (None, ())
    # Ridge regression has codes as levels of its own: that they are in it was found out by looking.
    assert held.found["code"].looked > 100
    assert held.found["remark"].looked > 100
    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        card = archive.read("README.md").decode()
    for sentence in held_words(held):
        assert sentence.replace("<", "&lt;") in card
    assert "identifiers and texts (" in card
    assert ") are empty there." in card


def test_values_within_a_fitted_model_are_found(tmp_path: Path) -> None:
    rows = pd.DataFrame({"code": [f"K{n:06d}" for n in range(300)], "short": ["a"] * 300, "gone": [None] * 300})
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "network.pkl").write_bytes(b"...".join(v.encode() for v in rows["code"][:150]))
    found = values_found(tmp_path, rows, ("code", "short", "gone", "other"))
    assert found == {"code": ValuesFound(looked=200, found=150)}


def test_rows_can_be_left_out(run: RunFolder, tmp_path: Path) -> None:
    made = write_bundle(run, None, tmp_path / "m.zip", with_rows=False)
    members = opened(tmp_path / "m.zip", tmp_path / "alone")
    assert "reference.csv" not in members
    manifest = Manifest.model_validate_json(members[MANIFEST])
    assert all(field.typical is None for field in manifest.inputs.fields)
    assert made.held is not None
    assert (made.held.reference_rows, made.held.typical) == (0, ())
    # It was checked by rows that are not in it.
    assert (made.reference_rows, made.made_up) == (5, False)
    assert "not that it still predicts the same" in checked_words(made)
    assert "No rows are in it to test itself with" in members["README.md"]
    rows = prepared_of(run.home, run.experiment()).test
    pipeline, _ = load_bundle(tmp_path / "m.zip", tmp_path / "loaded")
    assert np.isfinite(pipeline.predict(rows)).all()
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "DLREG_HOME")}
    command = [sys.executable, str(tmp_path / "alone" / "predict.py"), "--check"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "there are no reference rows, so that what it predicts here could not be checked." in done.stdout


def test_without_the_data_there_is_a_file_without_rows(run: RunFolder, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(run.home, home)
    DatasetService(open_store(Settings(home=home)), "local").delete(run.experiment().dataset_id, "keep")
    alone = RunFolder(home / "runs" / run.id)
    with pytest.raises(ConflictError, match="Export it without rows"):
        write_bundle(alone, None, tmp_path / "m.zip")
    made = write_bundle(alone, None, tmp_path / "m.zip", with_rows=False)
    assert made.made_up
    assert "a made-up row came out as it should" in checked_words(made)


def test_what_is_told_of_pasts_and_contexts() -> None:
    past = RowsHeld(rows=28, columns=("day", "sales"))
    held = DataHeld(reference_rows=5, last=past, context=("TabICL",), context_rows=1200, levels={"shop": 12})
    words = held_words(held)
    assert "The last rows of the table (day and sales) are in it, 28 moments, as the past of new rows." in words
    assert (
        "TabICL holds the rows learned from, up to 1,200, all columns and the target, and read them with every "
        "prediction." in words
    )
    assert "Values that occur: 12 of shop." in words
    looked = DataHeld(
        reference_rows=0, found={"a": ValuesFound(looked=200, found=3), "b": ValuesFound(looked=9, found=0)}
    )
    told = "Of values that were looked for in the fitted model itself, it holds 3 of 200 of a and 0 of 9 of b."
    assert told in held_words(looked)
    assert held_words(None) == ()
