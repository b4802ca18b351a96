"""What a gap costs that no training row had is measured, kept, told and given to the intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dlreg_core.cleaning import fit_cleaner
from dlreg_core.evaluation.conformal import calibrate
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.pipeline.fitted_pipeline import Pipeline, save_pipeline
from dlreg_core.pipeline.pipeline_spec import PipelineModel, PipelineSpec
from dlreg_core.pipeline.prediction_interval import PredictionInterval
from dlreg_core.specs import Cleaning, Recipe, Split
from dlreg_core.splitting import prepare_table
from dlreg_core.training.missing_value_intervals import complete_columns, with_gaps, without_values
from tests.conftest import add_table

ROWS = 3_000


class Line:
    """A model that knows the truth, all but the noise."""

    def predict(self, rows: pd.DataFrame) -> Any:
        return (3 * rows["strong"] + 0.2 * rows["weak"]).to_numpy()


def made(folder: Path, models: tuple[str, ...] = ("Ridge regression",)) -> tuple[Pipeline, Any]:
    rng = np.random.default_rng(0)
    strong, weak = rng.normal(size=ROWS), rng.normal(size=ROWS)
    gappy = np.where(rng.random(ROWS) < 0.2, np.nan, rng.normal(size=ROWS))
    frame = pd.DataFrame({"strong": strong, "weak": weak, "gappy": gappy})
    frame["y"] = 3 * strong + 0.2 * weak + rng.normal(size=ROWS)
    dataset = add_table(folder, frame)
    features = ("strong", "weak", "gappy")
    recipe = Recipe(target="y", features=features, split=Split(kind="random", choose_by="holdout"))
    table = prepare_table(dataset, DatasetStore(folder).table(dataset.id), recipe)
    cleaner = fit_cleaner(table.taught, table.types, Cleaning(), table.day_first, table.written)
    spec = PipelineSpec(
        target="y",
        unit="",
        cleaner=cleaner,
        best_model=models[0],
        models=tuple(PipelineModel(name=name, family="RIDGE", role="baseline", internal="RIDGE") for name in models),
    )
    save_pipeline(folder / "model", spec, {"RIDGE": Line()})
    return Pipeline(folder / "model"), table


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, Any]:
    """A pipeline whose intervals know what gaps cost, read again from its files, and its table."""
    pipeline, table = made(tmp_path_factory.mktemp("gaps"))
    held_out = pipeline.predict_all(table.validation, ("Ridge regression",))
    intervals = {"Ridge regression": calibrate(table.y_validation, held_out["Ridge regression"], least=-20.0)}
    found = with_gaps(pipeline, intervals, held_out, table, first="Ridge regression", seconds=60, seed=0)
    pipeline.settle("Ridge regression", found)
    return Pipeline(pipeline.path), table


def coverage(table: pd.DataFrame, actual: Any) -> float:
    return float(np.mean((table["low"] <= actual) & (actual <= table["high"])))


def test_columns_that_no_training_row_lacked_are_known(judged: tuple[Pipeline, Any]) -> None:
    assert complete_columns(judged[0]) == ("strong", "weak")
    interval = judged[0].models[0].interval
    assert interval is not None
    assert set(interval.gaps) == {"strong", "weak"}


def test_intervals_hold_what_they_promise_without_a_column(judged: tuple[Pipeline, Any]) -> None:
    pipeline, table = judged
    rows = without_values(table.test, "strong")
    found = pipeline.predicted(rows)
    interval = pipeline.models[0].interval
    assert interval is not None
    low, high = interval.bounds(found["prediction"].to_numpy())
    narrow = float(np.mean((low <= table.y_test) & (table.y_test <= high)))
    assert narrow < 0.6
    assert 0.86 < coverage(found, table.y_test) < 0.94
    assert coverage(pipeline.predicted(table.test), table.y_test) > 0.86
    # Only rows that lack it have wider intervals.
    mixed = table.test.assign(strong=table.test["strong"].where(np.arange(len(table.test)) % 2 == 0))
    told = pipeline.predicted(mixed)
    widths = (told["high"] - told["low"]).to_numpy()
    assert widths[1] > 2 * widths[0]


def test_a_gap_is_told_by_column_with_what_it_costs(judged: tuple[Pipeline, Any]) -> None:
    pipeline, table = judged
    told = pipeline.warnings(without_values(without_values(table.test.iloc[:4], "strong"), "gappy"))
    assert len(told) == 1, told
    assert told[0].startswith(
        "strong: missing in 4 of 4 rows, and no row learned from lacked it; on rows held out it took"
    )
    assert pipeline.warnings(table.test.iloc[:4]) == ()


def test_a_gap_that_costs_nothing_is_told_as_that(tmp_path: Path) -> None:
    pipeline, table = made(tmp_path)
    interval = PredictionInterval(factor=1.0, gaps={"weak": 1.02, "strong": 3.0})
    pipeline.settle("Ridge regression", {"Ridge regression": interval})
    assert pipeline.warnings(without_values(table.test.iloc[:1], "weak")) == (
        "weak: missing in 1 of 1 row, and no row learned from lacked it; on rows held out that made no difference to "
        "the intervals.",
    )


def test_what_was_not_predicted_of_all_rows_is_measured_on_those_that_were(tmp_path: Path) -> None:
    name = "Ridge regression"
    pipeline, table = made(tmp_path)
    plain = {name: PredictionInterval(factor=1.0)}
    held_out = pipeline.predict_all(table.validation, (name,))[name]
    some = np.where(np.arange(len(held_out)) % 3 == 0, held_out, np.nan)
    few = np.where(np.arange(len(held_out)) < 9, held_out, np.nan)
    whole, part, none = (
        with_gaps(pipeline, plain, {name: values}, table, first=name, seconds=60, seed=0)[name].gaps
        for values in (held_out, some, few)
    )
    assert part.keys() == whole.keys() == {"strong", "weak"}
    assert part["strong"] == pytest.approx(whole["strong"], rel=0.25)
    assert none == {}


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    pipeline, table = made(tmp_path)
    held_out = pipeline.predict_all(table.validation, ("Ridge regression",))
    plain = {"Ridge regression": PredictionInterval(factor=1.0)}
    hurried = with_gaps(pipeline, plain, held_out, table, first="Ridge regression", seconds=-1.0, seed=0)
    assert hurried["Ridge regression"].gaps == {}
    pipeline.settle("Ridge regression", hurried)
    rows = without_values(table.test.iloc[:1], "strong")
    assert "what that costs wasn't measured" in pipeline.warnings(rows)[0]
    # Models of earlier versions don't know which columns had gaps.
    text = (pipeline.path / "pipeline.json").read_text().replace('"complete": true', '"complete": null')
    (pipeline.path / "pipeline.json").write_text(text)
    assert "before the cost of such gaps was measured" in Pipeline(pipeline.path).warnings(rows)[0]


def test_what_several_gaps_add_is_added_up() -> None:
    interval = PredictionInterval(factor=1.0, gaps={"a": 1.5, "b": 3.0})
    missing = {"a": np.array([True, False, True]), "b": np.array([False, False, True]), "c": np.array([True] * 3)}
    assert interval.factors_of(missing, 3).tolist() == [1.5, 1.0, 3.5]
    low, high = interval.bounds(np.zeros(3), interval.factors_of(missing, 3))
    assert (low.tolist(), high.tolist()) == ([-1.5, -1.0, -3.5], [1.5, 1.0, 3.5])
    assert PredictionInterval.model_validate_json(interval.model_dump_json()) == interval
