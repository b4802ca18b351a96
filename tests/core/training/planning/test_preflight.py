"""What AutoGluon's estimators and the machine say, against what comes out otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import psutil
import pytest
from autogluon.features.generators import AutoMLPipelineFeatureGenerator
from autogluon.tabular.registry import ag_model_registry

from dlreg_core.networks import FAMILIES, default_plan
from dlreg_core.specs import RowCounts
from dlreg_core.training.baselines.simple_models import Boosting, fit_baselines
from dlreg_core.training.planning import machine_resources as module
from dlreg_core.training.planning.cost_model import training_mb
from dlreg_core.training.planning.machine_resources import (
    frame_mb,
    free_memory_mb,
    own_memory_mb,
    preflight,
    present_crowding,
    room,
    spread_rows,
    study,
)


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, 3)), columns=["a", "b", "c"])
    frame["flag"] = (frame["a"] > 0).astype("float64")
    frame["place"] = pd.Categorical(rng.choice(["x", "y", "z"], rows))
    frame["street"] = pd.Categorical([f"street {i}" for i in rng.integers(0, 200, rows)])
    return frame


def counts(rows: int) -> RowCounts:
    return RowCounts(train=rows, validation=rows // 5, test=rows // 5)


# --- the estimates ----------------------------------------------------------------------------------------------------


def test_estimates_of_a_small_table_are_those_of_autogluon() -> None:
    frame = table(1_000)
    found = study(frame, counts(1_000))
    as_trained = AutoMLPipelineFeatureGenerator(verbosity=0).fit_transform(frame)
    for chosen in FAMILIES:
        for index in range(len(chosen.sizes)):
            wanted = ag_model_registry.key_to_cls(chosen.key).estimate_memory_usage_static(
                X=as_trained,
                hyperparameters=chosen.sample_settings(1_000, 0, index),
                problem_type="regression",
                num_classes=1,
            )
            assert found.estimates_mb[chosen.key][index] == pytest.approx(wanted / 1e6, rel=1e-3)
    assert found.features == as_trained.shape[1] == 6
    assert found.networks_mb == pytest.approx(frame_mb(as_trained))
    assert (found.rows, found.validation_rows, found.test_rows) == (1_000, 200, 200)
    assert found.cleaned_mb == pytest.approx(1.2 * frame_mb(frame))


def test_a_sample_tells_what_the_whole_table_would(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = table(30_000)
    few = study(frame, counts(30_000))
    monkeypatch.setattr(module, "_SAMPLE_ROWS", 30_000)
    whole = study(frame, counts(30_000))
    assert few.networks_mb == pytest.approx(whole.networks_mb, rel=0.02)
    assert few.cleaned_mb == pytest.approx(whole.cleaned_mb, rel=0.02)
    assert (few.features, few.encoded) == (whole.features, whole.encoded)
    for key, (smallest, *_) in whole.estimates_mb.items():
        assert few.estimates_mb[key][0] == pytest.approx(smallest, rel=0.02)


def test_the_process_in_an_estimate_is_as_large_as_we_take_it_for() -> None:
    found = study(pd.DataFrame({"a": [1.0, 2.0, 3.0]}), RowCounts(train=3, validation=1, test=1))
    for chosen in FAMILIES:
        assert found.estimates_mb[chosen.key][0] == pytest.approx(chosen.cost.process_mb, abs=40)
        assert 1_300 < training_mb(found, chosen.key, gpu=False) < 1_800


def test_texts_are_counted_as_autogluon_counts_their_terms() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(60)])
    frame = pd.DataFrame({"n": rng.normal(size=600), "t": [" ".join(rng.choice(words, 8)) for _ in range(600)]})
    as_trained = AutoMLPipelineFeatureGenerator(verbosity=0).fit_transform(frame)
    found = study(frame, counts(600))
    assert found.features == pytest.approx(as_trained.shape[1], abs=3)
    assert found.encoded == 1
    # Terms that stand in thirty rows of a hundred times as many stand in one or none of these.
    assert study(frame, counts(60_000)).features > 2 * found.features


def test_terms_are_fewer_where_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pd.DataFrame({"t": ["one two three four five six"] * 100})
    assert module._terms(texts, 100) == 6 + 5 + 4 + 1
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1e9))
    assert module._terms(texts, 10_000_000) == max(1, int(16 * 150 / (own_memory_mb() + 4e-6 * 1e7 * 16)))
    assert module._terms(pd.DataFrame({"t": ["only", "once"]}), 2) == 0


@pytest.mark.parametrize(
    "column",
    [
        [1.0, 2.0, 3.0, 4.0],
        [np.nan, 1.0, 1.0, 2.0],
        [1.0, 1.0, 1.0, 1.0],
        pd.Categorical(["x", "y", "z", None]),
        ["a", "b", None, "d"],
        ["a text of some words"] * 4,
    ],
    ids=["numbers", "missing", "constant", "levels", "names", "text"],
)
def test_one_column_of_any_kind(column: object) -> None:
    found = study(pd.DataFrame({"a": column}), RowCounts(train=4, validation=1, test=1))
    assert found.features >= 1
    assert all(mb >= 0 for sizes in found.estimates_mb.values() for mb in sizes)


def test_baselines_get_as_many_columns_as_expected() -> None:
    frame = table(600)
    frame.loc[:10, "a"] = np.nan
    boosting = Boosting(iterations=2)
    fitted = fit_baselines(frame, np.arange(600.0), frame, np.arange(600.0), seed=0, boosting=boosting)
    ridge = next(baseline for baseline in fitted if baseline.key == "RIDGE")
    assert ridge.model is not None
    found = study(frame, counts(600))
    assert found.encoded == ridge.model[0].transform(frame).shape[1]
    assert found.categories == frame.select_dtypes("category").shape[1]


def test_rows_are_spread_over_the_whole_frame() -> None:
    frame = pd.DataFrame({"a": np.arange(60_000)})
    found = spread_rows(frame)
    assert (len(found), found["a"].iloc[0], found["a"].iloc[-1]) == (20_000, 0, 59_999)
    assert found.index.equals(pd.RangeIndex(20_000))
    assert spread_rows(frame.iloc[5:8])["a"].tolist() == [5, 6, 7]


# --- the machine ------------------------------------------------------------------------------------------------------


def group(folder: Path, most: str, used: int, inactive: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{most}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {inactive}\nslab 3\n")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=8e9))
    yield


@pytest.mark.usefixtures("machine")
def test_the_smallest_limit_counts(tmp_path: Path) -> None:
    own = tmp_path / "own"
    assert free_memory_mb(tmp_path / "none", own) == 8_000
    own.write_text("0::/a/b\n")
    cgroups = tmp_path / "cgroup"
    group(cgroups / "a" / "b", "max", 100)
    group(cgroups / "a", "5000000000", 3_000_000_000, inactive=500_000_000)
    assert free_memory_mb(cgroups, own) == 2_500
    group(cgroups / "a" / "b", "1000000000", 400_000_000)
    assert free_memory_mb(cgroups, own) == 600
    # More is used than allowed, for a moment.
    group(cgroups / "a" / "b", "1000000000", 1_400_000_000)
    assert free_memory_mb(cgroups, own) == 0


@pytest.mark.usefixtures("machine")
def test_in_a_container_the_group_is_the_root(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/\n")
    group(tmp_path, "2000000000", 500_000_000)
    assert free_memory_mb(tmp_path, own) == 1_500
    (tmp_path / "memory.current").write_text("nonsense")
    assert free_memory_mb(tmp_path, own) == 8_000


def test_what_this_machine_says(tmp_path: Path) -> None:
    found = room(tmp_path / "not" / "made" / "yet", cores=2, gpu=False, held_mb=100)
    assert 100 < found.memory_mb <= psutil.virtual_memory().total / 1e6 + 100
    assert found.disk_mb == pytest.approx(shutil.disk_usage(tmp_path).free / 1e6, rel=0.01)
    assert own_memory_mb() == pytest.approx(psutil.Process().memory_info().rss / 1e6, rel=0.05)


# --- all of it --------------------------------------------------------------------------------------------------------


def test_a_small_table_fits_and_a_full_machine_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, plan = table(500), default_plan(time_limit=300)
    found = preflight(frame, counts(500), plan, tmp_path, cores=2, gpu=False)
    assert found.rows == 500
    assert [model.family for model in found.models] == [chosen.key for chosen in FAMILIES]
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=5e8))
    full = preflight(frame, counts(500), plan, tmp_path, cores=2, gpu=False)
    assert full.lacks == "memory"
    assert "500 MB are free" in full.refusal
    # What the process that trains holds already is not missing.
    held = preflight(frame, counts(500), plan, tmp_path, cores=2, gpu=False, held_mb=4_000)
    assert held.refusal == ""
    assert held.memory_free_mb == pytest.approx(4_500)


def test_what_else_the_machine_does_counts_where_it_has_lasted_and_still_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [6.0]
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (7.0, 1.0, 1.0))
    monkeypatch.setattr(module, "_running_now", lambda: now[0])
    assert present_crowding(2) == pytest.approx((6 + 2) / 4)
    # What has just ended, or just begun, tells nothing of the next minute.
    now[0] = 0.0
    assert present_crowding(2) == 1.0
    now[0] = 6.0
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 9.0, 9.0))
    assert present_crowding(2) == 1.0


def test_processes_that_want_a_processor_are_seen() -> None:
    busy = [
        subprocess.Popen([sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    try:
        for process in busy:
            assert process.stdout is not None
            process.stdout.readline()
        assert module._running_now() >= 2.5
    finally:
        for process in busy:
            process.kill()
            process.communicate()
