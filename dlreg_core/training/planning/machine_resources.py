"""What AutoGluon and the machine say about a run before it starts: estimated memory, and how much is free."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from autogluon.features.generators import AutoMLPipelineFeatureGenerator
from sklearn.feature_extraction.text import CountVectorizer

from dlreg_core.networks import FAMILIES, Family, network
from dlreg_core.runs import Outlook
from dlreg_core.specs import RowCounts, TrainPlan
from dlreg_core.training.planning.cost_model import TableFacts
from dlreg_core.training.planning.forecast import FreeResources, foresee, known_speeds

_SAMPLE_ROWS = 20_000
"""More rows than this tell hardly more about what a table will cost."""

_TEXT_ROWS = 2_000
_RAREST_TERM, _MOST_TERMS = 30, 10_000
_MEMORY_FOR_TERMS = 0.15
"""AutoGluon counts a term of a text where it stands in at least so many rows, so many terms at most, and fewer where
they and the process would fill more than this share of the memory."""

_MOST_LEVELS = 50
"""Levels of a category that the baselines keep apart."""

_RAW_FACTOR = 1.5
"""Memory of raw rows relative to cleaned ones, where it isn't known: levels are still text."""

_LOOKS, _LOOK_SECONDS = 5, 0.2
"""So often, and in so many seconds, is looked at which processes want a processor."""

_CGROUPS, _OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def preflight(
    features: pd.DataFrame,
    counts: RowCounts,
    plan: TrainPlan,
    home: Path,
    *,
    cores: int,
    gpu: bool,
    raw_mb: float | None = None,
    held_mb: float = 0.0,
) -> Outlook:
    """Say what a run needs and whether it fits into the machine and its budget.

    Parameters
    ----------
    features : pandas.DataFrame
        Cleaned training rows; a sample of them is enough for a large table.
    counts : RowCounts
        How many rows there really are.
    plan : TrainPlan
        What shall be trained.
    home : Path
        Where the run will be kept, and where earlier ones have left what they measured.
    cores : int
        Processor cores that the run may use.
    gpu : bool
        Whether networks will train on a GPU.
    raw_mb : float, optional
        Memory of the raw rows of all parts in MB.
    held_mb : float
        Memory that belongs to the run already: what this process holds, where it is the one that will train.
    """
    facts = study(features, counts, raw_mb)
    return foresee(plan, facts, room(home, cores=cores, gpu=gpu, held_mb=held_mb), known_speeds(home))


def study(features: pd.DataFrame, counts: RowCounts, raw_mb: float | None = None) -> TableFacts:
    """Find out what the cost of training on a table depends on; this is the slow part of `preflight`.

    Parameters
    ----------
    features, counts, raw_mb
        As in `preflight`.
    """
    sample = spread_rows(features)
    times = counts.train / max(1, len(sample))
    cleaned_mb = frame_mb(sample) * times * (1 + counts.validation / max(1, counts.train))
    if raw_mb is None:
        parts = counts.train + counts.validation
        raw_mb = _RAW_FACTOR * cleaned_mb * (parts + counts.test) / max(1, parts)
    networks = _as_networks_get_it(sample, counts.train)
    return TableFacts(
        rows=counts.train,
        validation_rows=counts.validation,
        test_rows=counts.test,
        features=networks.shape[1],
        encoded=_encoded_columns(sample),
        networks_mb=frame_mb(networks) * counts.train / max(1, len(networks)),
        cleaned_mb=cleaned_mb,
        raw_mb=raw_mb,
        estimates_mb={chosen.key: _estimates_mb(chosen, networks, counts.train) for chosen in FAMILIES},
        folds=counts.folds,
        categories=sample.select_dtypes("category").shape[1],
    )


def room(home: Path, *, cores: int, gpu: bool, held_mb: float = 0.0, crowding: float = 1.0) -> FreeResources:
    """Return what a run may use at this moment; `held_mb` is counted as free."""
    # The home is made when something is first stored in it.
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    return FreeResources(
        memory_mb=free_memory_mb() + held_mb,
        disk_mb=shutil.disk_usage(there).free / 1e6,
        cores=cores,
        gpu=gpu,
        crowding=crowding,
    )


def present_crowding(cores: int) -> float:
    """Return how many times longer a run on `cores` would take because of what else the machine does.

    Others count that have been at work for some time, by the load of the last minute, and still are, by the processes
    that want a processor now; each is taken to want a whole one.

    Returns
    -------
    float
        1 where there is a processor for everything.
    """
    try:
        others = min(os.getloadavg()[0], _running_now())
    except (AttributeError, OSError):
        # There is no such figure on every system.
        return 1.0
    return max(1.0, (others + cores) / (os.cpu_count() or cores))


def _running_now() -> float:
    """Return how many other processes want a processor, on average over the moments of a look."""
    seen = []
    for _ in range(_LOOKS):
        time.sleep(_LOOK_SECONDS / _LOOKS)
        found = re.search(r"^procs_running (\d+)", Path("/proc/stat").read_text(), re.MULTILINE)
        seen.append(int(found[1]) - 1 if found else 0)
    return sum(seen) / _LOOKS


