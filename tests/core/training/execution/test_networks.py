"""Networks are trained in processes, kept on a shelf, and taken from it again."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.errors import ConflictError, NotFoundError, RowsError
from dlreg_core.networks import FAMILIES, Family, family
from dlreg_core.pipeline.fitted_pipeline import NETWORKS, Pipeline
from dlreg_core.pipeline.network_store import NetworkStore
from dlreg_core.runs import RunFolder, load_predictions
from dlreg_core.specs import PlannedFit
from dlreg_core.splitting import prepared_of
from dlreg_core.training import ensemble
from dlreg_core.training.execution.fit_records import FoldResult
from dlreg_core.training.execution.fold_fit import learned_rows
from dlreg_core.training.execution.process_pool import FitFailedError, PoolMessage, TrainingPool, failure, processes_for
from dlreg_core.training.execution.run_networks import NetworkRows, Networks
from dlreg_core.training.scheduler.allocation import Proposal
from dlreg_core.training.scheduler.fit_jobs import FoldJob, PilotJob, PilotOutcome
from dlreg_core.training.scheduler.scheduler_state import RunningFit
from tests.core.training.jobs import fold_job

EPOCHS = 3
FOLDS = 3


def rows(count: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    # A category called c with more than two levels: fastai takes such a column for the number of classes.
    levels = pd.Categorical(rng.choice(["x", "y", "z"], count), categories=["x", "y", "z"])
    frame = pd.DataFrame({"a": rng.uniform(-2, 2, count), "c": levels})
    return frame, (1000 + 50 * frame["a"] + 30 * (frame["c"] == "x") + rng.uniform(-5, 5, count)).to_numpy()


def held_out_rows() -> NetworkRows:
    return NetworkRows(*rows(200, 0), *rows(60, 1))


def folded_rows() -> NetworkRows:
    frame, target = rows(150, 0)
    return NetworkRows(frame, target, frame.iloc[:0], target[:0], np.arange(150) % FOLDS)


def order_for(networks: Networks, key: str, name: str, fold: int = 0, **changes: object) -> FoldJob:
    settings = family(key).sample_settings(networks.rows, 0)
    return fold_job(key, **{"settings": settings, "folder": networks.folder(name), "fold": fold, **changes})  # type: ignore[arg-type]


@dataclass
class Heard:
    result: FoldResult | PilotOutcome | None = None
    error: Exception | None = None
    epochs: list[tuple[int, float | None]] = field(default_factory=list)


def listen(pool: TrainingPool, told: dict[object, Heard]) -> list[PoolMessage]:
    found = pool.wait(60.0)
    assert found, "the processes say nothing"
    for word in found:
        heard = told.setdefault(id(word.job), Heard())
        if word.epoch is not None:
            heard.epochs.append((word.epoch.epoch, word.epoch.validation))
        heard.result, heard.error = word.result, word.error
    return found


def do(pool: TrainingPool, *orders: FoldJob | PilotJob) -> list[Heard]:
    """Have all orders carried out, as many at once as there are processes."""
    told: dict[object, Heard] = {id(order): Heard() for order in orders}
    waiting = list(orders)
    while waiting or pool.work:
        for slot in pool.idle:
            if waiting:
                pool.submit(slot, waiting.pop(0))
        listen(pool, told)
    return [told[id(order)] for order in orders]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networks]:
    found = Networks(tmp_path_factory.mktemp("held") / NETWORKS, held_out_rows())
    yield found
    found.close()


@pytest.fixture(scope="module")
def pool(networks: Networks) -> Iterator[TrainingPool]:
    with TrainingPool(2, networks.rows_file) as found:
        yield found


@pytest.fixture(scope="module")
def fitted(networks: Networks, pool: TrainingPool) -> dict[str, Heard]:
    orders = [order_for(networks, chosen.key, chosen.title) for chosen in FAMILIES]
    found = dict(zip([chosen.title for chosen in FAMILIES], do(pool, *orders), strict=True))
    for chosen in FAMILIES:
        result = found[chosen.title].result
        assert isinstance(result, FoldResult), found[chosen.title].error
        networks.complete(chosen.title, chosen.key, {0: result})
    return found


def test_torchvision_fits_to_torch() -> None:
    import torch
    import torchvision

    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 6.0, 6.0]])
    assert torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist() == [0, 2]


every_family = pytest.mark.parametrize("chosen", FAMILIES, ids=lambda f: f.key)


@every_family
def test_every_family_trains_and_tells_of_each_epoch(
    fitted: dict[str, Heard], networks: Networks, chosen: object
) -> None:
    title = chosen.title  # type: ignore[attr-defined]
    assert title in networks.names
    # Epoch 0 is what a linear path predicts before the layers are taught.
    assert [epoch for epoch, _ in fitted[title].epochs if epoch] == list(range(1, EPOCHS + 1))
    figures = [figure for _, figure in fitted[title].epochs]
    assert all(figure is not None and np.isfinite(figure) and 0 < figure < 5000 for figure in figures)
    # The figure kept is the best epoch's, in target units.
    assert networks.validation_rmse(title) <= max(f for f in figures if f is not None) * 1.01


@every_family
def test_the_validation_figure_is_the_error_in_target_units(
    fitted: dict[str, Heard], networks: Networks, chosen: object
) -> None:
    title = chosen.title  # type: ignore[attr-defined]
    frame, target = rows(60, 1)
    again = NetworkStore(networks.shelf.path)
    predicted = again.predict(again.prepared(frame), title)
    rmse = float(np.sqrt(np.mean((predicted - target) ** 2)))
    assert networks.validation_rmse(title) == pytest.approx(rmse, rel=1e-4)
    assert min(f for _, f in fitted[title].epochs if f is not None) == pytest.approx(rmse, rel=0.02)


@every_family
def test_the_same_order_gives_the_same_network(networks: Networks, pool: TrainingPool, chosen: object) -> None:
    key = chosen.key  # type: ignore[attr-defined]
    one, other = do(pool, order_for(networks, key, "one"), order_for(networks, key, "other"))
    assert isinstance(one.result, FoldResult)
    assert isinstance(other.result, FoldResult)
    np.testing.assert_array_equal(one.result.held_out, other.result.held_out)


@pytest.mark.parametrize("key", ["REALMLP", "FASTAI", "TABM"])
def test_a_training_ends_where_it_shall(networks: Networks, pool: TrainingPool, key: str) -> None:
    (cut,) = do(pool, order_for(networks, key, "cut", stop_after=2))
    assert isinstance(cut.result, FoldResult)
    assert (cut.result.outcome.epochs, cut.result.outcome.stopped) == (2, True)
    # The time is long over: it ends with its first epoch.
    (late,) = do(pool, order_for(networks, key, "late", until=0.0))
    assert isinstance(late.result, FoldResult)
    assert (late.result.outcome.epochs, late.result.outcome.stopped) == (1, True)


def test_a_training_learns_from_as_many_rows_as_were_drawn(networks: Networks, pool: TrainingPool) -> None:
    prepared = networks.prepared
    drawn = {
        seed: learned_rows(order_for(networks, "FASTAI", "drawn", seed=seed, rows=60), prepared) for seed in (0, 0, 1)
    }
    assert all(rows.sum() == 60 and not rows[prepared.fold == 0].any() for rows in drawn.values())
    assert (drawn[0] != drawn[1]).any()
    np.testing.assert_array_equal(
        learned_rows(order_for(networks, "FASTAI", "all", rows=10**9), prepared), prepared.fold != 0
    )
    few, again, whole = do(pool, *[order_for(networks, "FASTAI", f"n{i}", rows=n) for i, n in enumerate((60, 60, 0))])
    assert isinstance(few.result, FoldResult)
    assert isinstance(again.result, FoldResult)
    assert isinstance(whole.result, FoldResult)
    np.testing.assert_array_equal(few.result.held_out, again.result.held_out)
    assert (few.result.held_out != whole.result.held_out).any()


def test_a_schedule_that_is_nearly_through_may_be_late(networks: Networks, pool: TrainingPool) -> None:
    (scheduled, plain) = do(
        pool,
        order_for(networks, "FASTAI", "late", until=0.0, late=1e12),
        order_for(networks, "TABM", "late 2", until=0.0, late=1e12),
    )
    assert isinstance(scheduled.result, FoldResult)
    assert isinstance(plain.result, FoldResult)
    # Only from the second epoch on it is known how long the rest takes.
    assert scheduled.result.outcome.epochs == 1 or not scheduled.result.outcome.stopped
    assert plain.result.outcome.epochs == 1


def test_with_folds_each_row_is_predicted_by_a_model_that_has_not_seen_it(tmp_path: Path) -> None:
    data = folded_rows()
    networks = Networks(tmp_path / NETWORKS, data)
    assert (networks.folds, networks.rows) == (FOLDS, 100)
    with TrainingPool(2, networks.rows_file) as pool:
        found = do(pool, *[order_for(networks, "FASTAI", "FastAI", fold) for fold in range(FOLDS)])
    reports = {fold: heard.result for fold, heard in enumerate(found)}
    networks.complete("FastAI", "FASTAI", reports)  # type: ignore[arg-type]
    shelf = networks.shelf
    prepared = shelf.prepared(data.features)
    by_fold = [np.asarray(model.predict(prepared)) for model in shelf._models("FastAI")]
    fold = np.arange(150) % FOLDS
    np.testing.assert_allclose(
        networks.held_out["FastAI"], np.choose(fold, by_fold), rtol=1e-6, err_msg="each row by the model without it"
    )
    np.testing.assert_allclose(shelf.predict(prepared, "FastAI"), np.mean(by_fold, axis=0), rtol=1e-6)
    networks.close()
    assert not (tmp_path / "scratch").exists()


def test_another_run_takes_the_networks_over(networks: Networks, fitted: dict[str, Heard], tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in networks.shelf.path.rglob("*") if path.is_file()}
    more = Networks(tmp_path / NETWORKS, held_out_rows(), source=networks.shelf.path, taken=["FastAI", "NN Torch"])
    assert more.names == ("FastAI", "NN Torch") == more.shelf.names()
    assert more.validation_rmse("FastAI") == networks.validation_rmse("FastAI")
    # As after a crash: a network half written.
    (more.shelf.path / "Half" / "fold-0").mkdir(parents=True)
    more.close()
    assert not (more.shelf.path / "Half").exists()
    assert {path: path.read_bytes() for path in before} == before, "what was there is never changed"


def test_an_ensemble_is_the_weighted_mean(networks: Networks, fitted: dict[str, Heard]) -> None:
    weights = ensemble.ensemble_weights(networks.held_out, networks.target)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert networks.ensemble_rmse() <= 1.05 * min(networks.validation_rmse(name) for name in networks.names)


def test_networks_of_another_version_are_not_loaded(networks: Networks, tmp_path: Path) -> None:
    networks.shelf.copy_to(tmp_path / "copy", [])
    (tmp_path / "copy" / "versions.json").write_text('{"autogluon.tabular": "0.1"}')
    with pytest.raises(ConflictError, match=r"made with AutoGluon 0\.1, and .* is installed"):
        NetworkStore(tmp_path / "copy")


def test_a_training_that_fails_says_why(networks: Networks, pool: TrainingPool) -> None:
    (failed,) = do(pool, order_for(networks, "REALMLP", "Broken", settings={"opt": "adamw"}))
    assert isinstance(failed.error, FitFailedError)
    assert "Error" in failed.error.message or "Exception" in failed.error.message
    # The process goes on.
    (fine,) = do(pool, order_for(networks, "FASTAI", "Fine"))
    assert isinstance(fine.result, FoldResult)


def test_a_process_that_dies_is_told_and_replaced(networks: Networks) -> None:
    with TrainingPool(1, networks.rows_file) as pool:
        pool.submit(0, order_for(networks, "TABM", "Long", epochs=100_000))
        while pool.wait(60.0)[0].epoch is None:
            pass
        pool._slots[0][0].kill()
        words = [word for _ in range(1000) for word in pool.wait(1.0) if word.epoch is None][:1] if pool.work else []
        assert isinstance(words[0].error, FitFailedError)
        assert "signal 9" in words[0].error.message
        (fine,) = do(pool, order_for(networks, "FASTAI", "Fine"))
        assert isinstance(fine.result, FoldResult)


def test_a_fold_whose_process_died_is_tried_once_more() -> None:
    planned = PlannedFit(model="x", family="TABM", epochs=3, seed=0, threads=1, device="cpu")
    fit = RunningFit(planned, Proposal("TABM", 0, 3, 0, 1.0), (0, 1))
    assert fit.may_try_again(0)
    again = replace(fit, tried_again=frozenset({0}))
    assert not again.may_try_again(0)
    assert again.may_try_again(1)
    assert not replace(fit, abandoned=True).may_try_again(0)


def test_all_processes_end_with_their_epoch_when_it_is_enough(networks: Networks) -> None:
    with TrainingPool(2, networks.rows_file) as pool:
        pool.finish()
        found = do(pool, order_for(networks, "TABM", "A", epochs=1000), order_for(networks, "NN_TORCH", "B", epochs=99))
    for heard in found:
        assert isinstance(heard.result, FoldResult)
        assert (heard.result.outcome.epochs, heard.result.outcome.stopped) == (1, True)


def test_a_full_disk_is_no_failure_of_one_network() -> None:
    assert isinstance(failure(OSError(errno.ENOSPC, "No space left on device")), OSError)
    assert isinstance(failure(RuntimeError("[Errno 28] No space left on device")), OSError)
    assert failure(MemoryError()).message == "The memory did not suffice."  # type: ignore[attr-defined]
    assert failure(ValueError("x")).message == "ValueError: x"  # type: ignore[attr-defined]


@every_family
def test_what_is_kept_of_a_network_has_nothing_of_its_training(
    chosen: Family, fitted: dict[str, Heard], networks: Networks
) -> None:
    """An optimizer makes a file several times as large, and one from a GPU can't be read on a machine without."""
    (model,) = networks.shelf._models(chosen.title)
    assert getattr(model, "optimizer", None) is None
    assert getattr(model.model, "opt", None) is None


