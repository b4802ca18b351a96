"""The fitted pipeline: cleaning and models in one object that predicts from raw rows.

The leaderboard, the explanations, the form, the command line and the exported file all call this object, so none of
them can disagree. This module and what it imports are also what an exported model carries along.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.cleaning import Schema
from dlreg_core.errors import NotFoundError, RowsError
from dlreg_core.pipeline.horizon_interval import IntervalsAhead
from dlreg_core.pipeline.missing_value_warnings import gap_words
from dlreg_core.pipeline.network_store import NetworkStore
from dlreg_core.pipeline.pipeline_spec import PipelineModel, PipelineSpec, read_pipeline_spec
from dlreg_core.pipeline.prediction_interval import PredictionInterval

NETWORKS = "networks"
"""Folder of the networks within that of a pipeline."""


class Pipeline:
    """A fitted pipeline.

    Parameters
    ----------
    path : Path
        Folder with ``pipeline.json``, ``networks/`` and, where there are baselines, ``baselines.joblib``.

    Notes
    -----
    Loading runs code that is stored in the folder. Load only folders that this program wrote, or whose hashes were
    checked against a manifest from somebody you trust.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = read_pipeline_spec(path)
        self._models = {model.name: model for model in self.spec.models}
        if any(model.role != "baseline" for model in self.spec.models):
            self._shelf = NetworkStore(path / NETWORKS)
        baselines = path / "baselines.joblib"
        self._baselines: dict[str, object] = joblib.load(baselines) if baselines.exists() else {}

    @property
    def schema(self) -> Schema:
        """The raw columns that the pipeline needs."""
        return self.spec.cleaner.schema_

    def warnings(self, frame: pd.DataFrame, model: str | None = None) -> tuple[str, ...]:
        """Say, a sentence a column, where raw rows leave what a model has seen; the best one by default."""
        interval = self._model(model).interval
        lacks = self._lacking(frame)
        gaps = tuple(
            gap_words(name, int(rows.sum()), len(rows), self.schema.field(name), interval)
            for name, rows in lacks.items()
        )
        return (*self.spec.cleaner.warnings(frame), *gaps)

    def _lacking(self, frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
        cleaner = self.spec.cleaner
        return cleaner.schema_.lacking(cleaner.complete(frame))

    @property
    def best_model(self) -> str:
        """Name of the model that validation prefers."""
        return self.spec.best_model

    @property
    def models(self) -> tuple[PipelineModel, ...]:
        """All models, in the order of the leaderboard."""
        return self.spec.models

    def persist(self, model: str | None = None) -> None:
        """Keep a model in memory, so that every later prediction is quick."""
        for network in self._model(model).parts:
            self._shelf.persist(network)

    def predict(self, frame: pd.DataFrame, model: str | None = None) -> NDArray[np.float64]:
        """Predict raw rows.

        Parameters
        ----------
        frame : pandas.DataFrame
            Raw rows with at least the columns of `schema`; other columns are ignored.
        model : str, optional
            Name of the model; the best one by default.

        Returns
        -------
        ndarray of float64, shape (rows,)
            Predictions in the target's unit; missing for raw rows that are further ahead of the last known target than
            the models were made for.

        Raises
        ------
        RowsError
            If a column is missing.
        NotFoundError
            If there is no such model.
        """
        name = model or self.best_model
        return self.predict_all(frame, (name,))[name]

    def predict_all(self, frame: pd.DataFrame, models: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
        """Predict raw rows with several models; the rows are cleaned once. See `predict`."""
        chosen = [self._model(name) for name in models]
        # A fresh index: pandas aligns by it, and the rows' own one may repeat.
        complete = self.spec.cleaner.complete(frame.reset_index(drop=True))
        cleaned = self.spec.cleaner.transform(complete)
        # A row that has these columns already is taken at its word.
        far = self.spec.cleaner.too_far(complete.drop(columns=frame.columns))
        found: dict[str, NDArray[np.float64]] = {}
        if len(cleaned) == 0:
            return {model.name: np.empty(0) for model in chosen}
        parts = sorted({network for model in chosen for network in model.parts})
        by_network: dict[str, NDArray[np.float64]] = {}
        if parts:
            prepared = self._shelf.prepared(cleaned)
            by_network = {n: self._shelf.predict(prepared, n, self.spec.transform) for n in parts}
        for model in chosen:
            if model.role == "baseline":
                values = self._baselines[model.internal].predict(cleaned)  # type: ignore[attr-defined]
                if model.learns_transformed:
                    values = self.spec.transform.inverse(np.asarray(values, dtype=np.float64))
            else:
                values = sum(weight * by_network[network] for network, weight in model.parts.items())
            found[model.name] = np.where(far, np.nan, np.asarray(values, dtype=np.float64))
        return found

    def predicted(self, frame: pd.DataFrame, model: str | None = None) -> pd.DataFrame:
        """Predict raw rows, each with its interval. See `predict`.

        Returns
        -------
        DataFrame of shape (rows, 3)
            ``prediction``, and ``low`` and ``high``, the ends of the 90 % prediction interval, in the target's unit,
            wider in rows without a column that no training row lacked. Without the ends for a model that was never
            judged. Missing where a row is further ahead of the last known target than the models were made for.

        Raises
        ------
        RowsError
            If that is so for every row.
        """
        cleaner = self.spec.cleaner
        complete = cleaner.complete(frame)
        far = cleaner.too_far(complete)
        if len(far) and far.all():
            raise RowsError(cleaner.warnings(complete)[0], "Train for more steps ahead, or give later values.")
        values, chosen = self.predict(complete, model), self._model(model)
        table = pd.DataFrame({"prediction": values})
        interval = chosen.interval
        factors = None
        if interval is not None and interval.gaps:
            factors = interval.factors_of(self._lacking(complete), len(values))
        if chosen.ahead_90 is not None:
            times = None if interval is None or factors is None or not interval.factor else factors / interval.factor
            low, high = chosen.ahead_90.bounds(values, cleaner.steps_ahead(complete), times)
            table = table.assign(low=low, high=high)
        elif interval is not None:
            low, high = interval.bounds(values, factors)
            table = table.assign(low=low, high=high)
        table.loc[far] = np.nan
        return table

    def settle(
        self,
        best_model: str,
        intervals: Mapping[str, PredictionInterval],
        ahead: Mapping[str, IntervalsAhead] = MappingProxyType({}),
    ) -> None:
        """Note, here and in ``pipeline.json``, which model is best and how wide the intervals are."""
        models = tuple(
            m.model_copy(update={"interval_90": intervals[m.name], "ahead_90": ahead.get(m.name)}) for m in self.models
        )
        self.spec = self.spec.model_copy(update={"best_model": best_model, "models": models})
        self._models = {model.name: model for model in models}
        save_pipeline(self.path, self.spec)

    def size_mb(self, model: str) -> float:
        """Return the size of a model's files in megabytes; an ensemble's are those of its members."""
        chosen = self._model(model)
        if chosen.role == "baseline":
            return len(pickle.dumps(self._baselines[chosen.internal])) / 1e6
        return self._shelf.size_mb(chosen.parts)

    def _model(self, name: str | None) -> PipelineModel:
        found = self._models.get(name or self.best_model)
        if found is None:
            raise NotFoundError(f"There is no model {name!r} here.", f"Choose from {', '.join(self._models)}.")
        return found


def save_pipeline(path: Path, spec: PipelineSpec, baselines: dict[str, object] | None = None) -> None:
    """Write what belongs to a pipeline besides its networks, which are already in ``path/networks``."""
    path.mkdir(parents=True, exist_ok=True)
    if baselines:
        joblib.dump(baselines, path / "baselines.joblib", compress=3)
    (path / "pipeline.json").write_text(spec.model_dump_json(indent=1) + "\n", encoding="utf-8")


def deploy(pipeline: Pipeline, model: str, target: Path, schema: Schema | None = None) -> None:
    """Write a copy of a pipeline that holds one model and nothing that predicting doesn't need.

    Parameters
    ----------
    pipeline : Pipeline
        The whole pipeline.
    model : str
        The network or ensemble to keep.
    target : Path
        A new folder.
    schema : Schema, optional
        What it says of the columns, where that is less than the pipeline does.
    """
    chosen = pipeline._model(model)
    baselines = None
    if chosen.role == "baseline":
        baselines = {chosen.internal: pipeline._baselines[chosen.internal]}
    else:
        pipeline._shelf.copy_to(target / NETWORKS, chosen.parts, bare=True)
    cleaner = pipeline.spec.cleaner.model_copy(update={"schema_": schema or pipeline.schema})
    spec = pipeline.spec.model_copy(update={"best_model": model, "models": (chosen,), "cleaner": cleaner})
    save_pipeline(target, spec, baselines)
