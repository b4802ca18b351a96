"""Each family really trains here: what is told of its epochs, and what is left of it when it is ended early."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from autogluon.tabular.models.fastainn.callbacks import EarlyStoppingCallbackWithTimeLimit

from dlreg_core.cleaning import AS_IT_IS, TargetTransform, fit_target_transform
from dlreg_core.networks import FAMILIES, family
from dlreg_core.networks.epoch_watch import EpochFigures, EpochWatch

pytestmark = pytest.mark.usefixtures("quiet")

EPOCHS = 6
MANY = 50

TOLERANCE = 1e-5
"""What is told and what is predicted differ by the digits of single precision."""

every_family = pytest.mark.parametrize("key", [family.key for family in FAMILIES])


def rows(count: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "a": rng.uniform(-2, 2, count),
            "b": rng.normal(size=count),
            "kind": pd.Categorical(rng.choice(["x", "y"], count)),
        }
    )
    target = 1000 + 50 * frame["a"] + 30 * (frame["kind"] == "x") + rng.uniform(-40, 40, count)
    return frame, target.rename("y")


TRAIN, VALIDATION = rows(320, 0), rows(100, 1)
STD = float(np.std(TRAIN[1]))


def skewed(target: pd.Series) -> np.ndarray[Any, Any]:
    """Return another target for the same rows, whose logarithm is what the rows tell of."""
    return np.asarray(np.exp((target.to_numpy() - 1000) / 40))


LOGARITHM = fit_target_transform(skewed(TRAIN[1]), "log")


@dataclass(frozen=True)
class Fitted:
    model: Any
    seen: list[EpochFigures]
    watch: EpochWatch

    @property
    def taught(self) -> list[EpochFigures]:
        """The epochs, without what a linear path predicts before the first one."""
        return [figures for figures in self.seen if figures.epoch]

    @property
    def rmse(self) -> float:
        return -float(self.model.score(*VALIDATION))

    @property
    def best(self) -> float:
        return min(figures.validation for figures in self.seen if figures.validation is not None)


def fit(
    key: str,
    path: Path,
    *,
    epochs: int = EPOCHS,
    settings: dict[str, Any] | None = None,
    time_limit: float | None = None,
    watched: bool = True,
    stop_now: Callable[[list[EpochFigures]], bool] | None = None,
    stop_after: int | None = None,
    transform: TargetTransform = AS_IT_IS,
) -> Fitted:
    seen: list[EpochFigures] = []
    asked = None if stop_now is None else (lambda: stop_now([figures for figures in seen if figures.epoch]))
    watch = EpochWatch(on_epoch=seen.append, stop_now=asked, stop_after=stop_after, target_std=STD)
    learned, held = TRAIN[1], VALIDATION[1]
    if transform.changes:
        learned, held = (pd.Series(transform.forward(skewed(y)), name="y") for y in (learned, held))
        watch.target_mean, watch.target_std = float(np.mean(learned)), float(np.std(learned))
        watch.error = transform.error
    model = family(key).model_class()(
        path=str(path),
        name=key,
        problem_type="regression",
        eval_metric="rmse",
        hyperparameters=family(key).sample_settings(len(TRAIN[0]), 0)
        | {family(key).epochs_setting: epochs}
        | (settings or {}),
    )
    with family(key).training(model, watch if watched else None):
        model.fit(
            X=TRAIN[0],
            y=learned,
            X_val=VALIDATION[0],
            y_val=held,
            num_cpus=1,
            num_gpus=0,
            verbosity=0,
            time_limit=time_limit,
        )
    return Fitted(model, seen, watch)


# --- what is told ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Fitted]:
    """A training of each family that is let go on to its last planned epoch."""
    known: dict[str, Fitted] = {}

    def trained(key: str) -> Fitted:
        if key not in known:
            path = tmp_path_factory.mktemp(key)
            known[key] = fit(key, path, stop_after=EPOCHS, stop_now=lambda seen: len(seen) >= EPOCHS)
        return known[key]

    return trained


@every_family
def test_every_epoch_is_told_once_with_its_figures(whole: Callable[[str], Fitted], key: str) -> None:
    fitted = whole(key)
    assert [figures.epoch for figures in fitted.taught] == list(range(1, EPOCHS + 1))
    assert fitted.watch.epochs == EPOCHS
    assert fitted.watch.times == sorted(fitted.watch.times)
    for figures in fitted.taught:
        assert figures.validation is not None
        assert 0 < figures.validation < 1000
        assert figures.train_loss is not None
        assert 0 < figures.train_loss < np.inf


@every_family
def test_the_last_planned_epoch_is_no_stop(whole: Callable[[str], Fitted], key: str) -> None:
    assert whole(key).watch.stopped is False


@every_family
def test_the_best_epochs_figure_is_the_models_score(whole: Callable[[str], Fitted], key: str) -> None:
    fitted = whole(key)
    assert fitted.best == pytest.approx(fitted.rmse, rel=TOLERANCE)


@every_family
@pytest.mark.parametrize("transform", [AS_IT_IS, LOGARITHM], ids=["itself", "logarithm"])
def test_targets_beyond_those_that_are_learned_from_count_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, transform: TargetTransform
) -> None:
    beyond = VALIDATION[1].where(np.arange(len(VALIDATION[1])) >= 10, 1185.0)
    monkeypatch.setitem(globals(), "VALIDATION", (VALIDATION[0], beyond))
    fitted = fit(key, tmp_path, transform=transform)
    learned = np.asarray(fitted.model.predict(VALIDATION[0]), dtype=np.float64)
    own = transform.inverse(learned), skewed(beyond) if transform.changes else beyond
    assert fitted.best == pytest.approx(float(np.sqrt(np.mean((own[0] - own[1]) ** 2))), rel=1e-4)


@every_family
def test_with_a_transformed_target_the_error_is_that_of_the_target_itself(tmp_path: Path, key: str) -> None:
    fitted = fit(key, tmp_path, transform=LOGARITHM)
    learned = np.asarray(fitted.model.predict(VALIDATION[0]), dtype=np.float64)
    rmse = float(np.sqrt(np.mean((LOGARITHM.inverse(learned) - skewed(VALIDATION[1])) ** 2)))
    assert fitted.best == pytest.approx(rmse, rel=max(1e-4, TOLERANCE))
    other = float(np.sqrt(np.mean((learned - LOGARITHM.forward(skewed(VALIDATION[1]))) ** 2)))
    assert abs(rmse / other - 1) > 0.05, "otherwise it might be the error of what is learned"


@every_family
def test_being_watched_changes_nothing(whole: Callable[[str], Fitted], tmp_path: Path, key: str) -> None:
    alone = fit(key, tmp_path, watched=False)
    assert alone.seen == []
    assert alone.rmse == pytest.approx(whole(key).rmse, rel=1e-7)


# A network that doesn't learn and drops nothing errs on the rows as it did when it was taught by them. The batches
# leave no row out. One network inside TabM, since the loss is the mean over them. Not so FASTAI, whose batch
# normalisation is another when it is taught.
STILL = {
    "NN_TORCH": {"learning_rate": 0.0, "weight_decay": 0.0, "dropout_prob": 0.0, "batch_size": 32},
    "TABM": {"lr": 0.0, "dropout": 0.0, "tabm_k": 1, "batch_size": 300},
    "REALMLP": {"lr": 0.0, "p_drop": 0.0, "batch_size": 32},
}


@pytest.mark.parametrize("key", list(STILL))
def test_the_training_loss_is_the_mean_over_the_rows_in_its_units(tmp_path: Path, key: str) -> None:
    fitted = fit(key, tmp_path, epochs=2, settings=STILL[key])
    errors = np.asarray(fitted.model.predict(TRAIN[0]) - TRAIN[1])
    loss = np.mean(np.abs(errors)) if key == "NN_TORCH" else np.mean((errors / STD) ** 2)
    # RealMLP clips its predictions to the range of the training target, but not when it is taught.
    for figures in fitted.taught:
        assert figures.train_loss == pytest.approx(loss, rel=0.05 if key == "REALMLP" else 1e-4)


def test_fastais_training_loss_is_of_the_standardised_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smoothed: list[list[float]] = []
    original = EarlyStoppingCallbackWithTimeLimit.after_epoch

    def after_epoch(self: Any) -> None:
        smoothed.append([float(value) for value in self.recorder.losses])
        original(self)

    monkeypatch.setattr(EarlyStoppingCallbackWithTimeLimit, "after_epoch", after_epoch)
    fitted = fit("FASTAI", tmp_path)
    # fastai keeps an average of all steps in which older ones weigh less and less: undone, it is each step's loss.
    beta, steps = 0.98, len(smoothed[0])
    sums = [value * (1 - beta**step) for step, value in enumerate(smoothed[-1], start=1)]
    losses = [(now - beta * then) / (1 - beta) for then, now in pairwise([0.0, *sums])]
    means = [np.mean(losses[start : start + steps]) for start in range(0, len(losses), steps)]
    assert [figures.train_loss for figures in fitted.seen] == pytest.approx(means, rel=1e-3)
    last = fitted.seen[-1]
    assert last.train_loss is not None
    assert 0.5 * fitted.rmse < np.sqrt(last.train_loss) * STD < 2 * fitted.rmse


def test_a_figure_that_is_no_number_is_unknown() -> None:
    seen: list[EpochFigures] = []
    watch = EpochWatch(on_epoch=seen.append)
    assert not watch.passed(float("nan"), None)
    assert seen == [EpochFigures(1, None, None)]


# --- ending a training -----------------------------------------------------------------------------------------------


@every_family
def test_a_stopped_training_leaves_a_whole_model(tmp_path: Path, key: str) -> None:
    fitted = fit(key, tmp_path, epochs=MANY, stop_now=lambda seen: len(seen) >= 2)
    assert [figures.epoch for figures in fitted.taught] == [1, 2]
    assert fitted.watch.stopped is True
    before = np.asarray(fitted.model.predict(VALIDATION[0]))
    fitted.model.save()
    loaded = type(fitted.model).load(fitted.model.path)
    np.testing.assert_allclose(np.asarray(loaded.predict(VALIDATION[0])), before, rtol=1e-6)
    assert fitted.best == pytest.approx(fitted.rmse, rel=TOLERANCE)
    files = [file for file in Path(fitted.model.path).rglob("*") if file.is_file()]
    assert files
    # Only the family of this program leaves its own name in a model.
    assert any(b"dlreg_core" in file.read_bytes() for file in files) == (key == "FEEDFORWARD")


@every_family
def test_the_best_of_the_epochs_is_kept_not_the_last(tmp_path: Path, key: str) -> None:
    # Ended right after an epoch that made it worse, as steps that are far too large soon do; AutoGluon's own network
    # goes up and down by itself.
    wild = {"learning_rate": 0.3, "schedule": "constant"}
    steps: dict[str, dict[str, Any]] = {
        "FEEDFORWARD": wild,
        "FASTAI": {"lr": 0.3},
        "NN_TORCH": {},
        "TABM": {"lr": 0.1},
        "REALMLP": {"lr": 2.0},
    }

    def worse(seen: list[EpochFigures]) -> bool:
        return len(seen) > 1 and (seen[-1].validation or 0.0) > min(f.validation or 0.0 for f in seen[:-1]) * 1.02

    fitted = fit(key, tmp_path, epochs=MANY, settings=steps[key], stop_now=worse)
    assert fitted.watch.stopped is True
    assert len(fitted.seen) < MANY
    # What is told is each epoch's own error, not the best so far.
    assert fitted.best < (fitted.seen[-1].validation or 0.0)
    assert fitted.best == pytest.approx(fitted.rmse, rel=TOLERANCE)


@every_family
def test_a_training_can_end_after_its_first_epoch(tmp_path: Path, key: str) -> None:
    fitted = fit(key, tmp_path, epochs=MANY, stop_after=1)
    assert [figures.epoch for figures in fitted.taught] == [1]
    assert fitted.watch.stopped is True
    assert fitted.taught[0].validation == pytest.approx(fitted.rmse, rel=TOLERANCE)
    assert fitted.taught[0].train_loss is not None
    assert np.isfinite(fitted.model.predict(VALIDATION[0])).all()


def test_torch_ends_whatever_its_own_patience(tmp_path: Path) -> None:
    lengths: tuple[dict[str, Any], ...] = ({"epochs_wo_improve": 30}, {"ag.early_stop": None}, {"ag.early_stop": 40})
    for number, settings in enumerate(lengths):
        fitted = fit("NN_TORCH", tmp_path / str(number), epochs=MANY, settings=settings, stop_after=3)
        assert fitted.watch.epochs == 3


def test_tabms_own_time_limit_holds_while_it_is_watched(tmp_path: Path) -> None:
    fitted = fit("TABM", tmp_path, epochs=100_000, settings={"patience": 100_000}, time_limit=1.5)
    assert 1 < fitted.watch.epochs < 100_000
    assert fitted.watch.stopped is False
    assert fitted.best == pytest.approx(fitted.rmse, rel=1e-5)


# --- what is left of the wrapping ------------------------------------------------------------------------------------


def originals(key: str) -> list[Any]:
    return [inspect.getattr_static(target, name) for target, name, _ in family(key).places(EpochWatch())]


@every_family
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_stays_wrapped(key: str, fails: bool) -> None:
    before = originals(key)
    with pytest.raises(RuntimeError) if fails else nullcontext(), family(key).training(SimpleNamespace(), EpochWatch()):
        assert all(now is not then for now, then in zip(originals(key), before, strict=True))
        if fails:
            raise RuntimeError
    assert all(now is then for now, then in zip(originals(key), before, strict=True))


@pytest.mark.parametrize(
    ("errors", "gained"), [([], 0.0), ([5.0], 0.0), ([5.0, 4.0], 1.0), ([5.0, 3.0, 4.0, 2.5], 0.5), ([1.0, 2.0], 0.0)]
)
def test_the_gain_of_the_second_half_of_a_training(errors: list[float], gained: float) -> None:
    watch = EpochWatch()
    for error in errors:
        watch.passed(error, 10)
    assert watch.second_half() == gained
