"""One training of one network on one division of the rows: what a process does."""

from __future__ import annotations

import random
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.networks import family, is_pretrained, network, pretrained
from dlreg_core.networks.epoch_watch import EpochWatch
from dlreg_core.pipeline import gpu_memory
from dlreg_core.pipeline.network_store import fold_folder
from dlreg_core.runs import scratch_folder
from dlreg_core.training.execution.fit_records import FitCallbacks, FoldResult, PreparedRows
from dlreg_core.training.execution.time_stopping import stopper
from dlreg_core.training.scheduler.fit_jobs import FoldJob, FoldOutcome, PilotJob, PilotOutcome

_PILOT_EPOCHS = 3
_FEWEST_PILOT_ROWS = 200
_FEWEST_BATCH = 32
_HALVED = 2
"""How often a batch is halved for which the GPU's memory doesn't suffice."""

_NO_CHECK = {"ag.max_memory_usage_ratio": None}
"""AutoGluon would leave out networks that fit: some of its estimates count a whole process anew. What doesn't fit has
been left out before."""


_Job = TypeVar("_Job", FoldJob, PilotJob)
_Found = TypeVar("_Found")


def train_fold(job: FoldJob, rows: PreparedRows, hooks: FitCallbacks) -> FoldResult:
    """Train a network with one fold held out, and keep it in its folder.

    A GPU whose memory doesn't suffice gets half the batch, twice at most; then the processor trains. A pre-trained
    network has no batch: there the processor is next, where it isn't too slow for so many rows.
    """

    def attempt(job: FoldJob) -> FoldResult:
        return _context_fold(job, rows) if is_pretrained(job.family) else _train_fold(job, rows, hooks)

    found, on_gpu, notes = _with_less_memory(job, attempt, job.fit.model, rows)
    outcome = replace(found.outcome, fell_back=job.gpu and not on_gpu, notes=(*notes, *found.outcome.notes))
    return replace(found, outcome=outcome)


def _with_less_memory(
    job: _Job, attempt: Callable[[_Job], _Found], name: str, rows: PreparedRows
) -> tuple[_Found, bool, tuple[str, ...]]:
    """Do a job on the GPU, with less and less of its memory until it suffices; on the processor at last.

    Returns
    -------
    tuple
        What was found, whether that was on the GPU, and what is to be said of it.
    """
    first = job
    notes: list[str] = []
    while True:
        try:
            return attempt(job), job.gpu, tuple(notes)
        except Exception as exc:
            if not job.gpu or not gpu_memory.ran_out(exc):
                raise
        gpu_memory.free()
        job = _smaller(job, first, len(notes), rows)
        batch = "" if is_pretrained(job.family) else job.settings.get(family(job.family).batch_setting)
        where = f"batches of {batch} rows" if job.gpu else "the CPU"
        notes.append(f"{name}: the GPU's memory did not suffice; trained again with {where}.")


