"""Whether a network learned too much, too little or just enough: a verdict from its errors, epoch by epoch.

What is kept of a training is the network of its best epoch. What comes after that epoch costs time, not accuracy; only
what the curves show at that epoch itself is a property of the network that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from dlreg_core.evaluation.curve_evidence import CurveEvidence, Scale, evidence_of, rise_by_luck

VerdictKind = Literal["overfit", "underfit", "still_improving", "unstable", "good", "nothing", "line", "too_short"]
Aim = Literal[
    "more_epochs",
    "fewer_epochs",
    "stop_early",
    "larger_network",
    "smaller_network",
    "larger_steps",
    "smaller_steps",
    "falling_steps",
    "larger_batches",
    "more_dropout",
    "less_dropout",
    "more_decay",
    "less_decay",
    "more_rows",
    "more_columns",
]

FEWEST_EPOCHS = 8
"""With fewer, a quarter of the epochs is a single one, which a trend can't be told from."""

CLEAR_RISE = 0.05
"""Share by which the validation RMSE must rise above its lowest: 10 % of the squared error. Prechelt's criteria stop
at 1 to 5 % of it; these select an epoch, which costs little where it is wrong, and this is told to a person."""

LARGE_GAP = 2.0
"""Validation RMSE over training RMSE at the best epoch. By Akaike's final prediction error (1970) the ratio is
``sqrt((1 + p/n) / (1 - p/n))``: 2 means that the network uses as many effective parameters (Moody 1992) as 60 % of its
rows, so that most of what it learned is particular to them."""

LEARNED_BY_HEART = 3.0
"""The same ratio at the end, from which on the later epochs have taught little else (80 % of the rows): it needs more,
since nothing of the later epochs is kept."""

STILL_FALLING = 0.02
"""Share by which the validation RMSE of the last quarter of the epochs must lie below that of the quarter before."""

FALLS_STILL = 0.05
"""The same of the training error: where it falls so clearly, validation errors that scatter are no sign of steps that
are too long, only of few validation rows or of batch normalisation."""

FALLS_FAST = 0.10
"""The same: a network that is weak while its training error falls so fast lacks time, not size."""

SCATTER = 0.05
"""Standard deviation of the validation RMSE about its own trend, as a share: by so much the best epoch is luck."""

BEHIND = 0.10
"""Share by which another model of the run must be better before a network counts as too weak."""

NOTHING = 0.05
"""Share of the target's standard deviation that a network must have taken off the training error to have learned."""

HARDLY = 0.01
"""Share of the error of the mean by which a network must lie below it, or half of what may be luck if that is more,
before it has learned what holds for other rows."""

FALLS_ON = 0.10
"""Share by which the training error must have fallen after the best epoch where a rise of validation is overfitting;
an error that rises on both kinds of rows is a training that lost its way."""

_USUAL: dict[VerdictKind, tuple[Aim, ...]] = {
    "overfit": ("stop_early", "fewer_epochs", "more_dropout", "more_decay", "smaller_network"),
    "underfit": ("larger_network", "less_dropout", "less_decay", "larger_steps", "more_epochs"),
    "still_improving": ("more_epochs", "larger_steps"),
    "unstable": ("smaller_steps", "falling_steps", "larger_batches"),
    "nothing": ("more_columns", "more_rows", "larger_steps"),
}


@dataclass(frozen=True)
class CurveVerdict:
    """What the curves of a network say.

    Attributes
    ----------
    kind : str
        "line" means that the network's linear path alone is kept: no epoch of its layers made it better. "too_short"
        means that there is no verdict, and `reason` says why.
    evidence : CurveEvidence or None
        None where there is no verdict.
    suggestions : tuple of str
        What to change, the most promising first.
    """

    kind: VerdictKind
    evidence: CurveEvidence | None = None
    suggestions: tuple[Aim, ...] = ()
    reason: str = ""

    @property
    def is_kept(self) -> bool:
        """True where the network that is kept is overfitted itself, not only those of later epochs."""
        return self.kind == "overfit" and self.evidence is not None and _at_least(self.evidence.gap, LARGE_GAP)

    @property
    def rises(self) -> bool:
        """True where the validation error rose after its best epoch by more than luck."""
        found = self.evidence
        return found is not None and found.rise >= max(CLEAR_RISE, found.noise)

    @property
    def learned_nothing(self) -> bool:
        """True where the network does hardly better on its own rows than their mean."""
        return self.kind == "underfit" and self.evidence is not None and not _learned(self.evidence)


