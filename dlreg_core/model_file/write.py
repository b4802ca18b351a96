"""Writing a model file."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import dlreg_core
from dlreg_core.cleaning import numbered_name, read_own_rows, row_frame, typical_row
from dlreg_core.errors import BundleError, ConflictError, NotFoundError
from dlreg_core.ingest.datasets import DatasetStore
from dlreg_core.model_file.card import model_card
from dlreg_core.model_file.contents import PRIVATE, blanked_schema, data_held, values_found
from dlreg_core.model_file.load import checked_pipeline
from dlreg_core.model_file.manifest import MANIFEST, Manifest, python_minor
from dlreg_core.model_file.requirements import requirements_for
from dlreg_core.pipeline.fitted_pipeline import Pipeline, deploy
from dlreg_core.runs import RunFolder, note_made, scratch_folder, sha256
from dlreg_core.specs import DataHeld, Exported, LeaderboardRow, TrainResult
from dlreg_core.splitting import prepared_of

RUNTIME = (
    "__init__.py",
    "array_types.py",
    "arrow.py",
    "errors.py",
    "names.py",
    "specs",
    "ingest/__init__.py",
    "ingest/formats",
    "ingest/inference",
    "ingest/batches",
    "cleaning",
    "networks",
    "pipeline",
)
"""Modules of this package that a model file carries along."""

_OF_NETWORKS = ("autogluon.tabular", "torch")
"""Packages that a baseline doesn't need."""

_REFERENCE_ROWS = 5
_SCRIPT = Path(__file__).with_name("predict_script.py")


@dataclass(frozen=True)
class _Tried:
    """Rows that a model file must predict as the run does, and what is known of them."""

    rows: pd.DataFrame
    expected: NDArray[np.float64]
    private: frozenset[str]
    """Columns of identifiers and texts, which are empty in these rows."""
    learned: pd.DataFrame | None
    """Rows that were learned from; None where the data set is gone, and the rows are made up."""


