"""What networks and baselines cost on a table of some size: seconds, memory and disk, before anything is trained.

Memory starts from AutoGluon's own estimates (`dlreg_core.training.planning.machine_resources` asks for them). What
those leave out, and all times, are figures that were measured once, on one processor thread. No deep learning library
is imported here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dlreg_core.networks import BASELINES, Family, family
from dlreg_core.specs import FULL_TREES
from dlreg_core.training.scheduler.fit_speed import Speed

_WORKER_MB = 760.0
"""Memory of a worker with its libraries, before it has read a table."""

_SERVER_MB, _PROCESS_MB = 525.0, 60.0
"""What the process adds that has loaded the libraries for those that train, and each of them beyond what they share."""

_GPU_MB = 500.0
"""What a process that uses a GPU holds of the machine's own memory, according to AutoGluon's authors."""

_ENCODED_COPIES = 4.2
"""How often fitting the baselines holds the rows with their categories one-hot, in 8 bytes a value."""

_RUN_DISK_MB = 3.0
"""Disk of what every run keeps: baselines, explanation, events, log."""

_BASELINES_SHARE = 0.5
"""Part of the baselines' time that a run on two cores doesn't get for its networks."""

_STARTUP = 1.5
_ROW_STARTUP = 1.5e-5
"""Seconds of beginning, once the libraries are loaded, and of preparing each row."""

_TREE_CELL, _RIDGE_CELL, _RIDGE_SQUARE = 8e-7, 3e-7, 1e-9
"""Seconds of fitting the baselines: of each encoded value in a tree, and in the ridge regression, whose time grows with
the square of the columns as well."""

_TREE_SEARCHES, _TREE_SEARCH_ROWS = 6, 30_000

_FEWEST_BASELINE_ROWS, _BASELINE_ROWS_A_SECOND = 20_000, 1_000.0
"""The baselines get at most this many rows for each second of the budget, which keeps them to a tenth of it."""

BOOSTED_ITERATIONS = FULL_TREES
"""How many boosted trees are grown where there is time: CatBoost's default."""

_BOOSTED_SHARE = 0.1
"""Share of the budget that the boosted trees may take before the networks begin; beside them as much again."""

STRETCH = 1.5
"""So many times their share they may take if that makes them a reference at full strength."""

_MOST_HELPERS = 4
"""More threads than this are hardly any help to boosted trees."""

_BOOSTED_BINNING = 1.7e-7
_BOOSTED_TREE, _BOOSTED_COLUMN, _BOOSTED_ROW, _BOOSTED_CELL, _BOOSTED_LEVEL = 5e-4, 2e-4, 4e-8, 4e-9, 6.5e-8
"""Seconds of fitting boosted trees: of each value once, and in every tree of the tree itself, each column, row, value,
and value of a category besides. Fitted to 5,000 to 300,000 rows with 6 to 300 columns, met within 40 %."""

_BOOSTED_MB, _BOOSTED_CELL_BYTES, _BOOSTED_LEVEL_BYTES = 40.0, 25, 100
"""Memory of CatBoost and a model, and bytes that fitting one takes for each value and each value of a category
besides; seen with 1,000 to 300,000 rows."""

_GPU_COMPUTING = 0.05
"""Time of what a GPU computes relative to one processor thread; the steps themselves are ordered by the processor and
take as long. Assumed, not measured: the first run on a GPU corrects it."""

# --- what is known ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TableFacts:
    """What is known of a table's rows before training.

    Attributes
    ----------
    rows, validation_rows, test_rows : int
        Rows of each part.
    features : int
        Columns that the networks get.
    encoded : int
        Columns that the baselines get: one for each number, and one for each level of a category.
    networks_mb : float
        Memory of the training rows as the networks get them.
    cleaned_mb : float
        Memory of the cleaned training and validation rows.
    raw_mb : float
        Memory of the raw rows of all parts.
    estimates_mb : mapping of str to tuple of float
        By family: what AutoGluon estimates for each of the catalogue's sizes.
    categories : int
        How many of the columns are categories.
    folds : int
        In how many folds the rows are divided; 0 where validation rows are held out.
    """

    rows: int
    validation_rows: int
    test_rows: int
    features: int
    encoded: int
    networks_mb: float
    cleaned_mb: float
    raw_mb: float
    estimates_mb: Mapping[str, tuple[float, ...]]
    categories: int = 0
    folds: int = 0

    @property
    def learned_from(self) -> int:
        """Rows that one training learns from."""
        return self.rows - math.ceil(self.rows / self.folds) if self.folds else self.rows