def judge_curves(
    validation: ArrayLike,
    training: ArrayLike,
    *,
    scale: Scale = "rmse",
    target_std: float = 0.0,
    run_best: float | None = None,
    constant: float | None = None,
    validation_rows: int = 0,
    start: float | None = None,
) -> CurveVerdict:
    """Judge the training of one network.

    Parameters
    ----------
    validation : array_like of shape (epochs,)
        RMSE of the validation rows after each epoch, in target units; NaN where there is none.
    training : array_like of shape (epochs,)
        Error of the training rows in each epoch; NaN where there is none. It is taken with dropout and while the
        weights move, and of networks side by side it is the mean of theirs, so it lies higher than an error of the
        finished network would. Gaps are therefore understated rather than overstated.
    scale : {"rmse", "mae", "relative"}
        What `training` is: an RMSE or a mean absolute error in target units, or a loss that only compares with itself.
        Gaps are judged for an RMSE alone; where errors are far from normal, no factor leads from one to the other.
    target_std : float
        Standard deviation of the training target; 0 where it isn't known.
    run_best : float, optional
        The lowest validation RMSE of any model of the run.
    constant : float, optional
        The validation RMSE of always predicting the mean: a network that is no better has nothing to level off at.
    validation_rows : int
        How many rows `validation` rests on: what may be luck is no evidence.
    start : float, optional
        The validation RMSE before the first epoch, of a network that begins with a straight line.

    Returns
    -------
    CurveVerdict

    Raises
    ------
    ValueError
        If the two have different lengths.

    Notes
    -----
    The generalisation loss and the strips are those of Prechelt (1998), "Early stopping – but when?", in *Neural
    Networks: Tricks of the Trade*. ``benchmarks/curves.py`` checks the thresholds on trainings with a known fault.
    """
    errors, losses = (np.asarray(values, dtype=np.float64) for values in (validation, training))
    if errors.shape != losses.shape:
        raise ValueError("validation and training error need as many epochs")
    known = np.isfinite(errors)
    if start is not None and not (errors[known] < start).any():
        return CurveVerdict("line")
    if not known.any():
        return CurveVerdict("too_short", reason="it told no validation error")
    if known.sum() < FEWEST_EPOCHS:
        count = "1 epoch is" if known.sum() == 1 else f"{int(known.sum())} epochs are"
        return CurveVerdict("too_short", reason=f"{count} too few to see a trend")
    evidence = evidence_of(
        errors[known],
        losses[known],
        epochs=np.flatnonzero(known) + 1,
        scale=scale,
        target_std=target_std,
        run_best=run_best,
        noise=rise_by_luck(validation_rows) if validation_rows else 0.0,
        lost=not known[int(known.argmax()) :].all(),
    )
    kind = _kind(evidence)
    if kind == "good" and constant is not None and evidence.best > constant * (1 - max(HARDLY, evidence.noise / 2)):
        kind = "nothing"
    return CurveVerdict(kind, evidence, _suggestions(kind, evidence))


def _kind(found: CurveEvidence) -> VerdictKind:
    by_heart = _at_least(found.final_gap, LEARNED_BY_HEART)
    rises = CurveVerdict("good", found).rises
    on_both = found.training_fall is not None and found.training_fall < FALLS_ON
    # Networks a quarter of a training apart differ less than the best one and the last.
    clear = STILL_FALLING if _at_least(found.training_progress, FALLS_STILL) else max(found.scatter, found.noise / 2)
    improves = _is_late(found) and found.progress >= max(STILL_FALLING, clear)
    if found.lost or (rises and on_both) or (found.scatter >= SCATTER and not by_heart and not improves):
        return "unstable"
    if improves:
        return "still_improving"
    if _at_least(found.gap, LARGE_GAP) or by_heart or (rises and not on_both):
        return "overfit"
    if not _learned(found):
        return "underfit"
    if _is_weak(found):
        return "still_improving" if _at_least(found.training_progress, FALLS_FAST) else "underfit"
    return "good"


def _is_late(found: CurveEvidence) -> bool:
    """Tell whether the best epoch is one of the last quarter."""
    return found.best_epoch > found.epochs - found.epochs // 4


def _learned(found: CurveEvidence) -> bool:
    return found.learned is None or found.learned >= NOTHING


def _is_weak(found: CurveEvidence) -> bool:
    """Tell whether a network is worse on the rows it learns from than another model on rows it hasn't seen."""
    if found.behind is None or found.training is None or found.behind < max(BEHIND, found.noise):
        return False
    # A mean absolute error lies below its RMSE: what holds for it holds for that as well.
    return found.training >= (1 + BEHIND) * found.best / (1 + found.behind)


def _suggestions(kind: VerdictKind, found: CurveEvidence) -> tuple[Aim, ...]:
    if kind == "overfit" and _at_least(found.gap, LARGE_GAP):
        return ("more_dropout", "more_decay", "smaller_network", "more_rows", "stop_early")
    if kind == "underfit" and not _learned(found):
        # What still creeps downwards makes steps that are too small; large ones may have thrown off what doesn't.
        steps: Aim = "larger_steps" if _is_late(found) else "smaller_steps"
        return (steps, "more_epochs", "less_dropout", "more_columns")
    return _USUAL.get(kind, ())


def _at_least(value: float | None, threshold: float) -> bool:
    return value is not None and value >= threshold
