"""Whether deep learning was worth it: the networks against each simple model, and what both cost."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from dlreg_core.formatting import UNKNOWN, duration, number, percent, percent_range
from dlreg_core.specs import CONSTANTS, Comparison, Interval, LeaderboardRow, TrainResult
from dlreg_core.wording.model_text import in_sentence, is_plural, strength_of, strength_words

Verdict = Literal["yes", "no", "even", "depends", "untold"]

COLUMNS = ("against", "mae", "mae_interval", "rmse", "rmse_interval", "fit", "speed")

_SAME = 1.25
"""Times and speeds that differ by less are about the same: they are measured once, on a busy machine."""

_BOOSTED = "BOOSTED"


def verdict(comparison: Comparison) -> Verdict:
    """Return whether the networks are better than a baseline.

    "yes" and "no" go by the mean absolute error where its interval leaves out zero, and "even" says that it doesn't.
    "depends" is for errors of which one is clearly smaller and the other, by the RMSE, clearly larger. For the answer
    to whether deep learning was worth it, see `answer`.
    """
    mae, rmse = _sign(comparison.interval), _sign(comparison.rmse_interval)
    if mae == 0:
        return "even"
    if rmse == -mae:
        return "depends"
    return "yes" if mae > 0 else "no"


def answer(result: TrainResult) -> Verdict:
    """Return whether deep learning was worth it; "even" where there is no comparison.

    Boosted trees are the reference: "untold" takes the place of "yes" and "depends" where they are missing, or had
    less than all their trees or rows. A "no" stays one: what doesn't beat a weak reference doesn't beat a strong one.
    """
    if result.comparison is None:
        return "even"
    found = verdict(result.comparison)
    return "untold" if found in ("yes", "depends") and _lacking(result) else found


def worth_words(result: TrainResult) -> tuple[str, str]:
    """Return the answer in two sentences: the verdict with its figures, and what the networks cost or what to do.

    The rival is the baseline that validation prefers, whichever it is. Both are empty where there is no comparison, the
    second one also where no cost is known.
    """
    comparison = result.comparison
    if comparison is None:
        return "", ""
    found, costs = answer(result), _costs(result, comparison.baseline)
    told, rival = _verdict_words(found, result, comparison), in_sentence(comparison.baseline)
    if found in ("no", "even") and _family(result, comparison.baseline) in CONSTANTS:
        return told, f"No model here tells more than the {comparison.baseline.lower()} does."
    if found == "no":
        because = f": {costs}" if costs else ""
        return told, f"Use {rival}, unless a longer training turns this around{because}."
    if not costs:
        return told, ""
    cheaper = _cheaper(result, comparison.baseline) if found == "even" else ""
    return told, f"{costs[:1].upper()}{costs[1:]}{cheaper}."


def worth_table(result: TrainResult) -> pd.DataFrame:
    """Return the networks against each baseline, in words.

    Returns
    -------
    DataFrame
        `COLUMNS`: the baseline, by how much the MAE and the RMSE of the networks are lower with their 95 % intervals,
        and how training time and speed compare. The baseline that validation prefers comes first; there is a dash where
        something isn't known. No line for results of versions that compared with one baseline only.
    """
    return pd.DataFrame([_line(result, comparison) for comparison in result.comparisons], columns=[*COLUMNS])


def missing_words(result: TrainResult) -> str:
    """Return why the boosted trees are missing from the comparison; empty where they aren't."""
    missing = next((row for row in result.leaderboard if row.family == _BOOSTED and not row.trained), None)
    return f"{missing.model} are missing from this comparison. {missing.note}".strip() if missing is not None else ""


# --- the verdict ------------------------------------------------------------------------------------------------------


def _verdict_words(found: Verdict, result: TrainResult, comparison: Comparison) -> str:
    rival, interval = in_sentence(comparison.baseline), comparison.interval
    strength = strength_words(strength_of(result, comparison.baseline))
    span = f"{percent(interval.level)}: {_span(comparison.improvement, interval)}"
    basis = f"({strength}; {span})" if strength else f"({span})"
    by = f"the networks' error is {_difference(comparison.improvement)} than that of {rival} {basis}"
    rmse = _rmse_words(comparison, constant=_family(result, comparison.baseline) in CONSTANTS)
    if found == "untold":
        return f"That can't be told: {by}, but {_lacking(result)}."
    if found == "depends":
        return f"It depends: {by}, but their {rmse}. Neither is luck."
    if found == "even":
        text = f"No difference that can be told from luck: {by}"
        return f"{text}, but their {rmse}." if _sign(comparison.rmse_interval) else f"{text}."
    return f"{'Yes' if found == 'yes' else 'No'}: {by}, and that is not luck."


def _lacking(result: TrainResult) -> str:
    """Return what the reference lacks to be one: "boosted trees had no time for all their trees"; empty if nothing."""
    row = next((row for row in result.leaderboard if row.family == _BOOSTED), None)
    if row is None:
        # Results of versions that had no boosted trees say what they compared with.
        return ""
    if not row.trained:
        return f"{in_sentence(row.model)}, which are the reference, are missing"
    found = strength_of(result, row.model)
    if found is None or found.full:
        return ""
    return f"{in_sentence(row.model)} are below their full strength: the time was short"


