"""Claims about a table's rows: whether more of them would help, near twins, and test rows unlike the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from claimed.judged import Random, noise, signal
from claimed.registry import Claim, register
from dlreg_core.checks.covariate_shift import column_shifts
from dlreg_core.checks.sample_size import row_needs
from dlreg_core.checks.train_test_duplicates import twin_check
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.specs import Cleaning, Recipe, Split
from dlreg_core.splitting import PreparedTable, prepare_table
from dlreg_core.wording.split_text import row_needs_words, shift_words, twin_words


def prepared(table: pd.DataFrame, split: Split | None = None) -> PreparedTable:
    """Return the parts of a table with the target y, as the program divides it."""
    dataset, rows = read_dataset(table.to_csv(index=False).encode())
    features = tuple(name for name in rows.columns if name not in ("y", "when"))
    return prepare_table(dataset, rows, Recipe(target="y", features=features, split=split or Split()))


def enough(random: Random) -> PreparedTable:
    """Return 3,000 rows of which two levels tell all that can be known."""
    kind = random.choice(["low", "high"], 3000)
    return prepared(pd.DataFrame({"kind": kind, "y": 2.0 * (kind == "high") + noise(random, 3000)}))


def too_few(random: Random) -> PreparedTable:
    """Return 400 rows of a target that turns with five numbers."""
    x = random.uniform(-1, 1, (400, 5))
    y = np.sin(4 * x[:, 0]) * x[:, 1] + x[:, 2] * x[:, 3] + x[:, 4] ** 2
    return prepared(pd.DataFrame(x, columns=list("abcde")).assign(y=y))


register(
    "more-rows",
    Claim(
        "Twice as many rows could take away another part of the error",
        without=enough,
        with_it=too_few,
        says=lambda parts: (
            (found := row_needs(parts, Cleaning())) is not None and "Twice as many rows" in row_needs_words(found, "")
        ),
        without_words="3,000 rows, of which two levels tell all there is",
        with_words="400 rows of a target that turns with five numbers",
    ),
)


def measured_twice(share: float) -> Callable[[Random], PreparedTable]:
    """Return a maker of 600 rows, of which a share was measured a second time, with tiny errors."""

    def make(random: Random) -> PreparedTable:
        features, known = signal(random, 600)
        table = features.assign(y=known + noise(random, 600))
        again = table.sample(int(share * 600), random_state=int(random.integers(2**31)))
        again[["a", "b", "c", "d", "y"]] += 1e-5 * random.standard_normal((len(again), 5))
        return prepared(pd.concat([table, again]))

    return make


register(
    "twins",
    Claim(
        "Test rows have near twins among the rows that train",
        without=measured_twice(0.0),
        with_it=measured_twice(0.25),
        says=lambda parts: (
            (found := twin_check(parts)) is not None and "nearly by heart" in twin_words(found, own=False)
        ),
        without_words="every row is measured once",
        with_words="a quarter is measured twice",
    ),
)


def by_time(moved: float) -> Callable[[Random], PreparedTable]:
    """Return a maker of rows split by time, of which the last part has one column elsewhere."""

    def make(random: Random) -> PreparedTable:
        rows = int(random.choice((300, 1000)))
        features, known = signal(random, rows)
        features["a"] += moved * (np.arange(rows) >= 0.85 * rows)
        when = pd.date_range("2024-01-01", periods=rows, freq="h")
        table = features.assign(when=when.strftime("%Y-%m-%d %H:%M"), y=known + noise(random, rows))
        return prepared(table, Split(kind="time", column="when"))

    return make


register(
    "shift",
    Claim(
        "Columns of the test rows are otherwise than in training",
        without=by_time(0.0),
        with_it=by_time(1.5),
        says=lambda parts: bool(shift_words(column_shifts(parts))),
        without_words="split by time, nothing changes",
        with_words="one column moves by 1.5 standard deviations",
    ),
)
