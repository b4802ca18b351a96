"""How much of an explanation fits into a time."""

from __future__ import annotations

from dataclasses import dataclass

EXACT_FEATURES = 9
"""Up to this number of features every coalition can be enumerated."""

_LADDER = (
    (1000, 100, 4),
    (500, 100, 4),
    (300, 100, 3),
    (200, 100, 3),
    (200, 50, 3),
    (100, 50, 3),
    (100, 25, 3),
    (60, 25, 2),
    (40, 20, 2),
    (30, 15, 2),
    (20, 10, 1),
    (10, 10, 1),
)


@dataclass(frozen=True)
class ExplainSizes:
    """Rows to explain, rows that stand for the unknown, and antithetic pairs of permutations (0: exact)."""

    rows: int
    background: int
    permutations: int


def evaluations(features: int, sizes: ExplainSizes) -> int:
    """Return the number of predictions that an explanation takes."""
    return sizes.rows * sizes.background * coalitions(features, sizes.permutations)


def coalitions(features: int, permutations: int) -> int:
    """Return the coalitions evaluated for a row: all of them, or those on the way of the permutations."""
    everything = 2**features if features <= 30 else 2**30
    return everything if permutations == 0 else min(everything, 2 * permutations * (features - 1) + 2)


def sizes_for(
    features: int, rows_per_second: float, seconds: float, *, at_most_rows: int, at_least_rows: int = 0
) -> ExplainSizes:
    """Choose the largest explanation that fits into a time.

    Parameters
    ----------
    features : int
        Features that the model uses.
    rows_per_second : float
        Measured prediction speed of the model.
    seconds : float
        Time for it.
    at_most_rows, at_least_rows : int
        Bounds of the rows to explain; with `at_least_rows` that many are explained however long it takes.

    Returns
    -------
    ExplainSizes
        Exact where that fits; the smallest size where nothing does.
    """
    affordable = rows_per_second * seconds
    fitting: list[ExplainSizes] = []
    for rows, background, permutations in _LADDER:
        rows_used = min(max(rows, at_least_rows), at_most_rows)
        exact = ExplainSizes(rows_used, background, 0)
        sampled = ExplainSizes(rows_used, background, permutations)
        for sizes in [exact, sampled] if features <= EXACT_FEATURES else [sampled]:
            fitting.append(sizes)
            if evaluations(features, sizes) <= affordable:
                return sizes
    return fitting[-1]


def expected_seconds(features: int, rows_per_second: float, rows: int, seconds: float) -> float:
    """Return how long explaining `rows` rows will take, once the model is loaded.

    Parameters
    ----------
    features : int
        Features that the model uses.
    rows_per_second : float
        Measured prediction speed of the model, or evaluations a second of an earlier explanation.
    rows : int
        Rows to explain.
    seconds : float
        The time that the sizes are chosen for; more is needed only where the smallest size doesn't fit.
    """
    sizes = sizes_for(features, rows_per_second, seconds, at_most_rows=rows, at_least_rows=rows)
    return evaluations(features, sizes) / rows_per_second