def test_a_family_is_measured(networks: Networks, pool: TrainingPool) -> None:
    pilot = PilotJob("FASTAI", family("FASTAI").sample_settings(networks.rows, 0), 4, 1, False, 10.0)
    (heard,) = do(pool, pilot)
    assert isinstance(heard.result, PilotOutcome)
    assert heard.result.fixed >= 0
    assert 0 < heard.result.epoch < 10


@pytest.mark.parametrize(("cores", "gpu", "found"), [(1, False, (1, 1)), (2, False, (2, 1)), (32, False, (8, 4))])
def test_processes_share_the_cores(cores: int, gpu: bool, found: tuple[int, int]) -> None:
    assert processes_for(cores, gpu=gpu) == found


@pytest.mark.parametrize(
    ("cores", "rows", "gpu_mb", "found"),
    [
        (16, 500_000, 80_000, (1, 8)),
        (2, 30_000, 80_000, (1, 2)),
        (16, 29_999, 80_000, (8, 2)),
        (16, 29_999, 6_500, (4, 4)),
        (16, 29_999, 100, (1, 16)),
    ],
)
def test_processes_share_a_gpu_where_rows_and_memory_let_them(
    cores: int, rows: int, gpu_mb: float, found: tuple[int, int]
) -> None:
    assert processes_for(cores, gpu=True, rows=rows, gpu_mb=gpu_mb) == found