def _smaller(job: _Job, first: _Job, tried: int, rows: PreparedRows) -> _Job:
    """Return what to try next of work that began as `first` and ran out of the GPU's memory.

    Raises
    ------
    MemoryError
        If nothing is left that ends in good time.
    """
    if is_pretrained(job.family):
        if rows.learned_from > pretrained(job.family).most_rows_cpu:
            raise MemoryError("The GPU's memory did not suffice, and a processor is too slow for so many rows.")
        return job.on(gpu=False, settings=job.settings)
    chosen = family(job.family)
    batch = int(job.settings.get(chosen.batch_setting, 256))
    if tried >= _HALVED or batch // 2 < _FEWEST_BATCH:
        # A processor has the memory for the batch that was planned, and fewer steps are quicker there.
        settings = {name: value for name, value in first.settings.items() if name not in chosen.mixed_precision}
        return first.on(gpu=False, settings=settings)
    return job.on(gpu=True, settings=job.settings | {chosen.batch_setting: batch // 2})


def _context_fold(job: FoldJob, rows: PreparedRows) -> FoldResult:
    """Give a pre-trained network all rows but one fold's as its context: it has no epochs, and learns nothing anew."""
    held = rows.fold == job.fold
    place = _emptied(job)
    start = time.perf_counter()
    model = _fitted(
        job.family,
        job.settings,
        str(place.parent),
        place.name,
        rows,
        rows.teaching(job.fold),
        held,
        None,
        job.threads,
        gpu=job.gpu,
    )
    predicted, notes = _predicted(model, rows, held, job.fit.model)
    _keep(model)
    seconds = time.perf_counter() - start
    return FoldResult(predicted, FoldOutcome(0, stopped=False, seconds=seconds, epoch_seconds=None, notes=notes))


def _predicted(
    model: Any, rows: PreparedRows, chosen: NDArray[np.bool_], name: str
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return a network's predictions for some of the rows, in the target's own unit, and what is to be said of them."""

    def predict(features: pd.DataFrame) -> NDArray[np.float64]:
        return np.asarray(model.predict(features), dtype=np.float64).ravel()

    found, parts = gpu_memory.predicted_in_parts(predict, rows.features[chosen])
    note = f"{name}: the GPU's memory did not suffice to predict {len(found):,} rows at once; {parts} parts were made."
    return rows.transform.inverse(found), (note,) if parts > 1 else ()


def _keep(model: Any) -> None:
    """Save a network without what only its training needed.

    Some keep their optimizer. That makes a file several times as large, and what it holds on a GPU can't be read on a
    machine without one.
    """
    model.reduce_memory_size()
    model.save()


def _watch(rows: PreparedRows, learned: NDArray[Any] | slice) -> EpochWatch:
    """Return a watch that tells errors in the target's own unit."""
    target = rows.learned_target[learned]
    return EpochWatch(
        target_mean=float(np.mean(target)),
        target_std=float(np.std(target)),
        error=rows.transform.error if rows.transform.changes else None,
    )


def _emptied(job: FoldJob) -> Path:
    """Return the place of a fold's model, without what an earlier attempt left there."""
    place = fold_folder(Path(job.folder), job.fold)
    if place.exists():
        shutil.rmtree(place)
    return place


def _train_fold(job: FoldJob, rows: PreparedRows, hooks: FitCallbacks) -> FoldResult:
    learned = learned_rows(job, rows)
    watch = _watch(rows, learned)
    watch.on_epoch, watch.stop_after = hooks.told, job.stop_after
    watch.stop_now = stopper(job, watch, hooks.finish)
    place = _emptied(job)
    chosen = family(job.family)
    settings = job.settings | {chosen.epochs_setting: job.fit.epochs, chosen.seed_setting: job.seed}
    held = rows.fold == job.fold
    start = time.perf_counter()
    model = _fitted(
        job.family, settings, str(place.parent), place.name, rows, learned, held, watch, job.threads, gpu=job.gpu
    )
    predicted, notes = _predicted(model, rows, held, job.fit.model)
    _keep(model)
    outcome = FoldOutcome(
        epochs=watch.epochs,
        stopped=watch.stopped,
        seconds=time.perf_counter() - start,
        epoch_seconds=watch.seconds_per_epoch(),
        notes=notes,
        second_half=watch.second_half(),
    )
    return FoldResult(predicted, outcome)


def learned_rows(job: FoldJob, rows: PreparedRows) -> NDArray[np.bool_]:
    """Return which rows a training learns from: all that aren't held out, or as many of them as were to be drawn."""
    learned = rows.teaching(job.fold)
    if 0 < job.fit.rows < learned.sum():
        rng = np.random.default_rng([job.seed, 4])
        drawn = rng.choice(np.flatnonzero(learned), job.fit.rows, replace=False, shuffle=False)
        learned = np.zeros(len(learned), dtype=bool)
        learned[drawn] = True
    return learned


def measure(job: PilotJob, rows: PreparedRows, hooks: FitCallbacks) -> PilotOutcome:
    """Train the smallest network of a family for a few epochs on the rows of some batches, and tell how long it took.

    Where that takes more than ``job.seconds``, or it is said to be enough meanwhile, for as few as can be. Where the
    GPU's memory doesn't suffice, what its training will come to is measured: a smaller batch, or the processor.
    """
    found, on_gpu, notes = _with_less_memory(
        job, lambda job: _measure(job, rows, hooks), family(job.family).title, rows
    )
    return replace(found, fell_back=job.gpu and not on_gpu, notes=(*notes, *found.notes))


def _measure(job: PilotJob, rows: PreparedRows, hooks: FitCallbacks) -> PilotOutcome:
    chosen = family(job.family)
    end = time.monotonic() + job.seconds
    watch = _watch(rows, slice(None))
    # The first epoch alone can't be told from what comes before it.
    watch.stop_now = lambda: hooks.finish() or (watch.epochs > 1 and time.monotonic() > end)
    train, held = np.flatnonzero(rows.teaching(0)), np.flatnonzero(rows.fold == 0)
    batch = int(job.settings.get(chosen.batch_setting, chosen.batch_size(len(train))))
    few = min(len(train), max(_FEWEST_PILOT_ROWS, job.batches * batch))
    few_held = max(2, len(held) * few // len(train))
    settings = job.settings | {chosen.epochs_setting: _PILOT_EPOCHS}
    with scratch_folder() as folder:
        start = time.perf_counter()
        _fitted(
            job.family,
            settings,
            str(folder),
            "pilot",
            rows,
            train[:few],
            held[:few_held],
            watch,
            job.threads,
            gpu=job.gpu,
        )
        took = time.perf_counter() - start
    epoch = watch.seconds_per_epoch() or took / max(1, watch.epochs)
    return PilotOutcome(max(0.0, took - watch.epochs * epoch), max(1e-4, epoch * len(train) / few))


def _fitted(  # noqa: PLR0913, PLR0917 - what a fit takes
    key: str,
    settings: dict[str, Any],
    folder: str,
    name: str,
    rows: PreparedRows,
    train: NDArray[Any],
    held: NDArray[Any],
    watch: EpochWatch | None,
    threads: int,
    *,
    gpu: bool,
) -> Any:
    import torch

    chosen = network(key)
    model = chosen.model_class()(
        path=folder,
        name=name,
        problem_type="regression",
        eval_metric="rmse",
        hyperparameters=chosen.model_settings(settings, watch.target_std if watch else 1.0) | _NO_CHECK,
    )
    features, target = rows.features, pd.Series(rows.learned_target, index=rows.features.index)
    # Whatever a library draws without a seed of its own.
    seed = int(settings.get(family(key).seed_setting, 0)) if watch else 0
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    with chosen.training(model, watch), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(
            X=features[train] if train.dtype == bool else features.iloc[train],
            y=target[train] if train.dtype == bool else target.iloc[train],
            X_val=features[held] if held.dtype == bool else features.iloc[held],
            y_val=target[held] if held.dtype == bool else target.iloc[held],
            feature_metadata=rows.metadata,
            num_cpus=threads,
            num_gpus=1 if gpu else 0,
            verbosity=0,
        )
    return model
