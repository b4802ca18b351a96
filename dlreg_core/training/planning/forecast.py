"""What fits into a run's budget and into the machine, decided from what its table is expected to cost.

Memory and disk that don't suffice rule a network or a whole run out. Time is a guess until the run has measured it, so
it foretells only; a run is refused for it only where a small part of what is expected would already be more than there
is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Literal

from dlreg_core.networks import FAMILIES, family
from dlreg_core.runs import MeasuredSpeeds, ModelOutlook, Outlook, recent_speeds
from dlreg_core.specs import Split, TrainPlan
from dlreg_core.splitting import fold_count
from dlreg_core.training.execution.process_pool import processes_for
from dlreg_core.training.planning.cost_model import (
    TableFacts,
    baselines_mb,
    disk_mb,
    expected_speed,
    startup_seconds,
    training_mb,
)
from dlreg_core.training.planning.run_refusal import (
    both_sizes,
    lack_of_disk,
    lack_of_memory,
    lack_of_time,
    seconds_words,
)
from dlreg_core.training.scheduler.allocation import (
    EXTRA_FITS,
    Proposal,
    order,
)
from dlreg_core.training.scheduler.fit_speed import Speed
from dlreg_core.training.scheduler.scheduler_state import Setup
from dlreg_core.training.scheduler.simulation import simulated

_PREDICTED_PER_SECOND = 20_000.0

_BUDGETS = (60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0)
"""What a person may be told to choose: those of the page."""

_NEAREST = 5
_MOST_FACTOR = 20.0

_KNOWN_WITHIN, _GUESSED_WITHIN = 1.5, 2.0
"""So many times quicker or slower than expected a family may well be, where earlier runs have measured it on this
machine and where none has: what else the machine does, and which families are given up early, is known only then."""

_KEYS = tuple(chosen.key for chosen in FAMILIES)


@dataclass(frozen=True)
class FreeResources:
    """What a run may use: free memory and disk in MB, processor cores, and whether it trains on a GPU.

    ``crowding`` is how many times longer everything takes because of what else the machine does at this moment.
    """

    memory_mb: float
    disk_mb: float
    cores: int = 1
    gpu: bool = False
    crowding: float = 1.0


@dataclass(frozen=True)
class KnownSpeeds:
    """Speeds that earlier runs measured, the newest first."""

    records: tuple[MeasuredSpeeds, ...] = ()

    def factor(self, key: str, rows: int, features: int, *, gpu: bool) -> float:
        """Return how many times longer than expected a family trains here.

        The median of the measurements on the tables that are nearest in size; on the same device where there are any,
        and of all families where this one has none.

        Returns
        -------
        float
            1 where nothing has been measured.
        """
        device = "gpu" if gpu else "cpu"
        records = [record for record in self.records if record.device == device] or list(self.records)
        # The sort is stable: of tables of one size the newest come first.
        nearest = sorted(records, key=lambda record: _distance(record, rows, features))
        own = [_ratio(record, key) for record in nearest if key in record.families][:_NEAREST]
        others = [_ratio(record, other) for record in nearest for other in _KEYS if other in record.families]
        ratios = own or others[: _NEAREST * len(_KEYS)]
        return min(_MOST_FACTOR, max(1 / _MOST_FACTOR, median(ratios))) if ratios else 1.0

    def within(self, key: str, *, gpu: bool) -> float:
        """Return how many times quicker or slower than `factor` says a family may well be."""
        device = "gpu" if gpu else "cpu"
        measured = any(record.device == device and key in record.families for record in self.records)
        return _KNOWN_WITHIN if measured else _GUESSED_WITHIN


def known_speeds(home: Path) -> KnownSpeeds:
    """Return what the newest runs of a home measured; files that are damaged are left out."""
    return KnownSpeeds(recent_speeds(home))


def _distance(record: MeasuredSpeeds, rows: int, features: int) -> float:
    """How different two tables are in size, whichever is the larger one."""
    return abs(math.log(record.rows / max(1, rows))) + abs(math.log(record.features / max(1, features)))


def _ratio(record: MeasuredSpeeds, key: str) -> float:
    """Measured time relative to the expected one, for a training that is just worth it."""
    measured = record.families[key]
    epochs = family(key).fewest(record.rows)
    gpu = record.device == "gpu" if measured.gpu is None else measured.gpu
    expected = expected_speed(key, record.rows, record.features, gpu=gpu)
    # What else the machine did then, it need not do now.
    return Speed(measured.fixed, measured.epoch).seconds(epochs) / expected.seconds(epochs) / record.crowding


def kept_seconds(facts: TableFacts, plan: TrainPlan) -> float:
    """Return what is kept of the budget for judging and for the first explanation."""
    count = len(plan.models)
    judging = 1.0 + 0.15 * count + (facts.validation_rows + facts.test_rows) * count / _PREDICTED_PER_SECOND
    return min(judging, 0.25 * plan.time_limit) + min(60.0, max(2.0, 0.04 * plan.time_limit))


def first_round(
    speeds: Mapping[str, Speed],
    facts: TableFacts,
    seconds: float,
    plan: TrainPlan,
    *,
    processes: int,
    gpu: bool = False,
) -> dict[str, tuple[Proposal | None, float]]:
    """Foretell the first training of each family: the run's own scheduler, on a clock that does not run.

    Parameters
    ----------
    speeds : mapping of str to Speed
        Expected speeds of the families that will be tried.
    facts : TableFacts
        The table.
    seconds : float
        Seconds for all of them.
    plan : TrainPlan
        What shall be trained.
    processes : int
        Trainings side by side.
    gpu : bool
        Whether they train on a GPU.

    Returns
    -------
    dict
        By family: its training, None where no useful one fits, and the seconds that are left at its turn.
    """
    tried = plan.model_copy(update={"models": order(tuple(speeds)), "device": "gpu" if gpu else "cpu"})
    setup = Setup(tried, facts.learned_from, facts.features, max(1, facts.folds), processes, gpu=gpu)
    found: dict[str, tuple[Proposal | None, float]] = {}
    last = seconds
    for step in simulated(setup, seconds, speeds.__getitem__):
        last, state = step.at.left, step.state
        for fit in state.running:
            key = fit.planned.family
            # What is only meant to show something soon is followed by the family's first network.
            if found.get(key, (None,))[0] is None and fit.planned.model != state.glance:
                found[key] = (fit.proposal, last)
        if not (state.waiting or state.late or state.measuring):
            break
    return {key: found.get(key, (None, last)) for key in order(tuple(speeds))}


def foresee(
    plan: TrainPlan,
    facts: TableFacts,
    room: FreeResources,
    known: KnownSpeeds | None = None,
    split: Split | None = None,
) -> Outlook:
    """Say what a run needs, which networks it will have to do without, and whether it can be carried out at all.

    Parameters
    ----------
    plan : TrainPlan
        What shall be trained, and for how long.
    facts : TableFacts
        The table.
    room : FreeResources
        What is free.
    known : KnownSpeeds, optional
        What earlier runs measured.
    split : Split, optional
        How the rows are divided: with more time, more of them are divided into folds.
    """
    known = known or KnownSpeeds()
    divided = facts
    facts = _divided(divided, split, plan.time_limit)
    keys = order([family(key).key for key in plan.models])
    rows, features, gpu = facts.learned_from, facts.features, room.gpu
    factors = {key: known.factor(key, rows, features, gpu=gpu) * room.crowding for key in keys}
    speeds = {key: expected_speed(key, rows, features, gpu=gpu, factor=factors[key]) for key in keys}
    processes, _ = processes_for(room.cores, gpu=gpu, rows=rows)
    memory = {
        key: [training_mb(facts, key, i, gpu=gpu, processes=processes) for i in range(len(family(key).sizes))]
        for key in keys
    }
    startup = startup_seconds(facts, plan.time_limit)
    possible = {key: speeds[key] for key in keys if memory[key][0] <= room.memory_mb}

    within = {key: known.within(key, gpu=gpu) for key in possible}

    def firsts_with(budget: float, then: Mapping[str, Speed]) -> dict[str, tuple[Proposal | None, float]]:
        there, planned = _divided(divided, split, budget), plan.model_copy(update={"time_limit": budget})
        seconds = budget - startup_seconds(there, budget) - kept_seconds(there, planned)
        return first_round(then, there, seconds, planned, processes=processes, gpu=gpu)

    def all_fit(budget: float) -> bool:
        # What else the machine does now tells nothing of so long a time.
        slow = {key: speed.slower(within[key] / room.crowding) for key, speed in possible.items()}
        return _all_fit(firsts_with(budget, slow), _divided(divided, split, budget).folds, processes)

    firsts = firsts_with(plan.time_limit, possible)
    others = [firsts_with(plan.time_limit, then) for then in _as_they_may_be(possible, within, room.crowding)]
    close = {key for key, (fit, _) in firsts.items() if any((then[key][0] is None) != (fit is None) for then in others)}
    waves = math.ceil(max(1, facts.folds) / processes)
    models = tuple(_model(key, speeds[key], memory[key], room, firsts.get(key), waves, key in close) for key in keys)
    # Where time suffices for none, the run still tries, with the smallest sizes.
    sizes = {
        model.family: min(proposal.size, model.largest_size)
        for model in models
        if (proposal := firsts.get(model.family, (None, 0.0))[0]) is not None
    } or {model.family: 0 for model in models}
    outlook = Outlook(
        rows=rows,
        features=features,
        memory_mb=max(baselines_mb(facts, plan.time_limit), *(memory[key][index] for key, index in sizes.items())),
        memory_free_mb=room.memory_mb,
        disk_mb=disk_mb(facts, sizes, EXTRA_FITS[plan.preset] + (plan.search.trials if plan.search is not None else 0)),
        disk_free_mb=room.disk_mb,
        models=models,
        seconds_startup=startup,
        crowding=room.crowding,
        seconds_for_all=next((budget for budget in _BUDGETS if budget > plan.time_limit and all_fit(budget)), None)
        if any(model.lacks == "time" or model.late or model.close for model in models)
        else None,
    )
    refusal = (
        lack_of_memory(outlook, baselines_mb(facts, plan.time_limit))
        or lack_of_disk(outlook)
        or lack_of_time(outlook, plan, shared=room.gpu or room.cores > 1)
    )
    return outlook.model_copy(update=refusal)


def _as_they_may_be(
    speeds: Mapping[str, Speed], within: Mapping[str, float], crowding: float
) -> list[dict[str, Speed]]:
    """Return how fast the families may turn out to be: all of them slower or quicker, and each of them alone.

    What else the machine does may end at any moment.
    """
    slower = {key: speed.slower(within[key]) for key, speed in speeds.items()}
    quicker = {key: speed.slower(1 / (within[key] * crowding)) for key, speed in speeds.items()}
    alone = [{**speeds, key: changed[key]} for changed in (slower, quicker) for key in speeds]
    return [slower, quicker, *alone]


def _divided(facts: TableFacts, split: Split | None, seconds: float) -> TableFacts:
    """Return what is known of a table, with its rows divided as they are in a run of so many seconds."""
    folds = facts.folds if split is None else fold_count(split, facts.rows + facts.validation_rows, seconds)
    if split is None or (folds > 0) == (facts.folds > 0):
        return replace(facts, folds=folds)
    rows = facts.rows + facts.validation_rows
    held = 0 if folds else round(rows * split.validation / (1 - split.test))
    part = (rows - held) / max(1, facts.rows)
    return replace(facts, rows=rows - held, validation_rows=held, folds=folds, networks_mb=facts.networks_mb * part)


def _is_late(fit: Proposal, left: float) -> bool:
    """Tell whether a training, of one process's seconds, takes longer than what is left."""
    return fit.seconds > left * (1 + 1e-6)


