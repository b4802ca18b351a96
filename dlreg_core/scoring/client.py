"""The light client of the prediction process: pages predict through it and load no deep learning library."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.arrow import parquet
from dlreg_core.errors import ScorerError
from dlreg_core.jobs import module_command, module_environment
from dlreg_core.runs import Outlook, RunFolder
from dlreg_core.scoring.server_process import OverdueError, ScoringPool, StoppedError
from dlreg_core.specs import Experiment, Exported, Spec

_MOST_SECONDS = {"preflight": 120.0, "rows": 120.0, "explain": 300.0, "file": 600.0, "export": 1800.0}
"""How long an answer may take, with loading the libraries."""

_FEWEST_ROWS_PER_SECOND = 50.0
"""The slowest network predicts more rows than this: a file has as much more time."""

_HEAVY = frozenset({"file", "export"})


class Scored(Spec):
    """Predictions for a few rows, and the ends of their 90 % prediction intervals, in the target's unit."""

    predictions: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    warnings: tuple[str, ...] = ()


class Scorer:
    """Talks to prediction processes, which are started when they are needed and again when they have died.

    One is enough for one person. While it is busy, another request gets another process, so that what a run needs,
    predictions and model files don't wait for each other, and none of them for a process that has stopped.

    A process reads requests as JSON lines from its standard input and answers in the same way, so it ends by itself
    when this one does. Tables travel as Parquet files.
    """

    def __init__(self) -> None:
        self._pool = ScoringPool(_start)

    def predict(self, run: RunFolder, rows: pd.DataFrame, model: str | None = None) -> Scored:
        """Predict a few raw rows.

        Parameters
        ----------
        run : RunFolder
            A run with models.
        rows : pandas.DataFrame
            Raw rows.
        model : str, optional
            Name of the model; the best one by default.

        Raises
        ------
        ScorerError
            With the process' own sentence.
        """
        records = _records(rows)
        answer = self._ask({"do": "rows", "run": str(run.path), "model": model, "rows": records})
        return Scored.model_validate(answer)

    def predict_file(self, run: RunFolder, source: Path, target: Path, model: str | None = None) -> Scored:
        """Predict a Parquet file of raw rows into another one with the columns ``prediction``, ``low``, ``high``.

        Only the first predictions are in the answer.
        """
        request = {"do": "file", "run": str(run.path), "model": model, "source": str(source), "target": str(target)}
        return Scored.model_validate(self._ask(request, _row_count(source) / _FEWEST_ROWS_PER_SECOND))

    def explain(self, run: RunFolder, row: pd.DataFrame, model: str | None = None) -> tuple[NDArray[np.float64], float]:
        """Explain the prediction of one raw row.

        Returns
        -------
        values : ndarray of float64, shape (features,)
            Shapley values in the target's unit, in the order of the model's columns.
        base_value : float
            What they start from.
        """
        records = _records(row)
        answer = self._ask({"do": "explain", "run": str(run.path), "model": model, "rows": records})
        return np.array(answer["values"], dtype=np.float64), float(answer["base_value"])

    def export(self, run: RunFolder, model: str | None, target: Path, *, with_rows: bool = True) -> Exported:
        """Write a model of a run as one file. See `dlreg_core.model_file.write_bundle`."""
        request = {"do": "export", "run": str(run.path), "model": model, "target": str(target), "with_rows": with_rows}
        return Exported.model_validate(self._ask(request))

    def preflight(self, home: Path, experiment: Experiment) -> Outlook:
        """Say what a run needs, and what fits into the machine and its budget, before it is started.

        Loading the libraries takes some seconds where nothing has been asked of the process yet; after that, a table is
        looked at once, in up to about three seconds for 300,000 rows, and asking again about it takes milliseconds.

        Parameters
        ----------
        home : Path
            The home that holds the data set.
        experiment : Experiment
            What would be trained; nothing of it is kept.

        Raises
        ------
        ScorerError
            Where the recipe doesn't fit the table, with the sentence that says why.
        """
        request = {"do": "preflight", "home": str(home), "experiment": experiment.model_dump(mode="json")}
        return Outlook.model_validate(self._ask(request))

    def close(self) -> None:
        """End the processes."""
        self._pool.close()

    def _ask(self, request: dict[str, Any], more_seconds: float = 0.0) -> dict[str, Any]:
        line = json.dumps(request, default=_plain).encode() + b"\n"
        seconds = _MOST_SECONDS[request["do"]] + more_seconds
        try:
            answer = json.loads(self._pool.ask(line, seconds, heavy=request["do"] in _HEAVY))
        except StoppedError as exc:
            raise ScorerError(
                "The prediction process ended unexpectedly.", "Try again; the machine may lack memory."
            ) from exc
        except OverdueError as exc:
            raise ScorerError(
                f"The prediction process gave no answer for {seconds / 60:.0f} min.",
                "Try again later, with fewer rows or another model.",
            ) from exc
        if "error" in answer:
            raise ScorerError(str(answer["error"]), str(answer.get("hint", "")))
        return dict(answer)


def _row_count(path: Path) -> int:
    try:
        return int(parquet.read_metadata(path).num_rows)
    except (OSError, ValueError):
        # The process says what is wrong with it.
        return 0


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        module_command("dlreg_core.scoring.server"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=module_environment(),
    )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows for JSON with every digit of their numbers, which pandas' own JSON would cut off."""
    whole = rows.astype(object)
    return [{str(k): v for k, v in record.items()} for record in whole.where(whole.notna(), None).to_dict("records")]


def _plain(value: Any) -> Any:
    """Return a moment as ISO 8601, and a numpy scalar as the Python one."""
    return value.isoformat() if hasattr(value, "isoformat") else value.item()


@cache
def open_scorer() -> Scorer:
    """Return this process' client; the prediction process is shared by all who call this."""
    return Scorer()