def write_bundle(
    run: RunFolder, model: str | None, target: Path, pipeline: Pipeline | None = None, *, with_rows: bool = True
) -> Exported:
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
    with_rows : bool
        Whether it holds reference rows, by which it can test itself, and typical values.

    Returns
    -------
    Exported
        What was written, and the largest relative difference on the rows that were predicted again.

    Raises
    ------
    ConflictError
        If the run has no models, or its data set was deleted and reference rows are wanted.
    BundleError
        If the file didn't reproduce the predictions.
    """
    result = run.result()
    if result is None:
        raise ConflictError(f"Run {run.id} has no models to export.", "Train it first.")
    pipeline = pipeline or Pipeline(run.model_path())
    name = model or result.best_model
    row = _row_of(run, result, name)
    tried = _tried(run, pipeline, name, with_rows=with_rows)
    with scratch_folder() as folder:
        place = folder / "bundle"
        held = _fill(place, run, pipeline, result, row, tried, with_rows=with_rows)
        difference = _check(place, tried, with_rows=with_rows)
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
        reference_rows=len(tried.rows),
        max_relative_difference=difference,
        held=held,
        made_up=tried.learned is None,
    )


def _row_of(run: RunFolder, result: TrainResult, model: str) -> LeaderboardRow:
    try:
        return result.row(model)
    except KeyError as exc:
        raise NotFoundError(f"Run {run.id} has no model {model!r}.", "Choose one from its leaderboard.") from exc


def _tried(run: RunFolder, pipeline: Pipeline, model: str, *, with_rows: bool) -> _Tried:
    """Return the first test rows as far as the model needs them, without identifiers and texts."""
    private = {field.name for field in pipeline.schema.fields if field.type in PRIVATE}
    try:
        store, experiment = DatasetStore(run.home), run.experiment()
        dataset = store.get(experiment.dataset_id)
        if experiment.recipe.split.test_dataset is not None:
            store.get(experiment.recipe.split.test_dataset)
        table = prepared_of(run.home, experiment)
    except NotFoundError as exc:
        if with_rows:
            raise ConflictError(
                "The data of this run was deleted, so that there are no rows to test its model files with.",
                "Export it without rows.",
            ) from exc
        rows, learned = row_frame(pipeline.schema, typical_row(pipeline.schema)), None
    else:
        # Whatever somebody uses it as: what it is stays what it is.
        private |= {column.name for column in dataset.columns if column.type in PRIVATE}
        rows = pipeline.spec.cleaner.wanted(table.test.iloc[:_REFERENCE_ROWS])
        learned = pd.concat([table.train, table.validation])
    private &= set(pipeline.schema.names)
    rows = rows.copy()
    for column in private:
        rows[column] = None
    return _Tried(rows, pipeline.predict(rows, model), frozenset(private), learned)


def _fill(
    place: Path,
    run: RunFolder,
    pipeline: Pipeline,
    result: TrainResult,
    row: LeaderboardRow,
    tried: _Tried,
    *,
    with_rows: bool,
) -> DataHeld:
    experiment = run.experiment()
    schema = blanked_schema(pipeline.schema, tried.private, typical=with_rows)
    deploy(pipeline, row.model, place / "model", schema)
    _copy_runtime(place / "runtime" / "dlreg_core")
    shutil.copy(_SCRIPT, place / "predict.py")
    families = {row.family} if row.role != "ensemble" else {result.row(m).family for m in result.ensemble_weights}
    (place / "requirements.txt").write_text("\n".join(requirements_for(families)) + "\n", encoding="utf-8")
    if with_rows:
        _write_reference(place / "reference.csv", tried)
    held = data_held(place, tried.rows if with_rows else None, tried.private, result)
    if tried.learned is not None:
        held = held.model_copy(update={"found": values_found(place / "model", tried.learned, tried.private)})
    manifest = Manifest(
        name=experiment.name,
        target=experiment.recipe.target,
        unit=experiment.recipe.unit,
        model=row.model,
        family=row.family,
        inputs=schema,
        versions={"python": python_minor()}
        | {k: v.split("+")[0] for k, v in result.versions.items() if row.role != "baseline" or k not in _OF_NETWORKS}
        | ({"catboost": version("catboost")} if row.family == "BOOSTED" else {}),
        metrics=row,
        rows=result.rows,
        dataset_sha256_prefix=experiment.dataset_id,
        held=held,
    )
    (place / "README.md").write_text(model_card(manifest, experiment, result), encoding="utf-8")
    files = {str(f.relative_to(place)): sha256(f) for f in sorted(place.rglob("*")) if f.is_file()}
    text = manifest.model_copy(update={"files": files}).model_dump_json(indent=1)
    (place / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return held


def _copy_runtime(target: Path) -> None:
    source = Path(dlreg_core.__file__).parent
    for name in RUNTIME:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source / name, place)


def _write_reference(path: Path, tried: _Tried) -> None:
    """Write raw rows with their predictions in the last column, under a name that is free."""
    tried.rows.assign(**{numbered_name("expected_prediction", tried.rows): tried.expected}).to_csv(path, index=False)


def _check(place: Path, tried: _Tried, *, with_rows: bool) -> float:
    """Load what was written as a stranger would, and return the largest relative difference."""
    loaded, manifest = checked_pipeline(place)
    rows, expected = tried.rows, tried.expected
    if with_rows:
        rows = read_own_rows(place / "reference.csv", loaded.schema)
        expected = rows.iloc[:, -1].to_numpy(dtype=np.float64)
    found = loaded.predict(rows)
    difference = float(np.max(np.abs(found - expected) / np.maximum(np.abs(expected), 1e-12)))
    if difference > manifest.tolerance:
        raise BundleError(
            f"The model file predicts {'its reference' if with_rows else 'the same'} rows differently, by up to "
            f"{difference:.1e} of their value.",
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
