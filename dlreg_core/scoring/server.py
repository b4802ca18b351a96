"""The prediction process: keeps models in memory and answers JSON lines on its standard input.

``dlreg_core.scoring.client`` is the client, and the only one who speaks to it.
"""

from __future__ import annotations

import json
import os
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pandas as pd

from dlreg_core.cleaning import fit_cleaner
from dlreg_core.errors import ConflictError, DlregError
from dlreg_core.explanation import EXACT_FEATURES, ExplainSizes, evaluations
from dlreg_core.explanation.shapley import explain
from dlreg_core.logs import keep_plain
from dlreg_core.model_file import write_bundle
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.runs import RunFolder, keep_private
from dlreg_core.specs import Experiment
from dlreg_core.splitting import background_rows, prepared_of
from dlreg_core.training.execution.run_networks import core_count, device_note
from dlreg_core.training.planning import TableFacts, foresee, known_speeds
from dlreg_core.training.planning.machine_resources import frame_mb, present_crowding, room, spread_rows, study

_MOST_PIPELINES = 3
_MOST_TABLES = 8
_SHOWN = 5
_EXPLAIN_SECONDS = 2.0
_MOST_BACKGROUND = 100
_MOST_PAIRS = 8
"""More pairs of permutations for each background row hardly make a row's values more exact."""

_ASSUMED_ROWS_PER_SECOND = 10_000.0


class RequestHandler:
    """Answers requests, with the pipelines that were used last in memory."""

    def __init__(self) -> None:
        self._pipelines: OrderedDict[str, Pipeline] = OrderedDict()
        self._backgrounds: dict[str, pd.DataFrame] = {}
        self._facts: OrderedDict[str, TableFacts] = OrderedDict()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what a request asks for; what a person must be told comes back as ``error``."""
        try:
            return self._do(request)
        except DlregError as exc:
            return {"error": exc.message, "hint": exc.hint}
        except MemoryError:
            # What is held for others is given up as well, so that the next request may find room.
            self._pipelines.clear()
            self._facts.clear()
            return {"error": "The prediction process ran out of memory.", "hint": "Use fewer rows, or another model."}
        except OSError as exc:
            return {"error": f"{exc.filename or 'A file'} can't be read or written ({exc.strerror or exc})."}

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "preflight":
            return self._preflight(Path(request["home"]), Experiment.model_validate(request["experiment"]))
        pipeline, model = self._pipeline(request["run"]), request["model"]
        if request["do"] == "file":
            return self._file(pipeline, model, Path(request["source"]), Path(request["target"]))
        if request["do"] == "export":
            run, target = RunFolder(Path(request["run"])), Path(request["target"])
            exported = write_bundle(run, model, target, pipeline, with_rows=request["with_rows"])
            return exported.model_dump(mode="json")
        rows = pd.DataFrame(request["rows"])
        if request["do"] == "explain":
            return self._explain(request["run"], pipeline, model, rows)
        return _scored(pipeline.predicted(rows, model), pipeline.warnings(rows, model))

    def _preflight(self, home: Path, experiment: Experiment) -> dict[str, Any]:
        """Say what a run needs; quickly, since predictions wait meanwhile."""
        gpu, _ = device_note(experiment.plan.device)
        space = room(home, cores=core_count(), gpu=gpu, crowding=present_crowding(core_count()))
        facts, split = self._facts_of(home, experiment), experiment.recipe.split
        outlook = foresee(experiment.plan, facts, space, known_speeds(home), split)
        return outlook.model_dump(mode="json")

    def _facts_of(self, home: Path, experiment: Experiment) -> TableFacts:
        """Return what the cost depends on; the same for all plans on the same rows."""
        recipe = experiment.recipe
        key = f"{home}\n{experiment.dataset_id}\n{recipe.model_dump_json()}"
        if key not in self._facts:
            while len(self._facts) >= _MOST_TABLES:
                self._facts.popitem(last=False)
            table = prepared_of(home, experiment)
            # A large table's cleaning takes longer than a person waits; some of its rows tell as much here.
            few = spread_rows(table.taught)
            cleaner = fit_cleaner(few, table.types, recipe.cleaning, table.day_first)
            counts = table.counts
            parts = (counts.train + counts.validation + counts.test) / max(1, len(few))
            self._facts[key] = study(cleaner.transform(few), counts, frame_mb(few) * parts)
        self._facts.move_to_end(key)
        return self._facts[key]

    def _file(self, pipeline: Pipeline, model: str | None, source: Path, target: Path) -> dict[str, Any]:
        rows = pd.read_parquet(source)
        table = pipeline.predicted(rows, model)
        table.to_parquet(target)
        return _scored(table.iloc[:_SHOWN], pipeline.warnings(rows, model))

    def _explain(self, run: str, pipeline: Pipeline, model: str | None, rows: pd.DataFrame) -> dict[str, Any]:
        rows = pipeline.spec.cleaner.complete(rows)
        pipeline.schema.coerce(rows)
        background = self._background(run)
        explanation = explain(
            lambda frame: pipeline.predict(frame, model),
            rows[list(pipeline.schema.names)].iloc[:1],
            background,
            ExplainSizes(1, len(background), _pairs(len(pipeline.schema.names), len(background))),
            model=model or pipeline.best_model,
            active=pipeline.schema.names,
        )
        return {
            "values": explanation.values.iloc[0].tolist(),
            "base_value": explanation.result.base_value,
        }

    def _pipeline(self, run: str) -> Pipeline:
        folder = RunFolder(Path(run))
        task = folder.result_task()
        if task is None:
            raise ConflictError(f"Run {folder.id} has no models to use.", "Wait until its training is done.")
        # A run that was continued has other models than before.
        key = str(task.path)
        if key not in self._pipelines:
            while len(self._pipelines) >= _MOST_PIPELINES:
                dropped, _ = self._pipelines.popitem(last=False)
                self._backgrounds.pop(dropped, None)
            pipeline = Pipeline(folder.model_path())
            for model in pipeline.models:
                pipeline.persist(model.name)
            self._pipelines[key] = pipeline
        self._pipelines.move_to_end(key)
        return self._pipelines[key]

    def _background(self, run: str) -> pd.DataFrame:
        """Return as many background rows as the run's own explanation used, so that both start from one base value."""
        folder = RunFolder(Path(run))
        task = folder.result_task()
        key = str(task.path) if task is not None else run
        if key not in self._backgrounds:
            experiment, result = folder.experiment(), folder.result()
            count = result.plan.explain_background if result else 0
            table = prepared_of(folder.home, experiment)
            self._backgrounds[key] = background_rows(table, count or _MOST_BACKGROUND, experiment.plan.seed)
        return self._backgrounds[key]


def _pairs(features: int, background: int) -> int:
    """Return how many pairs of permutations explain one row: as many for each background row as there is time for."""
    if features <= EXACT_FEATURES:
        return 0
    once = evaluations(features, ExplainSizes(1, background, background))
    return background * min(_MOST_PAIRS, max(1, int(_ASSUMED_ROWS_PER_SECOND * _EXPLAIN_SECONDS / once)))


def _scored(table: pd.DataFrame, warnings: tuple[str, ...]) -> dict[str, Any]:
    ends = {end: table[end].tolist() if end in table else None for end in ("low", "high")}
    return {"predictions": table["prediction"].tolist(), **ends, "warnings": warnings}


def main() -> None:
    """Answer line by line until the client is gone."""
    keep_private()
    keep_plain()
    # Libraries print what they like; only answers may reach the client.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answering = RequestHandler()
    for line in sys.stdin:
        answers.write(json.dumps(answering.answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
