from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from dlreg_core.evaluation.curve_verdict import Aim, VerdictKind
from dlreg_core.evaluation.epoch_curves import NetworkCurves, network_curves
from dlreg_core.networks import FAMILIES, settings_of
from dlreg_core.wording.learning_curve_text import (
    VERDICTS,
    SettingNow,
    about_words,
    evidence_words,
    suggestion_words,
    verdict_words,
)
from tests.core.evaluation.test_learning import epoch, result_of

EPOCHS = np.arange(1, 41)
FALLING = 4.9 + 10 * np.exp(-EPOCHS / 4)


def curves_of(validation: Any, training: Any, *, std: float = 16.0, folds: int = 1) -> NetworkCurves:
    """Return curves of a TabM, given its errors; the best of the other models has 5."""
    result = result_of(("TabM", "TABM", {}), std=std)
    events = [
        epoch("TabM", i + 1, float(v), (float(t) / std) ** 2, **({"fold": f} if folds > 1 else {}))
        for f in range(folds)
        for i, (v, t) in enumerate(zip(validation, training, strict=True))
    ]
    return network_curves(result, events)["TabM"]


RISING = np.where(EPOCHS <= 10, 5 + (10 - EPOCHS), 5 * (1 + 0.3 * (EPOCHS - 10) / 30))
SETTINGS = {"early_stopping": SettingNow("Early stopping", 16, "16"), "epochs": SettingNow("Epochs")}


def test_overfitting_after_the_best_epoch_costs_time() -> None:
    curves = curves_of(RISING, 5 - EPOCHS / 25)
    # Medians: 6.4 of the last five epochs over 5.1 of the lowest five, and 3.48 over 4.6.
    assert verdict_words(curves, "$") == (
        "TabM overfits after epoch 10 of 40: the validation error then rose by 25 %, while the training error fell by "
        "another 24 %. The network of epoch 10 is the one that is kept, so this cost time, not accuracy."
    )
    assert evidence_words(curves, "$")[:4] == (
        "Best epoch 10 of 40",
        "validation RMSE there $5",
        "training RMSE $4.6",
        "at the end 25 % above its lowest (up to 10 % may be luck)",
    )
    assert suggestion_words(curves, SETTINGS) == (
        "Set Early stopping (now 16) to 10 to 20 epochs: the training then ends soon after its best one.",
        "Lower Epochs: about 13 may do, and leave time for other networks.",
    )


def test_overfitting_of_the_network_that_is_kept() -> None:
    words = verdict_words(curves_of(FALLING, FALLING / 2.5), "MPa")
    assert words.startswith(
        "TabM overfits: at its best, in epoch 40 of 40, its RMSE on the validation rows, 4.9 MPa, is 2.5 × that on"
    )
    assert "may well cost accuracy" in words
    assert "more than 100 ×" in verdict_words(curves_of(FALLING, FALLING / 1e6), "MPa")


def test_rows_that_were_learned_by_heart() -> None:
    flat = np.where(EPOCHS <= 10, FALLING, FALLING[9])
    words = verdict_words(curves_of(flat, flat / (1 + np.maximum(EPOCHS - 10, 0) / 5)), "$")
    assert words.startswith("TabM learned its training rows by heart after epoch 10 of 40: the validation error got no")
    assert words.endswith("so this cost time, not accuracy.")


def test_underfitting() -> None:
    weak = curves_of(FALLING + 5, FALLING + 5)
    assert verdict_words(weak, "$") == (
        "TabM underfits: its RMSE on the very rows it learned from is $9.9, while the best model of this run has $5 on "
        "rows that it has not learned from."
    )
    assert "98 % behind the best model of the run" in evidence_words(weak, "$")
    nothing = verdict_words(curves_of(np.full(40, 9.0), np.full(40, 9.0), std=9.0), "$")
    assert nothing.startswith("TabM learned next to nothing: even on its own training rows")


def test_the_others() -> None:
    improving = curves_of(20 * np.exp(-EPOCHS / 40), 20 * np.exp(-EPOCHS / 40))
    assert "over the last quarter of its 40 epochs the validation error fell by 22 %" in verdict_words(improving, "$")
    assert "The network of epoch 40 is the one that is kept." in verdict_words(curves_of(FALLING, FALLING), "$")
    folds = verdict_words(curves_of(FALLING, FALLING, folds=2), "$")
    assert "Of each fold the network of its own best epoch is kept." in folds
    short = curves_of([3.0, 2.0], [3.0, 2.0])
    assert verdict_words(short, "$") == (
        "There is no verdict on how TabM learned: 2 epochs are too few to see a trend."
    )
    assert evidence_words(short, "$") == ()
    assert len(suggestion_words(short, {})) == 1


