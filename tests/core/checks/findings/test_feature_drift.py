"""Features that change along time are told with their figures; nothing is said without a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.checks.findings import Finding, findings
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from tests.conftest import add_table


def table(rows: int = 1000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    made = pd.DataFrame(
        {
            "day": pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d"),
            "steady": rng.normal(0, 1, rows),
            "slow": rng.normal(0, 1, rows) + np.linspace(0, 0.5, rows),
            "wear": rng.normal(0, 1, rows) + np.linspace(0, 3, rows),
            "wave": np.sin(np.arange(rows) / 20) + rng.normal(0, 0.1, rows),
            "shop": np.where(rng.random(rows) < np.linspace(0, 1, rows), "new", "old"),
            "side": rng.choice(["left", "right"], rows),
            "y": rng.normal(0, 1, rows),
        }
    )
    return made.sample(frac=1, random_state=1, ignore_index=True)


def drift(home: Path, made: pd.DataFrame) -> list[Finding]:
    dataset = add_table(home, made)
    return [f for f in findings(dataset, DatasetStore(home).table(dataset.id), "y") if f.code == "feature-drift"]


def test_what_changes_along_a_date_is_told_with_its_figures(tmp_path: Path) -> None:
    (finding,) = drift(tmp_path, table())
    assert set(finding.columns) == {"wear", "shop"}
    assert finding.step is not None
    assert finding.step.split == ("time", "day")
    made = table().sort_values("day")
    early, late = made["wear"].iloc[:200].mean(), made["wear"].iloc[-200:].mean()
    assert f"wear is {early:.3g} on average, then {late:.3g}" in finding.text
    share = (made["shop"].iloc[:200] == "new").mean(), (made["shop"].iloc[-200:] == "new").mean()
    assert f"{share[0]:.0%}".replace("%", " %") in finding.text
    assert f"{share[1]:.0%}".replace("%", " %") in finding.text


def test_without_a_time_nothing_is_said_even_where_rows_are_sorted(tmp_path: Path) -> None:
    made = table().sort_values("wear", ignore_index=True).drop(columns="day")
    assert drift(tmp_path, made) == []


def test_a_column_that_counts_the_rows_is_a_clock(tmp_path: Path) -> None:
    made = table().sort_values("day", ignore_index=True).drop(columns="day")
    (finding,) = drift(tmp_path, made.assign(id=range(1, 1001)))
    assert set(finding.columns) == {"wear", "shop"}
    assert "along id" in finding.text


def test_few_rows_say_nothing(tmp_path: Path) -> None:
    assert drift(tmp_path, table(200)) == []


@pytest.mark.parametrize("name", ["concrete", "energy", "power", "wine", "yacht"])
def test_no_false_alarm_on_tables_without_a_time(shared_data: Path, name: str) -> None:
    dataset, made = read_dataset(shared_data / "uci" / name / "data.csv")
    assert not [f for f in findings(dataset, made, dataset.column_names[-1]) if f.code == "feature-drift"]