def _rmse_words(comparison: Comparison, *, constant: bool) -> str:
    better, interval = comparison.rmse_improvement or 0.0, comparison.rmse_interval
    span = f" ({_span(better, interval)})" if interval is not None else ""
    # Each constant is compared by the error that it makes least.
    whose = " than that of the mean" if constant else ""
    return f"RMSE, which weighs large errors more, is {_difference(better)}{whose}{span}"


def _difference(improvement: float) -> str:
    return f"{percent(abs(improvement))} {'lower' if improvement >= 0 else 'higher'}"


def _span(improvement: float, interval: Interval) -> str:
    """Return an interval in the direction in which the difference is told."""
    low, high = (interval.low, interval.high) if improvement >= 0 else (-interval.high, -interval.low)
    return percent_range(low, high)


def _sign(interval: Interval | None) -> int:
    """Return 1 where the networks are clearly better, -1 where they are clearly worse, and 0 where it may be luck."""
    if interval is None:
        return 0
    return int(interval.low > 0) - int(interval.high < 0)


# --- what it costs ----------------------------------------------------------------------------------------------------


def _costs(result: TrainResult, baseline: str) -> str:
    """Return what the networks cost against a baseline; empty where nothing is known.

    "the networks trained 30 times longer (58 s against 2 s) and predict 5 times slower (12,000 rows a second)"
    """
    best, other, parts = _row(result, result.best_model), _row(result, baseline), []
    longer, slower = _longer(best, other), _slower(best, other)
    if best is not None and other is not None and longer is not None:
        # Folds train side by side: their sum may be more than the run took.
        added = ", all folds added up" if result.rows.folds else ""
        seconds = f"{duration(best.fit_seconds)} against {duration(other.fit_seconds)}{added}"
        parts.append(f"trained {_times(longer, 'longer', 'faster', 'about as long')} ({seconds})")
    if best is not None and slower is not None:
        speed = f"{number(best.predict_rows_per_second, 2)} rows a second"
        parts.append(f"predict {_times(slower, 'slower', 'faster', 'about as fast')} ({speed})")
    return f"the networks {' and '.join(parts)}" if parts else ""


def _cheaper(result: TrainResult, baseline: str) -> str:
    """Return ", so a decision tree is the cheaper choice", where one of two equally good models clearly costs less."""
    best, other = _row(result, result.best_model), _row(result, baseline)
    ratios = [ratio for ratio in (_longer(best, other), _slower(best, other)) if ratio is not None]
    rival = in_sentence(baseline)
    if any(ratio > _SAME for ratio in ratios) and all(ratio > 1 / _SAME for ratio in ratios):
        return f", so {rival} {'are' if is_plural(baseline) else 'is'} the cheaper choice"
    if any(ratio < 1 / _SAME for ratio in ratios) and all(ratio < _SAME for ratio in ratios):
        return ", so they are the cheaper choice"
    return ""


def _line(result: TrainResult, comparison: Comparison) -> dict[str, str]:
    best, other = _row(result, result.best_model), _row(result, comparison.baseline)
    longer, slower = _longer(best, other), _slower(best, other)
    rmse, interval = comparison.rmse_improvement, comparison.rmse_interval
    told = strength_words(strength_of(result, comparison.baseline))
    return {
        "against": f"{comparison.baseline} ({told})" if told else comparison.baseline,
        "mae": _difference(comparison.improvement),
        "mae_interval": _span(comparison.improvement, comparison.interval),
        "rmse": _difference(rmse) if rmse is not None else UNKNOWN,
        "rmse_interval": _span(rmse, interval) if rmse is not None and interval is not None else UNKNOWN,
        "fit": _times(longer, "longer", "faster", "about as long") if longer is not None else UNKNOWN,
        "speed": _times(slower, "slower", "faster", "about as fast") if slower is not None else UNKNOWN,
    }


def _longer(best: LeaderboardRow | None, other: LeaderboardRow | None) -> float | None:
    if best is None or other is None or not best.fit_seconds or not other.fit_seconds:
        return None
    return best.fit_seconds / other.fit_seconds


def _slower(best: LeaderboardRow | None, other: LeaderboardRow | None) -> float | None:
    if best is None or other is None or not best.predict_rows_per_second or not other.predict_rows_per_second:
        return None
    return other.predict_rows_per_second / best.predict_rows_per_second


def _times(factor: float, more: str, less: str, same: str) -> str:
    if 1 / _SAME <= factor <= _SAME:
        return same
    return f"{number(factor, 2)} times {more}" if factor > 1 else f"{number(1 / factor, 2)} times {less}"


def _row(result: TrainResult, model: str) -> LeaderboardRow | None:
    return next((row for row in result.leaderboard if row.model == model), None)


def _family(result: TrainResult, model: str) -> str:
    row = _row(result, model)
    return row.family if row is not None else ""
