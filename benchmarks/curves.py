"""How often the verdict on learning curves is right, on trainings with a known fault.

usage: uv run python benchmarks/curves.py [--seeds 12] [--part all|verdicts|luck] [--batch-norm]

Verdicts: a feed-forward network is trained overfitted on purpose (wide, few rows, much noise, many epochs, constant
steps), underfitted (one hidden unit, or steps that lead nowhere), cut short, thrown about by steps that are too long,
and as it should be; each over several seeds, none of which the thresholds were chosen on. Luck: how far the validation
RMSE of two networks of one training differs by chance, times the root of the rows. With ``--batch-norm`` the networks
normalise their batches, as they do by default from 1,500 training rows on.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from dlreg_core.evaluation.curve_verdict import CurveVerdict, VerdictKind, judge_curves
from dlreg_core.evaluation.epoch_curves import training_error
from dlreg_core.networks import family, to_autogluon
from dlreg_core.networks.epoch_watch import EpochFigures, EpochWatch
from dlreg_core.pipeline.quiet_libraries import silence_libraries
from dlreg_core.training.baselines.simple_models import fit_baselines

KEY = "FEEDFORWARD"
FIRST_SEED = 100
_FRESH_ROWS, _DRAWN = 20_000, 100


@dataclass(frozen=True)
class Case:
    """A training whose fault is known.

    Attributes
    ----------
    name : str
        What it is.
    right : tuple of str
        The verdicts that are right; empty where more than one can be argued for, and only what is said is shown.
    rows, validation : int
        How many rows it learns from, and is validated on.
    noise : float
        Standard deviation of the noise, in those of the signal.
    settings : dict
        What differs from the defaults of the catalogue.
    """

    name: str
    right: tuple[VerdictKind, ...]
    rows: int
    validation: int
    noise: float
    settings: dict[str, Any] = field(default_factory=dict)


_FIXED = {"schedule": "constant", "members": 1}
_WIDE = {**_FIXED, "hidden": [256, 256], "weight_decay": 0.0, "learning_rate": 2e-3}
_LONG = {"optimizer": "adam", "learning_rate": 0.3, "weight_decay": 0.0}
_USUAL = {"hidden": [64, 64], "members": 1}

CASES = (
    Case("wide, 120 rows, 120 epochs", ("overfit",), 120, 300, 1.0, {**_WIDE, "epochs": 120}),
    Case("the same, 60 validation rows", ("overfit",), 120, 60, 1.0, {**_WIDE, "epochs": 120}),
    Case("wide, 4 side by side, 200 rows", ("overfit",), 200, 200, 1.0, {**_WIDE, "members": 4, "epochs": 100}),
    Case(
        "one hidden unit",
        ("underfit",),
        1500,
        300,
        0.2,
        {"hidden": [1], "members": 1, "embedding": "none", "epochs": 60},
    ),
    Case(
        "learning rate 1e-6", ("underfit",), 1500, 300, 0.2, {**_USUAL, **_FIXED, "learning_rate": 1e-6, "epochs": 40}
    ),
    Case(
        "cut after 12 epochs",
        ("still_improving",),
        1500,
        300,
        0.2,
        {**_USUAL, **_FIXED, "learning_rate": 5e-4, "epochs": 12},
    ),
    Case(
        "small steps, 30 epochs",
        ("still_improving",),
        1500,
        300,
        0.2,
        {**_USUAL, **_FIXED, "learning_rate": 1e-4, "epochs": 30},
    ),
    Case(
        "learning rate 0.05, batches of 16",
        ("unstable",),
        1000,
        200,
        0.3,
        {**_USUAL, **_FIXED, "learning_rate": 0.05, "weight_decay": 0.0, "batch_size": 16, "epochs": 60},
    ),
    Case("defaults, 3,000 rows", ("good",), 3000, 500, 0.3, {"hidden": [64, 64], "members": 4, "epochs": 60}),
    Case(
        "dropout 0.1, 2,000 rows",
        ("good",),
        2000,
        400,
        0.3,
        {"hidden": [128, 128], "members": 4, "dropout": 0.1, "epochs": 60},
    ),
    # Little noise and few rows: learned by heart, and yet hardly worse for it.
    Case("defaults, 400 rows", (), 400, 100, 0.3, {"hidden": [64, 64], "members": 8, "epochs": 80}),
    # Such steps kill the units at once: unsteady by its cause, underfitted by its curves.
    Case("adam, learning rate 0.3", (), 400, 200, 0.3, {**_USUAL, **_FIXED, **_LONG, "epochs": 60}),
)


def table(rows: int, noise: float, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return a table whose target is a sum of products, which one unit can't follow, with noise."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{i}": rng.normal(size=rows) for i in range(6)})
    frame["kind"] = pd.Categorical(rng.choice(list("abcd"), rows), categories=list("abcd"))
    signal = np.sin(2 * frame["x0"]) * frame["x1"] + frame["x2"] * frame["x3"] + 1.5 * (frame["kind"] == "b")
    return frame, (50 + 10 * (signal / 1.35 + noise * rng.normal(size=rows))).rename("y")


def fitted(case: Case, seed: int, watch: EpochWatch, *, own: bool = False) -> Any:
    """Train the network of a case; with `own` it is validated on its training rows, so that its last epoch is kept."""
    rows, target = table(case.rows, case.noise, seed)
    judged, truth = (rows, target) if own else table(case.validation, case.noise, 10_000 + seed)
    # The faults were made, and the thresholds chosen, without batch normalisation.
    settings = family(KEY).sample_settings(case.rows, seed) | to_autogluon(KEY, {"batch_norm": False} | case.settings)
    with tempfile.TemporaryDirectory() as folder:
        model = family(KEY).model_class()(
            path=folder,
            name=KEY,
            problem_type="regression",
            eval_metric="rmse",
            hyperparameters=family(KEY).model_settings(settings, float(np.std(target))),
        )
        with family(KEY).training(model, watch):
            model.fit(X=rows, y=target, X_val=judged, y_val=truth, num_cpus=1, num_gpus=0, verbosity=0)
    return model


def verdict_on(case: Case, seed: int) -> CurveVerdict:
    """Train a case and judge its curves, beside the baselines that every run has."""
    rows, target = table(case.rows, case.noise, seed)
    judged, truth = table(case.validation, case.noise, 10_000 + seed)
    std, seen = float(np.std(target)), list[EpochFigures]()
    fitted(case, seed, EpochWatch(on_epoch=seen.append, target_std=std))
    validation = [np.nan if e.validation is None else e.validation for e in seen]
    training = [np.nan if e.train_loss is None else training_error(KEY, case.settings, e.train_loss, std) for e in seen]
    baselines = fit_baselines(rows, target.to_numpy(), judged, truth.to_numpy(), seed=0)
    others = [float(np.sqrt(np.mean((b.model.predict(judged) - truth) ** 2))) for b in baselines if b.model]
    return judge_curves(
        validation,
        training,
        target_std=std,
        run_best=min(*others, float(np.nanmin(validation))),
        validation_rows=case.validation,
    )


def verdicts(seeds: int, *, batch_norm: bool) -> pd.DataFrame:
    """Return how often the verdict on each case is right, and what else was said."""
    lines = []
    for known in CASES:
        case = replace(known, settings={"batch_norm": batch_norm} | known.settings)
        found = Counter(verdict_on(case, FIRST_SEED + i).kind for i in range(seeds))
        right = sum(found[kind] for kind in case.right)
        others = ", ".join(f"{kind} {count}" for kind, count in found.items() if kind not in case.right)
        fault, score = (case.right[0], f"{right} of {seeds}") if case.right else ("open", "")
        lines.append({"training": case.name, "is": fault, "right": score, "else": others})
        print(lines[-1], flush=True)
    return pd.DataFrame(lines)


def luck(seeds: int) -> pd.DataFrame:
    """Return two standard deviations of the relative difference in RMSE of two epochs, times the root of the rows."""
    usual = {"hidden": [64, 64], "members": 4, "schedule": "constant", "learning_rate": 1e-3}
    pairs = (
        ("overfitted, epochs 8 and 120", Case("", (), 120, 0, 1.0, _WIDE), 8, 120),
        ("usual, epochs 20 and 60", Case("", (), 2000, 0, 0.3, usual), 20, 60),
        ("usual, epochs 30 and 40", Case("", (), 2000, 0, 0.3, usual), 30, 40),
    )
    lines = []
    for name, case, early, late in pairs:
        found = []
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            fresh, truth = table(_FRESH_ROWS, case.noise, 20_000 + seed)
            errors = []
            for epochs in (early, late):
                chosen = Case(case.name, (), case.rows, 0, case.noise, {**case.settings, "epochs": epochs})
                residual = fitted(chosen, seed, EpochWatch(), own=True).predict(fresh) - truth.to_numpy()
                errors.append(np.sqrt(np.mean(np.reshape(residual, (-1, _DRAWN)) ** 2, axis=1)))
            found.append(2 * np.std(np.log(errors[1] / errors[0])) * np.sqrt(_DRAWN))
        lines.append({"networks": name, "lowest": round(float(min(found)), 2), "highest": round(float(max(found)), 2)})
        print(lines[-1], flush=True)
    return pd.DataFrame(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--part", choices=["all", "verdicts", "luck"], default="all")
    parser.add_argument("--batch-norm", action="store_true")
    options = parser.parse_args()
    silence_libraries()
    tables = {}
    if options.part in ("all", "verdicts"):
        tables["Verdicts"] = verdicts(options.seeds, batch_norm=options.batch_norm)
    if options.part in ("all", "luck"):
        tables["Luck"] = luck(max(3, options.seeds // 4))
    for title, shown in tables.items():
        print(f"\n{title}\n{shown.to_string(index=False)}")


if __name__ == "__main__":
    main()