# --- time -------------------------------------------------------------------------------------------------------------


def expected_speed(key: str, rows: int, features: int, *, gpu: bool = False, factor: float = 1.0) -> Speed:
    """Return the expected speed of a family's smallest network.

    Parameters
    ----------
    key : str
        The family.
    rows, features : int
        Size of the training rows as the networks get them.
    gpu : bool
        Whether it trains on a GPU; one thread of a processor otherwise.
    factor : float
        How many times longer than on the reference machine it takes.
    """
    cost = family(key).cost
    cells = rows * features
    steps = math.ceil(rows / family(key).batch_size(rows)) * cost.step
    computing = (rows * cost.row + cells * cost.cell) * (_GPU_COMPUTING if gpu else 1.0)
    fixed = cost.fixed + rows * cost.fixed_row + cells * cost.fixed_cell
    return Speed(factor * fixed, max(1e-4, factor * (steps + computing)), rows)


def most_baseline_rows(time_limit: float) -> int:
    """Return the most rows that the baselines are fitted on in a run of so many seconds."""
    return max(_FEWEST_BASELINE_ROWS, int(_BASELINE_ROWS_A_SECOND * time_limit))


def boosted_seconds(time_limit: float) -> float:
    """Return about how long the boosted trees may take in a run of so many seconds."""
    return _BOOSTED_SHARE * time_limit


def most_boosted_rows(rows: int, columns: int, categories: int, time_limit: float, *, threads: int) -> int | None:
    """Return the most rows that boosted trees are fitted on: None for all, if a full fit can be expected to fit."""
    expected = _seconds_of_boosted(rows, columns, categories) / min(threads, _MOST_HELPERS)
    return None if expected <= STRETCH * boosted_seconds(time_limit) else most_baseline_rows(time_limit)


def startup_seconds(facts: TableFacts, time_limit: float = math.inf) -> float:
    """Return the time of what isn't networks: preparing, and what the baselines take from them."""
    everything = facts.rows + facts.validation_rows + facts.test_rows
    fitted = _baseline_rows(facts, time_limit)
    trees = (_TREE_SEARCHES * min(fitted, _TREE_SEARCH_ROWS) + fitted) * facts.encoded * _TREE_CELL
    ridge = fitted * facts.encoded * (_RIDGE_CELL + facts.encoded * _RIDGE_SQUARE)
    boosted = min(_boosted_seconds(facts, fitted), boosted_seconds(time_limit))
    # The baselines are fitted beside the networks, and take some of their time.
    return _STARTUP + everything * _ROW_STARTUP + _BASELINES_SHARE * (trees + ridge + boosted)


def _boosted_seconds(facts: TableFacts, rows: int) -> float:
    """Return what all boosted trees take on one processor thread; several make it quicker on large tables."""
    return _seconds_of_boosted(rows, _boosted_columns(facts), facts.categories)


def _seconds_of_boosted(rows: int, columns: int, categories: int) -> float:
    cells, levels = rows * columns, rows * categories
    tree = _BOOSTED_TREE + columns * _BOOSTED_COLUMN + rows * _BOOSTED_ROW + cells * _BOOSTED_CELL
    return cells * _BOOSTED_BINNING + BOOSTED_ITERATIONS * (tree + levels * _BOOSTED_LEVEL)


def _boosted_columns(facts: TableFacts) -> int:
    """Return how many columns boosted trees get; the networks have terms of texts besides, the encoded ones levels."""
    return min(facts.features, facts.encoded)


