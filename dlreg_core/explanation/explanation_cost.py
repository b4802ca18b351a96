"""How much of an explanation fits into a time."""

from __future__ import annotations

from dataclasses import dataclass

from dlreg_core.specs import ENOUGH_BACKGROUND, ENOUGH_EXPLAINED, ExplainResult, LeaderboardRow

EXACT_FEATURES = 4
"""Up to this number of features every coalition is enumerated: of more, as many predictions tell more when they are
made with other background rows."""

_LADDER = (
    (1000, 500),
    (500, 500),
    (500, 200),
    (300, 200),
    (200, 200),
    (200, 100),
    (100, 100),
    (60, 100),
    (ENOUGH_EXPLAINED, ENOUGH_BACKGROUND),
    (40, 40),
    (30, 30),
    (20, 20),
    (10, 20),
    (10, 10),
)

_USUAL_SPEED = 1000.0
_MOST_FASTER = 20.0


@dataclass(frozen=True)
class ExplainSizes:
    """Rows to explain, rows that stand for the unknown, and antithetic pairs of permutations (0: all coalitions)."""

    rows: int
    background: int
    permutations: int


def evaluations(features: int, sizes: ExplainSizes) -> int:
    """Return the number of predictions that an explanation takes."""
    own = sizes.rows + sizes.background
    if sizes.permutations == 0:
        return sizes.rows * sizes.background * int(2**features) + own
    pairs = min(sizes.permutations, sizes.background)
    met = sizes.background // pairs * pairs * max(1, sizes.permutations // sizes.background)
    return sizes.rows * met * 2 * max(0, features - 1) + own


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
        The smallest where nothing fits.
    """
    affordable = rows_per_second * seconds
    sizes = ExplainSizes(0, 0, 0)
    for rows, background in _LADDER:
        rows_used = min(max(rows, at_least_rows), at_most_rows)
        sizes = ExplainSizes(rows_used, background, 0 if features <= EXACT_FEATURES else background)
        if evaluations(features, sizes) <= affordable:
            break
    return sizes


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


def expected_speed(
    row: LeaderboardRow, known: ExplainResult | None, best: LeaderboardRow, known_best: ExplainResult | None
) -> float:
    """Return how many rows a second will probably be predicted to explain a model.

    Parameters
    ----------
    row, best : LeaderboardRow
        The model, and the best one of its run.
    known, known_best : ExplainResult, optional
        What explaining them has taken.
    """
    if known is not None and known.seconds > 0:
        # What the same model really did, beside whatever else this machine was doing.
        return known.evaluations / known.seconds
    speed, told = row.predict_rows_per_second or _USUAL_SPEED, best.predict_rows_per_second
    if known_best is None or not told or known_best.seconds <= 0:
        return speed
    # Many rows at once are predicted faster than few: by how much, the best model of the run has shown.
    return speed * min(_MOST_FASTER, max(1.0, known_best.evaluations / known_best.seconds / told))
