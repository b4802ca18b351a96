"""The tables that tasks leave behind: predictions of all models, and explanations.

Reading them needs neither AutoGluon nor shap, so that pages can show results without loading either.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.array_types import Floats
from dlreg_core.errors import NotFoundError
from dlreg_core.runs.atomic_files import read_spec, write_spec
from dlreg_core.runs.run_folder import RunFolder, TaskFolder
from dlreg_core.specs import ExplainResult

RowNumbers = NDArray[np.int64]


@dataclass(frozen=True)
class PartPredictions:
    """Predictions of all models for one part of the rows, in the target's unit.

    Attributes
    ----------
    rows : ndarray of int, shape (rows,)
        Row numbers in the stored table.
    actual : ndarray of float, shape (rows,)
        The target.
    predicted : mapping of str to ndarray of float, shape (rows,)
        By model.
    """

    rows: RowNumbers
    actual: Floats
    predicted: Mapping[str, Floats]


@dataclass(frozen=True)
class Explanation:
    """Shapley values of some rows.

    Attributes
    ----------
    values : pandas.DataFrame, shape (rows, features)
        Shapley values in the target's unit; with the base value they add up to the prediction.
    data : pandas.DataFrame, shape (rows, features)
        The raw rows.
    predictions : ndarray, shape (rows,)
        The model's predictions.
    rows : ndarray of int, shape (rows,)
        Row numbers in the stored table.
    result : ExplainResult
        Sizes, cost and error.
    """

    values: pd.DataFrame
    data: pd.DataFrame
    predictions: Floats
    rows: RowNumbers
    result: ExplainResult


def save_predictions(task: TaskFolder, part: str, predictions: PartPredictions) -> None:
    """Write the predictions for ``"validation"`` or ``"test"`` rows."""
    table = pd.DataFrame({"row": predictions.rows, "actual": predictions.actual})
    # Model names stand in columns of their own kind, so that none can collide with the two above.
    columns = {f"model: {name}": values for name, values in predictions.predicted.items()}
    table.assign(**columns).to_parquet(task.path / f"predictions-{part}.parquet")


def load_predictions(run: RunFolder, part: str = "test") -> PartPredictions:
    """Read what `save_predictions` wrote.

    Raises
    ------
    NotFoundError
        If the run has no predictions.
    """
    task = run.result_task()
    path = task.path / f"predictions-{part}.parquet" if task is not None else None
    if path is None or not path.exists():
        raise NotFoundError(f"Run {run.id} has no predictions to look at.", "Train it first.")
    table = pd.read_parquet(path)
    names = [column for column in table.columns if column.startswith("model: ")]
    return PartPredictions(
        rows=table["row"].to_numpy(),
        actual=table["actual"].to_numpy(),
        predicted={name.removeprefix("model: "): table[name].to_numpy() for name in names},
    )


def save_explanation(task: TaskFolder, explanation: Explanation) -> None:
    """Write an explanation; its ``explanation.json`` comes last and says that it is complete."""
    folder = _explanation_folder(task.path, explanation.result.model)
    folder.mkdir(parents=True)
    explanation.values.to_parquet(folder / "values.parquet")
    explanation.data.to_parquet(folder / "data.parquet")
    pd.DataFrame({"row": explanation.rows, "prediction": explanation.predictions}).to_parquet(folder / "rows.parquet")
    write_spec(folder / "explanation.json", explanation.result)


def find_explanation(run: RunFolder, model: str) -> Explanation | None:
    """Return the newest explanation of a model, or None where there is none.

    One from before the run was continued counts only for a network, which stays as it was; an ensemble may be another.
    """
    latest, result = run.result_task(), run.result()
    changes = result is not None and any(row.model == model and row.role == "ensemble" for row in result.leaderboard)
    for task in reversed(run.tasks()):
        if changes and latest is not None and task.number < latest.number:
            return None
        folder = _explanation_folder(task.path, model)
        if (folder / "explanation.json").exists():
            rows = pd.read_parquet(folder / "rows.parquet")
            return Explanation(
                values=pd.read_parquet(folder / "values.parquet"),
                data=pd.read_parquet(folder / "data.parquet"),
                predictions=rows["prediction"].to_numpy(),
                rows=rows["row"].to_numpy(),
                result=read_spec(folder / "explanation.json", ExplainResult),
            )
    return None


def delete_explanations(task: TaskFolder) -> int:
    """Remove all explanations that a task has left; return how many there were."""
    folder = task.path / "explanations"
    count = sum(1 for _ in folder.glob("*/explanation.json"))
    if folder.is_dir():
        # In one step, so that nobody reads one with half its files.
        doomed = Path(tempfile.mkdtemp(prefix=".deleted-", dir=task.path))
        folder.rename(doomed / folder.name)
        shutil.rmtree(doomed)
    return count


def _explanation_folder(task: Path, model: str) -> Path:
    return task / "explanations" / re.sub(r"\W+", "-", model.lower()).strip("-")