def _baseline_rows(facts: TableFacts, time_limit: float) -> int:
    return facts.rows if math.isinf(time_limit) else min(facts.rows, most_baseline_rows(time_limit))


# --- memory and disk --------------------------------------------------------------------------------------------------


def worker_mb(facts: TableFacts, *, gpu: bool) -> float:
    """Return the memory of a worker that has prepared its rows and trains nothing yet."""
    # The stored table and its parts; the cleaned parts; and what AutoGluon makes of those, while it still copies.
    networks = facts.networks_mb * (1 + facts.validation_rows / max(1, facts.rows))
    # CatBoost stays loaded once it has fitted its trees.
    return _WORKER_MB + _BOOSTED_MB + (_GPU_MB if gpu else 0.0) + 2 * facts.raw_mb + facts.cleaned_mb + 2 * networks


def training_mb(facts: TableFacts, key: str, size_index: int = 0, *, gpu: bool, processes: int = 1) -> float:
    """Return the peak memory of a worker in so many of whose processes one size of a family is trained."""
    cost = family(key).cost
    table = cost.table_share * max(0.0, facts.estimates_mb[key][size_index] - cost.process_mb)
    rows = facts.rows * cost.row_kb / 1000
    process = _PROCESS_MB + facts.networks_mb * (1 + facts.validation_rows / max(1, facts.rows)) + cost.libraries_mb
    # The first process's part of what CUDA takes is the worker's own.
    process += _GPU_MB * (processes - 1) / processes if gpu else 0.0
    return worker_mb(facts, gpu=gpu) + _SERVER_MB + processes * (process + table + rows)


def baselines_mb(facts: TableFacts, time_limit: float = math.inf) -> float:
    """Return the peak memory of a worker that fits the baselines."""
    rows = _baseline_rows(facts, time_limit)
    encoded = _ENCODED_COPIES * rows * facts.encoded * 8 / 1e6
    columns = _boosted_columns(facts)
    most = most_boosted_rows(facts.rows, columns, facts.categories, time_limit, threads=_MOST_HELPERS)
    values = min(facts.rows, most or facts.rows) * (
        columns * _BOOSTED_CELL_BYTES + facts.categories * _BOOSTED_LEVEL_BYTES
    ) / 1e6  # fmt: skip
    # One after the other: what ridge and tree took is free again when the boosted trees are fitted.
    return _WORKER_MB + 2 * facts.raw_mb + facts.cleaned_mb + max(encoded, _BOOSTED_MB + values)


def disk_mb(facts: TableFacts, sizes: Mapping[str, int], extra: int) -> float:
    """Return the disk that a run takes.

    Parameters
    ----------
    facts : TableFacts
        The table.
    sizes : mapping of str to int
        The families that are trained, and the size of each.
    extra : int
        How many trainings may follow the first of each.
    """
    part = facts.validation_rows / max(1, facts.rows)
    networks = [_network_disk_mb(family(key), facts.features, index) for key, index in sizes.items()]
    count = len(networks) + extra
    mean = sum(networks) / len(networks) if networks else 0.0
    choosing = facts.rows if facts.folds else facts.validation_rows
    # The rows are there for the processes while it trains. Each network is kept once for each fold, with its
    # predictions for the rows that choose; the run keeps the predictions of all models for both parts.
    rows = facts.networks_mb * (1 + part) + 8e-6 * (facts.rows + facts.validation_rows)
    predictions = 8e-6 * (choosing + facts.test_rows) * (count + len(BASELINES) + 3)
    return _RUN_DISK_MB + rows + count * (mean * max(1, facts.folds) + 8e-6 * choosing) + predictions


def _network_disk_mb(chosen: Family, features: int, index: int) -> float:
    """Return the disk of one network: files grow with its width, and its time with the square of that."""
    return (chosen.cost.disk_mb + features * chosen.cost.feature_disk_mb) * math.sqrt(chosen.sizes[index].cost)