def own_memory_mb() -> float:
    """Return the memory that this process holds, in MB."""
    return float(psutil.Process().memory_info().rss) / 1e6


def free_memory_mb(cgroups: Path = _CGROUPS, own: Path = _OWN_CGROUP) -> float:
    """Return the memory that processes beside the present ones may take: of the machine, or of this control group.

    Reads ``memory.max``, ``memory.current`` and ``memory.stat`` of control groups version 2, of this process' own group
    and of all that contain it.
    """
    free = float(psutil.virtual_memory().available)
    try:
        name = own.read_text().strip().rpartition(":")[2].strip("/")
    except OSError:
        # Elsewhere than on Linux.
        name = ""
    folder = cgroups / name
    for group in (folder, *folder.parents):
        free = min(free, _free_of_group(group))
        if group == cgroups:
            break
    return max(0.0, free) / 1e6


def _free_of_group(folder: Path) -> float:
    try:
        most, used = (folder / "memory.max").read_text().strip(), int((folder / "memory.current").read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return float("inf")
    # Files that were read once are counted as used, and given up as soon as memory is wanted.
    return float("inf") if most == "max" else int(most) - used + int(stat.get("inactive_file", 0))


# --- the table --------------------------------------------------------------------------------------------------------


def spread_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows from everywhere in a frame, as many as are needed to judge what it will cost."""
    if len(frame) > _SAMPLE_ROWS:
        frame = frame.iloc[np.linspace(0, len(frame) - 1, _SAMPLE_ROWS).astype(int)]
    return frame.reset_index(drop=True)


def frame_mb(frame: pd.DataFrame) -> float:
    """Return the memory of a frame with all its texts, in MB."""
    return float(frame.memory_usage(deep=True, index=False).sum()) / 1e6


def _encoded_columns(features: pd.DataFrame) -> int:
    """Columns that the baselines get: numbers with a flag where values are missing, and the levels of categories."""
    numbers = features.select_dtypes("number")
    levels = [min(features[c].nunique(), _MOST_LEVELS) for c in features.select_dtypes("category").columns]
    return numbers.shape[1] + int(numbers.isna().any().sum()) + sum(levels)


def _as_networks_get_it(sample: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return rows as AutoGluon prepares them for the networks.

    The terms that it counts in texts would take it many seconds; there is a column without values for each of them.
    """
    generator = AutoMLPipelineFeatureGenerator(enable_text_ngram_features=False, verbosity=0)
    prepared: pd.DataFrame = generator.fit_transform(sample)
    texts = generator.feature_metadata_in.get_features(required_special_types=["text"])
    terms = _terms(sample[texts], rows) if texts else 0
    if not terms:
        return prepared
    few = prepared.head(_TEXT_ROWS)
    counted = np.zeros((len(few), terms), dtype=np.uint8)
    return few.join(pd.DataFrame(counted, columns=[f"__term{i}" for i in range(terms)], index=few.index))


def _terms(texts: pd.DataFrame, rows: int) -> int:
    """Return how many terms AutoGluon will count in texts, judged by some of their rows."""
    few = texts.head(_TEXT_ROWS).astype(str)
    rarest = max(2, round(_RAREST_TERM * len(few) / max(1, rows)))
    try:
        found = CountVectorizer(min_df=rarest, ngram_range=(1, 3), max_features=_MOST_TERMS).fit(
            few.agg(". ".join, axis=1)
        )
    except ValueError:
        # No term is frequent enough.
        return 0
    terms = len(found.vocabulary_) + 1
    process, filled = own_memory_mb(), 4e-6 * rows * terms
    allowed = _MEMORY_FOR_TERMS * float(psutil.virtual_memory().available) / 1e6
    return terms if process + filled <= allowed else max(1, int(terms * allowed / (process + filled)))


def _estimates_mb(chosen: Family, networks: pd.DataFrame, rows: int) -> tuple[float, ...]:
    """Return AutoGluon's estimate for each size of a family, for as many rows as there really are."""
    if chosen.bytes_become_floats:
        bytes_ = networks.select_dtypes(["int8", "uint8"]).columns
        networks = networks.astype(dict.fromkeys(bytes_, np.float32))
    return tuple(_estimate_mb(chosen, networks, rows, index) for index in range(len(chosen.sizes)))


def _estimate_mb(chosen: Family, networks: pd.DataFrame, rows: int, index: int) -> float:
    def estimate(frame: pd.DataFrame) -> float:
        estimated = (
            network(chosen.key)
            .model_class()
            .estimate_memory_usage_static(
                X=frame,
                hyperparameters=chosen.sample_settings(rows, 0, index, columns=frame.shape[1]),
                problem_type="regression",
                num_classes=1,
            )
        )
        return float(estimated) / 1e6

    found = estimate(networks)
    if rows <= len(networks):
        return found
    # All estimates are linear in the rows: the same rows twice tell the slope.
    twice = estimate(pd.concat([networks, networks], ignore_index=True))
    return found + (twice - found) * (rows - len(networks)) / len(networks)
