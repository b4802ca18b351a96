"""The light client of the prediction process: pages predict through it and load no deep learning library."""

from __future__ import annotations

import json
import subprocess
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.errors import ScorerError
from dlreg_core.jobs.local import module_command, module_environment
from dlreg_core.runs import RunFolder
from dlreg_core.runs.outlook import Outlook
from dlreg_core.specs import Experiment, Exported, Spec


class Scored(Spec):
    """Predictions for a few rows, and the ends of their 90 % prediction intervals, in the target's unit."""

    predictions: tuple[float, ...]
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    warnings: tuple[str, ...] = ()


class Scorer:
    """Talks to one prediction process, which is started when it is needed and again when it has died.

    The process reads requests as JSON lines from its standard input and answers in the same way, so it ends by itself
    when this one does. Tables travel as Parquet files.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

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
        return Scored.model_validate(self._ask(request))

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

    def export(self, run: RunFolder, model: str | None, target: Path) -> Exported:
        """Write a model of a run as one file. See `dlreg_core.bundle.write_bundle`."""
        request = {"do": "export", "run": str(run.path), "model": model, "target": str(target)}
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
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            answer = self._exchange(request)
            if answer is None:
                # It has died, perhaps long ago and for lack of memory: one fresh start, then the truth.
                self._end()
                answer = self._exchange(request)
        if answer is None:
            self.close()
            raise ScorerError("The prediction process ended unexpectedly.", "Try again; the machine may lack memory.")
        if "error" in answer:
            raise ScorerError(str(answer["error"]), str(answer.get("hint", "")))
        return answer

    def _exchange(self, request: dict[str, Any]) -> dict[str, Any] | None:
        process = self._started()
        if process.stdin is None or process.stdout is None:
            return None
        try:
            process.stdin.write(json.dumps(request, default=_plain) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            return None
        return json.loads(line) if line else None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                module_command("dlreg_core.scorer"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=module_environment(),
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process = None


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