@pytest.mark.parametrize(("lowest", "told"), [(8.6, True), (9.3, True), (8.5, False)])
def test_a_network_that_is_no_better_than_the_mean_has_not_learned_what_it_can(lowest: float, told: bool) -> None:
    """Always predicting the mean has 9, and of 100 validation rows 5 % may be luck."""
    curves = curves_of(lowest + 10 * np.exp(-EPOCHS / 3), np.full(40, 5.0))
    assert (curves.verdict.kind == "nothing") is told
    assert ("as much as it can" in verdict_words(curves, "$")) is not told
    if told:
        assert verdict_words(curves, "$") == (
            "TabM learned next to nothing that holds for other rows: at its best, in epoch 40 of 40, its RMSE on the "
            f"validation rows is ${lowest:g}, and always predicting the mean has $9. Either the columns say little "
            "about the target, or its settings keep it from learning."
        )
        assert suggestion_words(curves, SETTINGS)[0].startswith("Look for columns that know more")


def test_three_ways_of_being_unsteady() -> None:
    noise = np.random.default_rng(0).normal(size=200)
    jumps = verdict_words(curves_of(9 * np.exp(0.2 * noise), np.full(200, 9.0)), "$")
    assert "jumps by about" in jumps
    assert "partly luck" in jumps
    assert "went astray after epoch 10 of 40" in verdict_words(curves_of(2 * RISING - 5, 2 * RISING - 5), "$")
    events = [epoch("TabM", i, 5.0 if i < 20 else None, 0.1) for i in range(1, 31)]
    lost = network_curves(result_of(("TabM", "TABM", {})), events)["TabM"]
    assert "after some epochs its validation error was no number" in verdict_words(lost, "$")


def test_what_is_there_already_is_not_suggested() -> None:
    weak = curves_of(FALLING + 5, FALLING + 5)
    none = {"dropout": SettingNow("Dropout", 0.0, "0"), "weight_decay": SettingNow("Weight decay", 0.1, "0.1")}
    assert suggestion_words(weak, none) == ("Lower Weight decay (now 0.1): it pulls the network towards a constant.",)
    some = {"dropout": SettingNow("Dropout", 0.4, "0.4")}
    assert [text[:5] for text in suggestion_words(weak, some)] == ["Lower"]
    large_gap = curves_of(FALLING, FALLING / 3)
    assert [text[:8] for text in suggestion_words(large_gap, some)] == ["Add rows"]


@pytest.mark.parametrize("family", [family.key for family in FAMILIES])
def test_every_family_has_something_to_change(family: str) -> None:
    settings = {known.name: SettingNow(known.title, known.default) for known in settings_of(family)}
    slow = 20 * np.exp(-EPOCHS / 40)
    (layers,) = (settings[name].title for name in ("hidden", "width") if name in settings)
    for validation, training, first in (
        (RISING, 5 - EPOCHS / 25, "Set Early stopping to 10 to 20 epochs"),
        (FALLING, FALLING / 3, "Raise Dropout, up to 0.3"),
        (FALLING + 5, FALLING + 5, f"Choose more units under {layers}"),
        (slow, slow, "Give the run more time, or raise Epochs yourself."),
    ):
        suggested = suggestion_words(curves_of(validation, training), settings)
        assert suggested[0].startswith(first)
        assert len(suggested) >= 2


def test_every_kind_and_aim_has_its_words() -> None:
    from dlreg_core.wording import learning_curve_text

    assert set(VERDICTS) == set(get_args(VerdictKind))
    assert {*learning_curve_text._WITH, *learning_curve_text._WITHOUT} == set(get_args(Aim))
    known = {known.name for family in FAMILIES for known in settings_of(family.key)}
    assert {name for names, _ in learning_curve_text._WITH.values() for name in names} <= known


def test_what_the_training_curve_is() -> None:
    assert about_words(curves_of(FALLING, FALLING)).startswith("The training error is taken while an epoch goes on")
    for family, settings, part in (
        ("NN_TORCH", {}, "lies below the RMSE of the same errors"),
        ("FEEDFORWARD", {"loss": "huber"}, "relative to their first epoch"),
    ):
        result = result_of(("It", family, settings))
        assert part in about_words(network_curves(result, [epoch("It", 1, 1.0, 1.0)])["It"])