# --- the pipeline of the trained run ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pipeline(trained: RunFolder) -> Pipeline:
    return Pipeline(trained.model_path())


def test_a_row_alone_is_predicted_as_among_others(trained: RunFolder, pipeline: Pipeline) -> None:
    raw = prepared_of(trained.home, trained.experiment()).test.iloc[:6]
    for model in pipeline.models:
        together = pipeline.predict(raw, model.name)
        alone = np.concatenate([pipeline.predict(raw.iloc[[i]], model.name) for i in range(len(raw))])
        np.testing.assert_allclose(alone, together, rtol=1e-5)
        turned = pipeline.predict(raw.iloc[::-1], model.name)[::-1]
        np.testing.assert_allclose(turned, together, rtol=1e-5)


def test_the_pipeline_gives_what_the_leaderboard_was_made_of(trained: RunFolder, pipeline: Pipeline) -> None:
    stored = load_predictions(trained)
    raw = prepared_of(trained.home, trained.experiment()).test
    found = pipeline.predict_all(raw, tuple(m.name for m in pipeline.models))
    for name, predicted in stored.predicted.items():
        np.testing.assert_allclose(found[name], predicted, rtol=1e-5)
    np.testing.assert_allclose(pipeline.predict(raw), stored.predicted[pipeline.best_model], rtol=1e-5)


