"""The description of a pipeline: whoever reads it refuses one that is damaged or of another format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from dlreg_core.cleaning import fit_cleaner
from dlreg_core.errors import NotFoundError
from dlreg_core.evaluation.kept_models import interval_of, load_cleaner
from dlreg_core.pipeline.fitted_pipeline import Pipeline, save_pipeline
from dlreg_core.pipeline.pipeline_spec import PipelineModel, PipelineSpec
from dlreg_core.runs import RunFolder
from dlreg_core.specs import Cleaning, ColumnType

READERS = (
    Pipeline,
    lambda folder: load_cleaner(RunFolder(folder)),
    lambda folder: interval_of(RunFolder(folder), "Mean"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cleaner = fit_cleaner(pd.DataFrame({"a": [1.0, 2.0, 4.0]}), {"a": ColumnType.NUMBER}, Cleaning())
    mean = PipelineModel(name="Mean", family="MEAN", role="baseline", internal="MEAN", half_width_90=2.0)
    spec = PipelineSpec(target="y", unit="", cleaner=cleaner, best_model="Mean", models=(mean,))
    save_pipeline(tmp_path, spec, {"MEAN": None})
    monkeypatch.setattr(RunFolder, "model_path", lambda run: run.path)
    return tmp_path


def test_it_is_read_without_models(folder: Path) -> None:
    assert interval_of(RunFolder(folder), "Mean").factor == 2.0
    assert load_cleaner(RunFolder(folder)) == Pipeline(folder).spec.cleaner
    with pytest.raises(NotFoundError, match="has no intervals of TabM"):
        interval_of(RunFolder(folder), "TabM")


@pytest.mark.parametrize("read", READERS)
def test_another_format_is_refused(folder: Path, read: Callable[[Path], object]) -> None:
    path = folder / "pipeline.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))
    with pytest.raises(NotFoundError, match=r"it is damaged or was written by another version of dlreg\. Train"):
        read(folder)
    path.unlink()
    with pytest.raises(NotFoundError, match=r"There are no models to use\."):
        read(folder)
