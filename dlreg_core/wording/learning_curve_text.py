"""How a network learned, in words: the verdict on its curves, what it rests on, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from dlreg_core.evaluation import SCATTER, Aim, CurveEvidence, NetworkCurves
from dlreg_core.formatting import number, percent, quantity

VERDICTS = {
    "overfit": "overfits",
    "underfit": "underfits",
    "still_improving": "still improving",
    "unstable": "unsteady",
    "good": "good",
    "nothing": "learned next to nothing",
    "line": "a straight line",
    "too_short": "no verdict",
}
"""Each verdict in a word or two."""

_ENOUGH = 1.25
"""Epochs to plan, over the best one: it lies a little elsewhere with every seed."""

_MUCH_DROPOUT = 0.3


@dataclass(frozen=True)
class SettingNow:
    """A setting that a family has, for `suggestion_words`.

    Attributes
    ----------
    title : str
        What a person reads in the form.
    value : object
        What the network was trained with; None where that isn't known.
    words : str
        The same as a person would type it.
    """

    title: str
    value: Any = None
    words: str = ""


def verdict_words(curves: NetworkCurves, unit: str) -> str:
    """Return the verdict on a network in one or two sentences: "TabM overfits after epoch 8 of 120: …"."""
    verdict, found = curves.verdict, curves.verdict.evidence
    if verdict.kind == "line":
        return (
            f"{curves.model} predicts a straight line: what its layers learned beyond it did not lower the validation "
            "error, so the line alone is kept."
        )
    if found is None:
        return f"There is no verdict on how {curves.model} learned: {verdict.reason}."
    words = {
        "overfit": _overfit_words,
        "underfit": _underfit_words,
        "still_improving": _improving_words,
        "unstable": _unstable_words,
        "nothing": _nothing_words,
    }.get(verdict.kind, _good_words)
    return words(curves, found, unit)


def _overfit_words(curves: NetworkCurves, found: CurveEvidence, unit: str) -> str:
    where = f"epoch {found.best_epoch} of {found.epochs}"
    if curves.verdict.is_kept and found.gap is not None:
        times = f"{number(found.gap, 2)} ×" if found.gap < 100 else "more than 100 ×"
        return (
            f"{curves.model} overfits: at its best, in {where}, its RMSE on the validation rows, "
            f"{quantity(found.best, unit)}, is {times} that on the rows it learned from. "
            "This holds for the network that is kept, so it may well cost accuracy."
        )
    fell = f"the training error fell by another {percent(found.training_fall)}" if found.training_fall else ""
    if curves.verdict.rises:
        meanwhile = f", while {fell}" if fell else ""
        what = f"overfits after {where}: the validation error then rose by {percent(found.rise)}{meanwhile}"
    else:
        what = f"learned its training rows by heart after {where}: the validation error got no better, while {fell}"
    return f"{curves.model} {what}. {_kept(curves, found)}, so this cost time, not accuracy."


def _underfit_words(curves: NetworkCurves, found: CurveEvidence, unit: str) -> str:
    if curves.verdict.learned_nothing:
        return (
            f"{curves.model} learned next to nothing: even on its own training rows it is hardly better than their "
            "mean. Either its settings keep it from learning, or the columns say little about the target."
        )
    # A mean absolute error lies below the RMSE.
    least = "at least " if curves.scale == "mae" else ""
    best = found.best / (1 + (found.behind or 0.0))
    return (
        f"{curves.model} underfits: its RMSE on the very rows it learned from is {least}"
        f"{quantity(found.training, unit)}, while the best model of this run has {quantity(best, unit)} on rows that "
        "it has not learned from."
    )


def _improving_words(curves: NetworkCurves, found: CurveEvidence, unit: str) -> str:
    del unit
    return (
        f"{curves.model} was still improving when its training ended: over the last quarter of its {found.epochs} "
        f"epochs the validation error fell by {percent(found.progress)}. More epochs would probably make it better."
    )


def _unstable_words(curves: NetworkCurves, found: CurveEvidence, unit: str) -> str:
    del unit
    where = f"epoch {found.best_epoch} of {found.epochs}"
    if found.lost:
        what = "after some epochs its validation error was no number"
        return f"The training of {curves.model} is unsteady: {what}. {_kept(curves, found)}."
    if found.scatter >= SCATTER:
        return (
            f"The training of {curves.model} is unsteady: the validation error jumps by about {percent(found.scatter)} "
            f"from epoch to epoch, so that it is partly luck which one is best, here {where}."
        )
    return (
        f"{curves.model} went astray after {where}: the validation error rose by {percent(found.rise)}, and the "
        f"training error did not get better either. {_kept(curves, found)}."
    )


def _nothing_words(curves: NetworkCurves, found: CurveEvidence, unit: str) -> str:
    return (
        f"{curves.model} learned next to nothing that holds for other rows: at its best, in epoch {found.best_epoch} "
        f"of {found.epochs}, its RMSE on the validation rows is {quantity(found.best, unit)}, and always predicting "
        f"the mean has {quantity(curves.constant, unit)}. Either the columns say little about the target, or its "
        "settings keep it from learning."
    )


def _good_words(curves: NetworkCurves, found: CurveEvidence, unit: str) -> str:
    del unit
    return (
        f"{curves.model} learned about as much as it can with these settings: the validation error has levelled off "
        f"without rising clearly again. {_kept(curves, found)}."
    )


def _kept(curves: NetworkCurves, found: CurveEvidence) -> str:
    if curves.count > 1:
        return "Of each fold the network of its own best epoch is kept"
    return f"The network of epoch {found.best_epoch} is the one that is kept"


def evidence_words(curves: NetworkCurves, unit: str) -> tuple[str, ...]:
    """Return the figures that a verdict rests on, each in a few words; empty where there is no verdict."""
    found = curves.verdict.evidence
    if found is None:
        return ()
    texts = [f"best epoch {found.best_epoch} of {found.epochs}", f"validation RMSE there {quantity(found.best, unit)}"]
    if found.training is not None:
        kind = "RMSE" if curves.scale == "rmse" else "mean absolute error"
        texts.append(f"training {kind} {quantity(found.training, unit)}")
    end = f"at the end {percent(found.rise)} above its lowest" if found.rise >= 0.001 else "at the end at its lowest"
    texts.append(f"{end} (up to {percent(found.noise)} may be luck)" if found.noise else end)
    moved = "below" if found.progress >= 0 else "above"
    texts.append(f"the last quarter {percent(abs(found.progress))} {moved} the one before")
    texts.append(f"scatter from epoch to epoch {percent(found.scatter)}")
    if found.behind:
        texts.append(f"{percent(found.behind)} behind the best model of the run")
    texts[0] = texts[0].capitalize()
    return tuple(texts)


def about_words(curves: NetworkCurves) -> str:
    """Return what the training curve is, so that its distance from the validation curve isn't misread."""
    taken = (
        "The training error is taken while an epoch goes on, with dropout, and for networks side by side as the mean "
        "of theirs. It may therefore lie above the validation error."
    )
    if curves.scale == "mae":
        return (
            f"{curves.model} is taught by the mean absolute error, which lies below the RMSE of the same errors: not "
            f"the distance of the curves tells of overfitting, but where they part. {taken}"
        )
    if curves.scale == "relative":
        return (
            f"The loss that {curves.model} is taught by has no unit in common with the RMSE: both are shown relative "
            f"to their first epoch. {taken}"
        )
    return taken


