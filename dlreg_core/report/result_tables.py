"""The tables that the pages show and that a person can download."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dlreg_core.evaluation import residual_table
from dlreg_core.runs import Explanation, PartPredictions
from dlreg_core.specs import TrainResult

LEADERBOARD_COLUMNS = (
    "model",
    "role",
    "rmse",
    "mae",
    "r2",
    "median_ae",
    "mse",
    "rmse_validation",
    "coverage_90",
    "fit_seconds",
    "predict_rows_per_second",
    "size_mb",
    "note",
)

JUDGED = ["Row", "Actual", "Predicted", "Off by"]


def leaderboard_table(result: TrainResult) -> pd.DataFrame:
    """Return the leaderboard, lowest RMSE on the test rows first, models without figures last.

    Returns
    -------
    DataFrame
        ``rank`` (missing for models without figures), `LEADERBOARD_COLUMNS`, and the 95 % interval of the RMSE as
        ``rmse_low`` and ``rmse_high``.
    """
    rows = sorted(result.leaderboard, key=lambda row: (row.rmse is None, row.rmse or 0.0))
    lines = [
        {name: getattr(row, name) for name in LEADERBOARD_COLUMNS}
        | {
            "rmse_low": row.rmse_interval.low if row.rmse_interval else None,
            "rmse_high": row.rmse_interval.high if row.rmse_interval else None,
        }
        for row in rows
    ]
    table = pd.DataFrame(lines, columns=[*LEADERBOARD_COLUMNS, "rmse_low", "rmse_high"])
    figures = [name for name in table.columns if name not in ("model", "role", "note")]
    table[figures] = table[figures].astype("float64")
    ranks = pd.Series(range(1, len(table) + 1), dtype="Int64").where(table["rmse"].notna())
    table.insert(0, "rank", ranks)
    return table


def rounded(values: pd.Series, digits: int = 3, like: pd.Series | None = None) -> pd.Series:
    """Return a column of numbers as it is looked at: all at one precision, which gives most of them `digits` digits.

    With `like`, the precision is that of another column, so that both read alike.
    """
    place = _place(values if like is None else like, digits)
    return values if place is None else values.astype("float64").round(place)


def decimals(values: pd.Series, digits: int = 3) -> int:
    """Return how many decimals numbers need to show `digits` significant digits."""
    place = _place(values, digits)
    return 0 if place is None else max(0, place)


def observed_decimals(values: pd.Series, most: int = 6) -> int:
    """Return how many decimals show observed numbers as they are, up to `most`."""
    known = values.astype("float64").dropna()
    fine = 10.0**-most
    return next((n for n in range(most) if bool((np.abs(known.round(n) - known) < fine).all())), most)


def _place(values: pd.Series, digits: int) -> int | None:
    """Return the decimal place that a column is rounded to, negative before the point; None where it holds nothing."""
    # A column of nothing but None is one of objects.
    values = values.astype("float64")
    sizes = values.abs()[np.isfinite(values) & (values != 0)]
    # The median, since one failed model may be off by a million times more than the others.
    return None if sizes.empty else digits - 1 - int(np.floor(np.log10(float(sizes.median()))))


def worst_table(raw: pd.DataFrame, part: PartPredictions, model: str, target: str, at_most: int = 20) -> pd.DataFrame:
    """Return the test rows that a model is off most on, with their own columns.

    Parameters
    ----------
    raw : DataFrame
        The test rows, in the order of the predictions.
    part : PartPredictions
        The models' predictions for them.
    model, target : str
        Whose predictions, of which column.
    at_most : int
        How many rows.

    Returns
    -------
    DataFrame
        ``Row``, ``Actual``, ``Predicted`` and ``Off by``, then the table's columns without the target; one that has
        such a name already is called "Row (column)".
    """
    judged = residual_table(part.actual, part.predicted[model], part.rows).nlargest(at_most, "abs_error")
    places = judged.index.to_numpy()
    judged = judged.drop(columns="residual").set_axis(JUDGED, axis=1).reset_index(drop=True)
    own = raw.drop(columns=[target], errors="ignore").iloc[places].reset_index(drop=True)
    own = own.rename(columns={name: f"{name} (column)" for name in JUDGED})
    return pd.concat([judged, own], axis=1)


def explanation_table(explanation: Explanation) -> pd.DataFrame:
    """Return an explanation as one table: the row, its prediction, the average it starts from, and the SHAP values.

    Row numbers count from 0 in the stored table; the SHAP values are in the target's unit.
    """
    table = pd.DataFrame(
        {
            "row": explanation.rows,
            "prediction": explanation.predictions,
            "average prediction": explanation.result.base_value,
        }
    )
    values = explanation.values.reset_index(drop=True).add_prefix("SHAP ")
    return pd.concat([table, values, explanation.data.reset_index(drop=True)], axis=1)


_PARTS = {
    "predict.py": "a script that predicts a CSV file",
    "README.md": "the model card: what it was made from, and how good it is",
    "requirements.txt": "the packages it needs, with their versions",
    "manifest.json": "the hashes of all files, versions, columns and figures",
    "reference.csv": "rows with the predictions that they must get",
    "model": "the fitted cleaning and networks",
    "runtime": "the code that runs them",
}


def member_table(members: tuple[str, ...]) -> pd.DataFrame:
    """Return what is in a model file: ``part`` (a file or folder at its top), ``files`` and ``what`` it is."""
    parts = pd.Series([member.split("/", maxsplit=1)[0] for member in members], dtype=object)
    counts = parts.value_counts()
    known = [name for name in _PARTS if name in counts.index]
    order = known + [name for name in counts.index if name not in _PARTS]
    lines = [{"part": name, "files": int(counts[name]), "what": _PARTS.get(name, "")} for name in order]
    return pd.DataFrame(lines, columns=["part", "files", "what"])