def test_rows_of_any_shape(trained: RunFolder, pipeline: Pipeline) -> None:
    raw = prepared_of(trained.home, trained.experiment()).test
    assert pipeline.predict(raw.iloc[:0]).shape == (0,)
    repeated = raw.iloc[[0, 0, 1]].set_axis([5, 5, 5])
    assert np.isfinite(pipeline.predict(repeated[repeated.columns[::-1]].assign(more=1))).all()
    nothing = pd.DataFrame({name: [None, None] for name in raw.columns})
    assert np.isfinite(pipeline.predict(nothing)).all()
    with pytest.raises(RowsError, match=r"no column size\."):
        pipeline.predict(raw.drop(columns="size"))


def test_an_unknown_model_is_told(trained: RunFolder, pipeline: Pipeline) -> None:
    raw = prepared_of(trained.home, trained.experiment()).test
    with pytest.raises(NotFoundError, match=r"There is no model 'XGBoost' here\. Choose from .*FastAI, "):
        pipeline.predict(raw, "XGBoost")


def test_sizes_are_those_of_the_files(trained: RunFolder, pipeline: Pipeline) -> None:
    folder: Path = pipeline.path / NETWORKS / "FastAI"
    wanted = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6
    assert pipeline.size_mb("FastAI") == pytest.approx(wanted)
