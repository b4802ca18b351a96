"""Runs as plain objects for machines: what the command line prints with ``--json``."""

from __future__ import annotations

from typing import Any

from dlreg_core.runs import RunSummary
from dlreg_core.specs import Report

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
_RUN = ("run_id", "state", "name", "target", "best_model", "best_rmse")


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
        "budget_seconds": report.experiment.plan.time_limit,
        "best_model": result.best_model if result else None,
        "test_rows": result.rows.test if result else None,
        "leaderboard": [{key: getattr(row, key) for key in _ROW} for row in rows],
    }


def run_answer(run: RunSummary) -> dict[str, Any]:
    """Return one line of the list of runs; times are in UTC."""
    return {key: getattr(run, key) for key in _RUN} | {"created": f"{run.created.isoformat()}Z"}