def _all_fit(firsts: Mapping[str, tuple[Proposal | None, float]], folds: int, processes: int) -> bool:
    waves = math.ceil(max(1, folds) / processes)
    return all(fit is not None and not _is_late(fit, left / waves) for fit, left in firsts.values())


def _model(
    key: str,
    speed: Speed,
    memory: Sequence[float],
    room: FreeResources,
    first: tuple[Proposal | None, float] | None,
    waves: int,
    close: bool,
) -> ModelOutlook:
    chosen = family(key)
    needed = waves * speed.least(chosen)
    proposal, left = first or (None, 0.0)
    largest = max((index for index, mb in enumerate(memory) if mb <= room.memory_mb), default=-1)
    lacks: Literal["", "memory", "time"] = ""
    reason = ""
    if largest < 0:
        wanted, free = both_sizes(memory[0], room.memory_mb)
        lacks, reason = "memory", f"needs about {wanted} of memory, {free} are free"
    elif proposal is None:
        lacks, reason = (
            "time",
            f"needs {seconds_words(needed)} to train to something useful, {_left_words(needed, left)}",
        )
    return ModelOutlook(
        family=key,
        title=chosen.title,
        fits=not lacks,
        reason=reason,
        lacks=lacks,
        memory_mb=memory[0],
        largest_size=largest,
        seconds_fewest=needed,
        epochs=proposal.epochs if proposal is not None else 0,
        late=proposal is not None and _is_late(proposal, left / waves),
        close=close,
    )


def _left_words(needed: float, left: float) -> str:
    if left >= needed:
        return "more than its share of the time"
    return f"and {seconds_words(left)} will be left for it" if left >= 1 else "and no time will be left for it"
