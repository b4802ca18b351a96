"""The samples that come along."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.datasets.sample_tables import SAMPLES, SampleTable, sample_path
from dlreg_core.specs import ColumnType


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_sample_is_as_announced(sample: SampleTable, tmp_path: Path) -> None:
    path = sample_path(sample)
    expected = pd.read_csv(path)
    dataset = DatasetStore(tmp_path).add(path)
    assert (dataset.rows, len(dataset.columns)) == (sample.rows, sample.columns) == expected.shape
    target = dataset.column(sample.target)
    assert target.type is ColumnType.NUMBER and target.missing == 0
    assert target.mean == pytest.approx(expected[sample.target].mean())
    sources = (path.parent / "SOURCES.md").read_text("utf-8")
    assert f"## {sample.file}" in sources and sample.licence.split(" (")[0] in sources


def test_bike_rentals_hold_no_leaking_column() -> None:
    sample = next(sample for sample in SAMPLES if sample.key == "bike_rentals")
    assert not {"casual", "registered"} & set(pd.read_csv(sample_path(sample), nrows=1).columns)
