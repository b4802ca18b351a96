"""Pictures of the whole table: gaps that come together, columns that go together; each against another computation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from dlreg_core.charts.data.association_pictures import AssociationPicture, MissingPicture
from dlreg_core.checks.column_associations import associations, columns_with_gaps, cramers_v, missing_patterns
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.specs import Dataset
from dlreg_core.wording.association_text import association_words, missing_words
from tests.conftest import add_table


def table(rows: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    area = rng.normal(100, 20, rows)
    place = rng.choice(["north", "south", "west"], rows)
    made = pd.DataFrame(
        {
            "area": area,
            "rooms": np.exp(area / 20) + rng.normal(0, 5, rows),
            "noise": rng.normal(0, 1, rows),
            "place": place,
            "region": np.where(place == "west", "left", "right"),
            "heat": np.where(place == "south", 30.0, 10.0) + rng.normal(0, 3, rows),
        }
    )
    made.loc[:59, ["area", "rooms"]] = np.nan
    made.loc[300:309, "noise"] = np.nan
    return made


def stored(tmp_path: Path, made: pd.DataFrame) -> tuple[Dataset, pd.DataFrame]:
    dataset = add_table(tmp_path, made)
    return dataset, made


def gaps(dataset: Dataset, table: pd.DataFrame) -> list[NDArray[np.bool_]]:
    """Return what is missing, in two pieces."""
    missing = table[list(columns_with_gaps(dataset))].isna().to_numpy()
    return [missing[:7], missing[7:]]


def test_patterns_of_gaps_are_counted(tmp_path: Path) -> None:
    dataset, made = stored(tmp_path, table())
    found = missing_patterns(dataset, gaps(dataset, made))
    counted = Counter(tuple(line) for line in made[list(found.columns)].isna().to_numpy().tolist())
    told = zip(found.masks.tolist(), found.counts.tolist(), strict=True)
    assert {tuple(mask): count for mask, count in told} == counted
    assert found.groups == (("area", "rooms"),)
    assert found.complete == len(made.dropna()) == 530
    assert missing_words(found, 600) == "Missing in the same rows: area and rooms. 88 % of the rows have no gap."
    frame = MissingPicture(found).frame()
    assert frame["rows"].tolist() == [530, 60, 10]
    assert frame["missing: noise"].tolist() == [False, False, True]
    assert MissingPicture(found).plot().data[0].z.shape == (3, 3)


def test_a_table_without_gaps_has_one_pattern(tmp_path: Path) -> None:
    dataset, made = stored(tmp_path, table().dropna())
    found = missing_patterns(dataset, gaps(dataset, made))
    assert (found.columns, found.complete) == ((), 530)
    assert missing_words(found, 530) == "Nothing is missing."


def test_a_single_column_with_gaps_is_no_group(tmp_path: Path) -> None:
    dataset, made = stored(tmp_path, table().drop(columns=["area", "rooms"]))
    found = missing_patterns(dataset, gaps(dataset, made))
    assert found.groups == ()
    assert missing_words(found, 600).startswith("Only noise has gaps.")


def test_how_closely_columns_go_together_is_what_other_formulas_say(tmp_path: Path) -> None:
    dataset, made = stored(tmp_path, table())
    found = associations(dataset, made)
    pairs = AssociationPicture(found).frame()
    strength = {frozenset(pair): value for *pair, value in pairs.itertuples(index=False)}
    both = made[["area", "rooms"]].dropna()
    assert strength[frozenset({"area", "rooms"})] == pytest.approx(abs(stats.spearmanr(both).statistic), abs=1e-6)
    # The corrected correlation ratio is the square root of epsilon squared, which follows from the F statistic.
    ranks = made["heat"].rank()
    f = stats.f_oneway(*(ranks[made["place"] == place] for place in ("north", "south", "west"))).statistic
    rows, levels = len(made), 3
    epsilon = (levels - 1) * (f - 1) / ((levels - 1) * f + rows - levels)
    assert strength[frozenset({"heat", "place"})] == pytest.approx(np.sqrt(epsilon), abs=1e-9)
    assert strength[frozenset({"noise", "place"})] < 0.15
    assert set(found.groups) == {("area", "rooms"), *(g for g in found.groups if set(g) == {"heat", "place", "region"})}
    assert "area and rooms" in association_words(found, 600)
    assert AssociationPicture(found).plot().data[0].z.shape == (6, 6)


def test_cramers_v_is_corrected_for_chance() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 4, 500), rng.integers(0, 3, 500)
    second = np.where(rng.random(500) < 0.4, first % 3, second)
    counts = pd.crosstab(first, second).to_numpy()
    chi2 = stats.chi2_contingency(counts, correction=False).statistic
    n, k, m = 500, 4, 3
    phi2 = max(0.0, chi2 / n - (k - 1) * (m - 1) / (n - 1))
    least = min(k - (k - 1) ** 2 / (n - 1), m - (m - 1) ** 2 / (n - 1)) - 1
    assert cramers_v(first, second) == pytest.approx(np.sqrt(phi2 / least))
    assert cramers_v(first, first) == pytest.approx(1.0)
    # Many levels go together by chance alone, and are not said to.
    assert cramers_v(rng.integers(0, 40, 500), rng.integers(0, 40, 500)) < 0.2


def test_large_and_wide_tables_are_cut_and_say_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    wide = pd.DataFrame(rng.normal(0, 1, (2500, 70)).round(3)).add_prefix("c")
    wide["twin"] = wide["c69"] + rng.normal(0, 0.01, len(wide))
    dataset, made = stored(tmp_path, wide)
    found = associations(dataset, made.iloc[:2000])
    assert (len(found.columns), found.left_out, found.rows) == (60, 11, 2000)
    assert set(found.groups[0]) == {"c69", "twin"}
    told = association_words(found, len(made))
    assert "11 more columns are not shown" in told
    assert "Measured on 2,000 random rows of 2,500." in told


@pytest.mark.parametrize("name", ["yacht", "energy", "california_housing.csv", "air_quality_uci.csv"])
def test_real_files_are_compared(shared_data: Path, name: str) -> None:
    path = shared_data / (name if name.endswith("csv") else f"uci/{name}/data.csv")
    dataset, made = read_dataset(path)
    found = associations(dataset, made)
    assert np.all((found.strength >= 0) & (found.strength <= 1))
    assert np.allclose(found.strength, found.strength.T)
    assert association_words(found, dataset.rows)
    assert missing_patterns(dataset, gaps(dataset, made)).counts.sum() == dataset.rows


def test_values_far_out_are_counted(tmp_path: Path) -> None:
    values = [*range(1, 101), 1000.5, -500.0]
    dataset = add_table(tmp_path, pd.DataFrame({"x": values, "flat": [0.0] * 90 + [9.5] * 12}))
    q1, q3 = np.percentile(values, [25, 75])
    assert dataset.column("x").outliers == sum(v > q3 + 3 * (q3 - q1) or v < q1 - 3 * (q3 - q1) for v in values) == 2
    assert dataset.column("flat").outliers is None
