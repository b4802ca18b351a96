"""Very large tables: a run draws as many rows as its time can do something with, and says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.ingest.batches import row_sampling
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.networks import default_plan
from dlreg_core.specs import Dataset, Experiment, Recipe, Split, TrainPlan
from dlreg_core.splitting import foreseen_counts, prepare_table, prepared_of, seconds_for_all, subsample
from dlreg_core.splitting.subsample import rows_for
from dlreg_core.wording.context_text import rows_words


@pytest.fixture
def store(tmp_path: Path) -> DatasetStore:
    return DatasetStore(tmp_path)


def table(rows: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.normal(size=rows).round(6)
    return pd.DataFrame({"row": np.arange(rows) % 997, "size": size, "price": (3 * size).round(6)})


def added(store: DatasetStore) -> Dataset:
    return store.add(table().to_csv(index=False).encode(), "t.csv")


def experiment(dataset: Dataset, plan: TrainPlan) -> Experiment:
    recipe = Recipe(target="price", features=("row", "size"), split=Split(seed=3, choose_by="holdout"))
    return Experiment(name="x", dataset_id=dataset.id, dataset_name="t", recipe=recipe, plan=plan)


def test_small_tables_are_used_whole(store: DatasetStore) -> None:
    dataset = added(store)
    assert rows_for(dataset, 1) == 3000
    prepared = prepared_of(store._root.parent, experiment(dataset, default_plan(time_limit=30)))
    assert prepared.counts.drawn == 0


def test_more_time_uses_more_rows(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = added(store)
    monkeypatch.setattr(subsample, "_FEWEST", 300)
    monkeypatch.setattr(subsample, "VALUES_PER_SECOND", 100)
    assert rows_for(dataset, 5) == 300
    assert rows_for(dataset, 30) == 1000
    assert rows_for(dataset, seconds_for_all(dataset)) == 3000
    assert rows_for(dataset, 5, most_rows=50) == 50


def test_the_drawn_rows_are_rows_of_the_table(store: DatasetStore) -> None:
    dataset, whole = added(store), table()
    drawn = experiment(dataset, default_plan(time_limit=30, most_rows=600))
    prepared, again = (prepared_of(store._root.parent, drawn) for _ in range(2))
    assert (prepared.counts.drawn, prepared.counts.drawn_from) == (600, 3000)
    assert prepared.counts.train + prepared.counts.validation + prepared.counts.test == 600
    for part, rows, target in (
        (prepared.train, prepared.rows_train, prepared.y_train),
        (prepared.test, prepared.rows_test, prepared.y_test),
    ):
        expected = whole.iloc[rows]
        assert part["size"].tolist() == expected["size"].tolist()
        assert target.tolist() == expected["price"].tolist()
    assert prepared.rows_test.tolist() == again.rows_test.tolist(), "the same rows every time"
    assert store.rows(dataset.id, prepared.rows_test)["size"].tolist() == prepared.test["size"].tolist()
    assert "drawn at random from the 3,000 rows of the table" in rows_words(prepared.counts)


def test_counts_are_foreseen_from_some_rows(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, whole = added(store), table()
    recipe = experiment(dataset, default_plan()).recipe
    assert foreseen_counts(dataset, whole, recipe, None, 30) == prepare_table(dataset, whole, recipe, None, 30).counts
    monkeypatch.setattr(subsample, "_FEWEST", 1500)
    monkeypatch.setattr(subsample, "VALUES_PER_SECOND", 1)
    few = foreseen_counts(dataset, whole.head(300), recipe, None, 30)
    assert (few.drawn, few.drawn_from) == (1500, 3000)
    assert few.train == pytest.approx(0.7 * 1500, rel=0.02)


def test_some_rows_stand_for_a_large_table(store: DatasetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sampling, "MOST_VALUES", 5000)
    monkeypatch.setattr(row_sampling, "_FEWEST_ROWS", 500)
    monkeypatch.setattr(row_sampling, "_SAMPLED_VALUES", 1000)
    dataset = added(store)
    sample = store.sample(dataset.id)
    assert len(sample) == 500
    assert sample["row"].isin(range(997)).all()
    merged = sample.merge(table(), on=["row", "size", "price"])
    assert len(merged) == 500, "all of them are rows of the table"
    (store.folder(dataset.id) / "sample.parquet").unlink()
    pd.testing.assert_frame_equal(store.sample(dataset.id), sample)
    assert store.sample(dataset.id, ["price"]).columns.tolist() == ["price"]
