"""Predictions for whole tables, and model files: what the prediction process does through files."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dlreg_core.cleaning import Cleaner, numbered_name
from dlreg_core.runs import RunFolder, read_spec, scratch_folder, write_spec
from dlreg_core.scoring.client import Scorer
from dlreg_core.specs import Exported

PREDICTED = ("prediction", "low", "high")


@dataclass(frozen=True)
class PredictedTable:
    """Rows with their predictions.

    Attributes
    ----------
    table : pandas.DataFrame
        The rows as they came in, with ``prediction`` and, where there are intervals, the ends of the 90 % prediction
        interval, ``low`` and ``high``; a column that has such a name already keeps it, and ours gets a number.
    added : tuple of str
        The names of the columns that were added.
    warnings : tuple of str
        Where the rows leave what the model has seen.
    """

    table: pd.DataFrame
    added: tuple[str, ...]
    warnings: tuple[str, ...]


def predict_table(scorer: Scorer, run: RunFolder, rows: pd.DataFrame, cleaner: Cleaner, model: str) -> PredictedTable:
    """Predict all rows of a table.

    Parameters
    ----------
    scorer : Scorer
        The prediction process.
    run : RunFolder
        A run with models.
    rows : pandas.DataFrame
        Raw rows; other columns than the model needs are kept and ignored.
    cleaner : Cleaner
        Knows which ones it needs.
    model : str
        Name of the model.

    Raises
    ------
    RowsError
        If a column is missing.
    ScorerError
        If the prediction process fails.
    """
    # Before the process is started, so that a wrong file is told at once.
    complete = cleaner.complete(rows)
    cleaner.schema_.coerce(complete.iloc[:1])
    with scratch_folder() as folder:
        source, target = folder / "rows.parquet", folder / "predictions.parquet"
        cleaner.wanted(complete).reset_index(drop=True).to_parquet(source)
        scored = scorer.predict_file(run, source, target, model)
        found = pd.read_parquet(target)
    names = {name: numbered_name(name, rows) for name in PREDICTED if name in found.columns}
    found = found[list(names)].rename(columns=names)
    table = pd.concat([rows.reset_index(drop=True), found], axis=1)
    return PredictedTable(table, tuple(names.values()), scored.warnings)


def model_file_path(run: RunFolder, model: str, *, with_rows: bool = True) -> Path:
    """Return where the model file of a run's model is kept: ``HOME/cache/exports/RUN-MODEL.zip``.

    A run that was continued may have other models under the same names, so that its later files have a number. One
    without rows says so.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")
    task = run.result_task()
    later = f"-{task.number}" if task is not None and task.number > 1 else ""
    return run.home / "cache" / "exports" / f"{run.id}-{plain}{later}{'' if with_rows else '-no-rows'}.zip"


def find_model_file(run: RunFolder, model: str, *, with_rows: bool = True) -> Exported | None:
    """Return the model file that was made before, or None where there is none."""
    path = model_file_path(run, model, with_rows=with_rows)
    note = path.with_suffix(".json")
    made = read_spec(note, Exported) if path.exists() and note.exists() else None
    # Of one that an earlier version made nobody knows what it holds.
    return made if made is not None and made.held is not None else None


def make_model_file(scorer: Scorer, run: RunFolder, model: str, *, with_rows: bool = True) -> Exported:
    """Make the model file of a run's model, or return the one that was made before.

    Raises
    ------
    ScorerError
        If the prediction process fails, or the file doesn't reproduce the model's predictions.
    """
    made = find_model_file(run, model, with_rows=with_rows)
    if made is not None:
        return made
    path = model_file_path(run, model, with_rows=with_rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        building = Path(folder) / path.name
        exported = scorer.export(run, model, building, with_rows=with_rows)
        building.replace(path)
    made = exported.model_copy(update={"path": str(path)})
    write_spec(path.with_suffix(".json"), made)
    return made
