"""Runs and tables as plain objects for machines: what the command line prints with ``--json``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dlreg_core.checks.findings import Finding
from dlreg_core.ingest.uploads import KeptData
from dlreg_core.runs import ModelSummary, QueuedTask, RunSummary
from dlreg_core.specs import Column, Comparison, Dataset, Dialect, Report, TrainResult

_ROW = (
    "model",
    "family",
    "role",
    "rmse",
    "mae",
    "mse",
    "r2",
    "median_ae",
    "rmse_validation",
    "fit_seconds",
    "predict_rows_per_second",
    "size_mb",
    "note",
)
_RUN = ("run_id", "state", "name", "target", "split", "best_model", "best_rmse", "size_mb")
_MODEL = ("model", "family", "role", "rmse", "rmse_validation")


def report_answer(report: Report) -> dict[str, Any]:
    """Return a run with its leaderboard; null where there is nothing, in rows of failed models too."""
    result = report.result
    rows = result.leaderboard if result else ()
    return {
        "run_id": report.run_id,
        "run_dir": report.run_dir,
        "state": report.state.value,
        "stopped_early": result.stopped_early if result else False,
        "seconds": result.seconds if result else None,
        "budget_seconds": report.time_limit,
        "best_model": result.best_model if result else None,
        "test_rows": result.rows.test if result else None,
        "device": result.device if result else None,
        "device_note": result.device_note if result else None,
        "leaderboard": [{key: getattr(row, key) for key in _ROW} for row in rows],
        "comparisons": [_comparison_answer(comparison) for comparison in result.comparisons] if result else [],
        "ahead": _ahead_answer(result) if result else None,
    }


def _ahead_answer(result: TrainResult) -> dict[str, Any] | None:
    """Return how far ahead the best model predicts, and how well at each step; None without earlier targets."""
    ahead = result.ahead
    if ahead is None:
        return None
    steps = [one.model_dump() for one in ahead.steps.get(result.best_model, ())]
    return {"horizon": ahead.horizon, "step": ahead.size, "unit": ahead.unit, "steps": steps}


def _comparison_answer(comparison: Comparison) -> dict[str, Any]:
    """Return the best network against one baseline; its improvements are shares of the baseline's error."""
    rmse = comparison.rmse_interval
    return {
        "baseline": comparison.baseline,
        "mae_improvement": comparison.improvement,
        "mae_interval": [comparison.interval.low, comparison.interval.high],
        "rmse_improvement": comparison.rmse_improvement,
        "rmse_interval": [rmse.low, rmse.high] if rmse is not None else None,
    }


def run_answer(run: RunSummary, models: Iterable[ModelSummary] = ()) -> dict[str, Any]:
    """Return one line of the list of runs with those of `models` that are its own; times are in UTC."""
    own = [{key: getattr(model, key) for key in _MODEL} for model in models if model.run_id == run.run_id]
    return {key: getattr(run, key) for key in _RUN} | {"created": f"{run.created.isoformat()}Z", "models": own}


def queue_answer(task: QueuedTask, ahead: int | None, starts_in: float | None) -> dict[str, Any]:
    """Return one line of the queue; ``slot`` is null while it waits, the last two once it has one."""
    return {
        "run_id": task.run_id,
        "task": task.number,
        "kind": task.kind.value,
        "slot": task.slot,
        "budget_seconds": task.budget_seconds,
        "ahead": ahead,
        "starts_in_seconds": starts_in,
    }


def data_answer(kept: KeptData) -> dict[str, Any]:
    """Return one line of the list of data sets; figures of one that can't be read are null, and times are in UTC."""
    known = kept.dataset
    return {
        "data_id": kept.dataset_id,
        "name": known.name if known else None,
        "rows": known.rows if known else None,
        "columns": len(known.columns) if known else None,
        "size_mb": kept.size_mb,
        "created": known.created.isoformat() if known else None,
        "opened": kept.opened.isoformat(),
        "runs": [run.run_id for run in kept.runs],
        "same_file": list(kept.copies),
    }


def profile_answer(dataset: Dataset, found: Iterable[Finding]) -> dict[str, Any]:
    """Return what a file holds, how it was read, and what to look at, the most severe first."""
    return {
        "rows": dataset.rows,
        "dialect": _dialect_answer(dataset.dialect),
        "columns": [_column_answer(column) for column in dataset.columns],
        "issues": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "columns": list(finding.columns),
                "message": f"{finding.title}: {finding.text}" if finding.title else finding.text,
                "repair": finding.repair,
            }
            for finding in found
        ],
    }


def _dialect_answer(dialect: Dialect | None) -> dict[str, Any]:
    read = dialect or Dialect(file="Parquet", header_row=None)
    return {
        "file": read.file,
        "delimiter": read.delimiter or None,
        "encoding": read.encoding or None,
        "decimal": read.decimal if read.file == "CSV" else None,
        "header_row": read.header_row,
        "sheet": read.sheet or None,
    }


def _column_answer(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type.value,
        "ordered": list(column.ordered),
        "unit": column.unit,
        "missing": column.missing,
        "distinct": column.distinct,
        "min": column.minimum,
        "max": column.maximum,
        "note": column.note,
    }