def suggestion_words(curves: NetworkCurves, settings: Mapping[str, SettingNow]) -> tuple[str, ...]:
    """Return what to change, the most promising first.

    Parameters
    ----------
    curves : NetworkCurves
        With its verdict.
    settings : mapping of str to SettingNow
        The settings that its family has, by name; what a family hasn't is not suggested.
    """
    found = curves.verdict.evidence
    if found is None:
        return ("Give the run more time: it decides how many epochs a network gets.",)
    texts = (_suggestion(aim, settings, found) for aim in curves.verdict.suggestions)
    return tuple(text for text in texts if text)


def _suggestion(aim: Aim, settings: Mapping[str, SettingNow], found: CurveEvidence) -> str:
    if aim in _WITHOUT:
        return _WITHOUT[aim]
    names, texts = _WITH[aim]
    known = next((settings[name] for name in names if name in settings), None)
    if known is None or _is_there_already(aim, known.value):
        return ""
    enough = ceil(_ENOUGH * found.best_epoch)
    title = f"{known.title} (now {known.words})" if known.words else known.title
    return texts.format(setting=title, enough=f"{enough:,}")


def _is_there_already(aim: Aim, value: Any) -> bool:
    """Tell whether a setting can't be changed in that direction."""
    if aim in ("less_dropout", "less_decay"):
        return bool(value == 0)
    if aim == "more_dropout":
        return isinstance(value, float) and value >= _MUCH_DROPOUT
    return aim == "falling_steps" and bool(value != "constant")


_UNITS = ("hidden", "width")
_WITH: dict[Aim, tuple[tuple[str, ...], str]] = {
    "more_epochs": (("epochs",), "Give the run more time, or raise {setting} yourself."),
    "fewer_epochs": (
        ("epochs",),
        "Lower {setting}: about {enough} may do, and leave time for other networks.",
    ),
    "stop_early": (
        ("early_stopping",),
        "Set {setting} to 10 to 20 epochs: the training then ends soon after its best one.",
    ),
    "larger_network": (_UNITS, "Choose more units under {setting}: they can follow more of what the columns say."),
    "smaller_network": (_UNITS, "Choose fewer units under {setting}: they have less room to learn rows by heart."),
    "larger_steps": (
        ("learning_rate",),
        "Raise {setting}, to three times as much: it then gets further in each epoch.",
    ),
    "smaller_steps": (("learning_rate",), "Lower {setting}, to a third: the steps seem to be too long."),
    "falling_steps": (("schedule",), "Choose cosine for {setting}: steps that get shorter let it settle."),
    "larger_batches": (("batch_size",), "Raise {setting}: steps that rest on more rows are steadier."),
    "more_dropout": (("dropout",), "Raise {setting}, up to 0.3: units can then rely less on single rows."),
    "less_dropout": (("dropout",), "Lower {setting}: it keeps the network from fitting even its own rows."),
    "more_decay": (("weight_decay",), "Raise {setting}, tenfold at first: small weights make a smoother function."),
    "less_decay": (("weight_decay",), "Lower {setting}: it pulls the network towards a constant."),
}
_WITHOUT: dict[Aim, str] = {
    "more_rows": "Add rows, where there are any: nothing does more against overfitting.",
    "more_columns": "Look for columns that know more about the target: no setting can make up for them.",
}
