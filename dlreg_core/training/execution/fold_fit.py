"""One training of one network on one division of the rows: what a lane does."""

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
from dlreg_core.runs.scratch_folders import scratch_folder
from dlreg_core.training.execution.fit_records import Ears, Measured, Order, PilotOrder, PreparedRows, Report
from dlreg_core.training.execution.time_stopping import stopper

_PILOT_EPOCHS = 3
_FEWEST_PILOT_ROWS = 200
_FEWEST_BATCH = 32
_HALVED = 2
"""How often a batch is halved for which the GPU's memory doesn't suffice."""

_NO_CHECK = {"ag.max_memory_usage_ratio": None}
"""AutoGluon would leave out networks that fit: some of its estimates count a whole process anew. What doesn't fit has
been left out before."""


_Work = TypeVar("_Work", Order, PilotOrder)
_Outcome = TypeVar("_Outcome", Report, Measured)


def train_fold(order: Order, rows: PreparedRows, ears: Ears) -> Report:
    """Train a network with one fold held out, and keep it in its folder.

    A GPU whose memory doesn't suffice gets half the batch, twice at most; then the processor trains. A pre-trained
    network has no batch: there the processor is next, where it isn't too slow for so many rows.
    """

    def attempt(order: Order) -> Report:
        return _context_fold(order, rows) if is_pretrained(order.family) else _train_fold(order, rows, ears)

    return _with_less_memory(order, attempt, order.network, rows)


def _with_less_memory(order: _Work, attempt: Callable[[_Work], _Outcome], name: str, rows: PreparedRows) -> _Outcome:
    """Do some work on the GPU, with less and less of its memory until it suffices; on the processor at last."""
    first = order
    notes: list[str] = []
    while True:
        try:
            found: _Outcome = attempt(order)
            return replace(found, fell_back=first.gpu and not order.gpu, notes=(*notes, *found.notes))
        except Exception as exc:
            if not order.gpu or not gpu_memory.ran_out(exc):
                raise
        gpu_memory.free()
        order = _smaller(order, first, len(notes), rows)
        batch = "" if is_pretrained(order.family) else order.settings.get(family(order.family).batch_setting)
        where = f"batches of {batch} rows" if order.gpu else "the CPU"
        notes.append(f"{name}: the GPU's memory did not suffice; trained again with {where}.")


def _smaller(order: _Work, first: _Work, tried: int, rows: PreparedRows) -> _Work:
    """Return what to try next of work that began as `first` and ran out of the GPU's memory.

    Raises
    ------
    MemoryError
        If nothing is left that ends in good time.
    """
    if is_pretrained(order.family):
        if rows.learned_from > pretrained(order.family).most_rows_cpu:
            raise MemoryError("The GPU's memory did not suffice, and a processor is too slow for so many rows.")
        return replace(order, gpu=False)
    chosen = family(order.family)
    batch = int(order.settings.get(chosen.batch_setting, 256))
    if tried >= _HALVED or batch // 2 < _FEWEST_BATCH:
        # A processor has the memory for the batch that was planned, and fewer steps are quicker there.
        settings = {name: value for name, value in first.settings.items() if name not in chosen.mixed_precision}
        return replace(first, gpu=False, settings=settings)
    return replace(order, settings=order.settings | {chosen.batch_setting: batch // 2})


def _context_fold(order: Order, rows: PreparedRows) -> Report:
    """Give a pre-trained network all rows but one fold's as its context: it has no epochs, and learns nothing anew."""
    held = rows.fold == order.fold
    place = _emptied(order)
    start = time.perf_counter()
    model = _fitted(
        order.family,
        order.settings,
        str(place.parent),
        place.name,
        rows,
        rows.teaching(order.fold),
        held,
        None,
        order.threads,
        gpu=order.gpu,
    )
    predicted, notes = _predicted(model, rows, held, order.network)
    _keep(model)
    seconds = time.perf_counter() - start
    return Report(predicted, 0, stopped=False, seconds=seconds, epoch_seconds=None, notes=notes)


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


def _emptied(order: Order) -> Path:
    """Return the place of a fold's model, without what an earlier attempt left there."""
    place = fold_folder(Path(order.folder), order.fold)
    if place.exists():
        shutil.rmtree(place)
    return place


def _train_fold(order: Order, rows: PreparedRows, ears: Ears) -> Report:
    learned = learned_rows(order, rows)
    watch = _watch(rows, learned)
    watch.on_epoch, watch.stop_after = ears.told, order.stop_after
    watch.stop_now = stopper(order, watch, ears.finish)
    place = _emptied(order)
    chosen = family(order.family)
    settings = order.settings | {chosen.epochs_setting: order.epochs, chosen.seed_setting: order.seed + order.fold}
    held = rows.fold == order.fold
    start = time.perf_counter()
    model = _fitted(
        order.family, settings, str(place.parent), place.name, rows, learned, held, watch, order.threads, gpu=order.gpu
    )
    predicted, notes = _predicted(model, rows, held, order.network)
    _keep(model)
    return Report(
        held_out=predicted,
        epochs=watch.epochs,
        stopped=watch.stopped,
        seconds=time.perf_counter() - start,
        epoch_seconds=watch.seconds_per_epoch(),
        notes=notes,
        second_half=watch.second_half(),
    )


def learned_rows(order: Order, rows: PreparedRows) -> NDArray[np.bool_]:
    """Return which rows a training learns from: all that aren't held out, or as many of them as were to be drawn."""
    learned = rows.teaching(order.fold)
    if 0 < order.rows < learned.sum():
        rng = np.random.default_rng([order.seed + order.fold, 4])
        drawn = rng.choice(np.flatnonzero(learned), order.rows, replace=False, shuffle=False)
        learned = np.zeros(len(learned), dtype=bool)
        learned[drawn] = True
    return learned


def measure(order: PilotOrder, rows: PreparedRows, ears: Ears) -> Measured:
    """Train the smallest network of a family for a few epochs on the rows of some batches, and tell how long it took.

    Where that takes more than ``order.seconds``, or it is said to be enough meanwhile, for as few as can be. Where the
    GPU's memory doesn't suffice, what its training will come to is measured: a smaller batch, or the processor.
    """
    return _with_less_memory(order, lambda order: _measure(order, rows, ears), family(order.family).title, rows)


def _measure(order: PilotOrder, rows: PreparedRows, ears: Ears) -> Measured:
    chosen = family(order.family)
    end = time.monotonic() + order.seconds
    watch = _watch(rows, slice(None))
    # The first epoch alone can't be told from what comes before it.
    watch.stop_now = lambda: ears.finish() or (watch.epochs > 1 and time.monotonic() > end)
    train, held = np.flatnonzero(rows.teaching(0)), np.flatnonzero(rows.fold == 0)
    batch = int(order.settings.get(chosen.batch_setting, chosen.batch_size(len(train))))
    few = min(len(train), max(_FEWEST_PILOT_ROWS, order.batches * batch))
    few_held = max(2, len(held) * few // len(train))
    settings = order.settings | {chosen.epochs_setting: _PILOT_EPOCHS}
    with scratch_folder() as folder:
        start = time.perf_counter()
        _fitted(
            order.family,
            settings,
            str(folder),
            "pilot",
            rows,
            train[:few],
            held[:few_held],
            watch,
            order.threads,
            gpu=order.gpu,
        )
        took = time.perf_counter() - start
    epoch = watch.seconds_per_epoch() or took / max(1, watch.epochs)
    return Measured(max(0.0, took - watch.epochs * epoch), max(1e-4, epoch * len(train) / few))


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
