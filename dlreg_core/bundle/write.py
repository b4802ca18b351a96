"""Writing a model file."""

from __future__ import annotations

import shutil
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

import dlreg_core
from dlreg_core.bundle.card import model_card
from dlreg_core.bundle.load import checked_pipeline
from dlreg_core.bundle.manifest import MANIFEST, Manifest, python_minor, sha256
from dlreg_core.bundle.requirements import requirements_for
from dlreg_core.errors import BundleError, ConflictError, NotFoundError
from dlreg_core.prepare import prepared_of, read_own_rows
from dlreg_core.runs import RunFolder
from dlreg_core.runs.made import note_made
from dlreg_core.runs.scratch import scratch_folder
from dlreg_core.specs import Exported, TrainResult
from dlreg_core.training.pipeline import Pipeline, deploy

RUNTIME = (
    "__init__.py",
    "errors.py",
    "names.py",
    "specs",
    "evaluation/__init__.py",
    "evaluation/ahead.py",
    "evaluation/intervals.py",
    "ingest",
    "prepare",
    "training/__init__.py",
    "training/pipeline.py",
    "training/shelf.py",
    "training/fitting.py",
    "training/gpu_memory.py",
    "training/hushing.py",
    "training/incontext.py",
    "training/feedforward",
)
"""Modules of this package that a model file carries along."""

_OF_NETWORKS = ("autogluon.tabular", "torch")
"""Packages that a baseline doesn't need."""

_REFERENCE_ROWS = 5
_SCRIPT = Path(__file__).with_name("predict_script.py")


def write_bundle(run: RunFolder, model: str | None, target: Path, pipeline: Pipeline | None = None) -> Exported:
    """Write a model of a finished run as one file, and read it again to see that it predicts the same.

    Parameters
    ----------
    run : RunFolder
        A run with models.
    model : str or None
        Name of the model; the best one for None.
    target : Path
        The file to write.
    pipeline : Pipeline, optional
        The run's pipeline, where it is already loaded.

    Returns
    -------
    Exported
        What was written, and the largest relative difference on the reference rows.

    Raises
    ------
    ConflictError
        If the run has no models.
    BundleError
        If the file didn't reproduce its reference rows.
    """
    result = run.result()
    if result is None:
        raise ConflictError(f"Run {run.id} has no models to export.", "Train it first.")
    pipeline = pipeline or Pipeline(run.model_path())
    name = model or result.best_model
    with scratch_folder() as folder:
        place = folder / "bundle"
        _fill(place, run, pipeline, result, name)
        difference = _check(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.part")
        members = _zip(place, unfinished)
        digest = sha256(unfinished)
        note_made(run.home, digest)
        unfinished.replace(target)
    return Exported(
        path=str(target),
        model=name,
        size_mb=target.stat().st_size / 1e6,
        sha256=digest,
        members=members,
        reference_rows=_REFERENCE_ROWS,
        max_relative_difference=difference,
    )


def _fill(place: Path, run: RunFolder, pipeline: Pipeline, result: TrainResult, model: str) -> None:
    try:
        row = result.row(model)
    except KeyError as exc:
        raise NotFoundError(f"Run {run.id} has no model {model!r}.", "Choose one from its leaderboard.") from exc
    experiment = run.experiment()
    deploy(pipeline, model, place / "model")
    _copy_runtime(place / "runtime" / "dlreg_core")
    shutil.copy(_SCRIPT, place / "predict.py")
    families = {row.family} if row.role != "ensemble" else {result.row(m).family for m in result.ensemble_weights}
    (place / "requirements.txt").write_text("\n".join(requirements_for(families)) + "\n", encoding="utf-8")
    _write_reference(place / "reference.csv", run, pipeline, model)
    manifest = Manifest(
        name=experiment.name,
        target=experiment.recipe.target,
        unit=experiment.recipe.unit,
        model=model,
        family=row.family,
        inputs=pipeline.schema,
        versions={"python": python_minor()}
        | {k: v.split("+")[0] for k, v in result.versions.items() if row.role != "baseline" or k not in _OF_NETWORKS}
        | ({"catboost": version("catboost")} if row.family == "BOOSTED" else {}),
        metrics=row,
        rows=result.rows,
        dataset_sha256_prefix=experiment.dataset_id,
    )
    (place / "README.md").write_text(model_card(manifest, experiment, result), encoding="utf-8")
    files = {str(f.relative_to(place)): sha256(f) for f in sorted(place.rglob("*")) if f.is_file()}
    text = manifest.model_copy(update={"files": files}).model_dump_json(indent=1)
    (place / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _copy_runtime(target: Path) -> None:
    source = Path(dlreg_core.__file__).parent
    for name in RUNTIME:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source / name, place)


def _write_reference(path: Path, run: RunFolder, pipeline: Pipeline, model: str) -> None:
    """Write a few raw test rows with their predictions in the last column, under a name that is free."""
    table = prepared_of(run.home, run.experiment())
    rows = table.test.iloc[:_REFERENCE_ROWS]
    expected = pipeline.predict(rows, model)
    name = "expected_prediction"
    while name in rows.columns:
        name += "_"
    rows.assign(**{name: expected}).to_csv(path, index=False)


def _check(place: Path) -> float:
    """Load what was written as a stranger would, and return the largest relative difference."""
    loaded, manifest = checked_pipeline(place)
    rows = read_own_rows(place / "reference.csv", loaded.schema)
    expected = rows.iloc[:, -1].to_numpy(dtype=np.float64)
    found = loaded.predict(rows)
    difference = float(np.max(np.abs(found - expected) / np.maximum(np.abs(expected), 1e-12)))
    if difference > manifest.tolerance:
        raise BundleError(
            f"The model file predicts its reference rows differently, by up to {difference:.1e} of their value.",
            "It was not written; please report this with the run's log.",
        )
    return difference


def _zip(place: Path, target: Path) -> tuple[str, ...]:
    members = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(place.rglob("*")):
            if file.is_file():
                name = str(file.relative_to(place))
                archive.write(file, name)
                members.append(name)
    return tuple(members)
