"""Several units in a column: found, converted by one click, and in new rows as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.checks.findings import Finding, findings
from dlreg_core.cleaning import Cleaner, fit_cleaner
from dlreg_core.cleaning.raw_rows import read_raw_rows
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.recipe.draft import Draft, is_repaired, recipe_of, with_repair
from dlreg_core.specs import ColumnType, Dataset, History, PastColumn
from dlreg_core.splitting import own_test_table, prepare_table
from tests.conftest import add_table


def table(rows: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    way = rng.uniform(0.1, 5, rows).round(3)
    text = [f"{km} km" if i % 3 else f"{round(km * 1000)} m" for i, km in enumerate(way.tolist())]
    ram = [f"{2 ** (i % 4)}GB" for i in range(rows)]
    return pd.DataFrame({"way": text, "ram": ram, "noise": rng.random(rows), "fare": way * 2})


def mixed_units(home: Path, dataset: Dataset) -> Finding:
    (finding,) = [f for f in findings(dataset, DatasetStore(home).table(dataset.id)) if f.code == "mixed-units"]
    return finding


def test_a_click_converts_a_column_and_takes_it_back(tmp_path: Path) -> None:
    dataset = add_table(tmp_path, table())
    finding = mixed_units(tmp_path, dataset)
    assert finding.repair == "Convert all of them into km: 1 m is 0.001 km."
    assert finding.step is not None
    assert finding.step.units == {"way": "km"}
    start = Draft(target="fare")
    done = with_repair(start, finding.step)
    assert (is_repaired(dataset, start, finding.step), is_repaired(dataset, done, finding.step)) == (False, True)
    assert with_repair(done, finding.step, wanted=False) == start
    recipe = recipe_of(dataset, done)
    assert (recipe.types, recipe.cleaning.units) == ({"way": ColumnType.NUMBER}, {"way": "km", "ram": "GB"})
    prepared = prepare_table(dataset, DatasetStore(tmp_path).table(dataset.id), recipe)
    np.testing.assert_allclose(prepared.train["way"] * 2, prepared.y_train, atol=1e-9)


def fitted(tmp_path: Path) -> Cleaner:
    dataset = add_table(tmp_path, table())
    finding = mixed_units(tmp_path, dataset)
    assert finding.step is not None
    recipe = recipe_of(dataset, with_repair(Draft(target="fare"), finding.step))
    prepared = prepare_table(dataset, DatasetStore(tmp_path).table(dataset.id), recipe)
    cleaner = fit_cleaner(prepared.train, prepared.types, recipe.cleaning, prepared.day_first)
    return Cleaner.model_validate_json(cleaner.model_dump_json())


def test_new_rows_are_converted_and_told(tmp_path: Path) -> None:
    cleaner = fitted(tmp_path)
    rows = read_raw_rows(b"way,ram,noise\n500 m,512 MB,1\n2,4,1\n1.5 km,8 GB,1\n3 kg,1 TB,1\n", cleaner.schema_)
    cleaned = cleaner.transform(rows)
    assert cleaned["way"].tolist()[:3] == [0.5, 2.0, 1.5]
    assert cleaned["ram"].tolist() == [0.512, 4.0, 8.0, 1000.0]
    told = cleaner.schema_.warnings(rows)
    assert "way: 1 value in m is converted into km." in told
    assert "way: 1 value in kg can't be converted into km, the unit learned from, and counts as missing." in told
    assert "ram: 1 value in MB is converted into GB." in told
    assert not any("can't be read as number" in line for line in told)


def test_new_rows_in_one_other_unit_are_converted_too(tmp_path: Path) -> None:
    cleaner = fitted(tmp_path)
    rows = read_raw_rows(b"way;ram;noise\n500,5 m;512 MB;1,5\n1.200 m;256 MB;2,5\n", cleaner.schema_)
    assert cleaner.transform(rows)["way"].tolist() == [0.5005, 1.2]
    assert cleaner.transform(rows)["ram"].tolist() == [0.512, 0.256]
    # Without a unit, and without any text, numbers are in the unit that was learned from.
    plain = read_raw_rows(b"way,ram,noise\n2,4,0.5\n3,8,0.6\n", cleaner.schema_)
    assert cleaner.transform(plain)["way"].tolist() == [2.0, 3.0]
    assert cleaner.schema_.warnings(plain) == ()


def test_an_own_test_file_in_another_unit_is_converted(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = add_table(tmp_path, table())
    metres = table(30).assign(ram=[f"{512 * (i % 3 + 1)} MB" for i in range(30)])
    own = add_table(tmp_path, metres, "own.csv")
    draft = Draft(target="fare", kind="own", test_dataset=own.id, used={"way": False})
    recipe = recipe_of(dataset, draft)
    found = own_test_table(store, recipe)
    assert found is not None
    assert found["ram"].tolist()[:3] == [0.512, 1.024, 1.536]
    wrong = add_table(tmp_path, table(30).assign(ram=[f"{i} kg" for i in range(30)]), "wrong.csv")
    recipe = recipe_of(dataset, draft.changed(test_dataset=wrong.id))
    with pytest.raises(RecipeError, match="ram in kg, which can't be converted into the table's GB"):
        own_test_table(store, recipe)


def test_units_that_can_not_be_converted_are_not_offered(tmp_path: Path) -> None:
    made = table().assign(way=[f"{i % 9} kmpl" if i % 3 else f"{i} km/kg" for i in range(80)])
    assert mixed_units(tmp_path, add_table(tmp_path, made)).step is None


def test_a_unit_where_none_was_learned_from_is_told(tmp_path: Path) -> None:
    cleaner = fitted(tmp_path)
    rows = read_raw_rows(b"way,ram,noise\n2 km,4 GB,0.5 kg\n3 km,8 GB,0.6 kg\n", cleaner.schema_)
    told = ("noise: the numbers have a unit, kg, and those learned from had none: they are taken as they are.",)
    assert cleaner.schema_.warnings(rows) == told
    # The process that predicts gets the rows as a file.
    rows[list(cleaner.schema_.names)].to_parquet(tmp_path / "rows.parquet")
    assert cleaner.schema_.warnings(pd.read_parquet(tmp_path / "rows.parquet")) == told


def test_what_is_made_of_earlier_rows_is_made_of_converted_numbers(tmp_path: Path) -> None:
    made = table().assign(day=pd.date_range("2024-01-01", periods=80).strftime("%Y-%m-%d"))
    dataset = add_table(tmp_path, made)
    step = mixed_units(tmp_path, dataset).step
    assert step is not None
    history = History(order="day", columns=(PastColumn(kind="lag", column="way", rows=1),))
    recipe = recipe_of(dataset, with_repair(Draft(target="fare", history=history), step))
    prepared = prepare_table(dataset, DatasetStore(tmp_path).table(dataset.id), recipe)
    cleaner = fit_cleaner(prepared.train, prepared.types, recipe.cleaning, prepared.day_first)
    assert prepared.past is not None
    cleaner = cleaner.model_copy(update={"past": prepared.past.only(cleaner.schema_.names)})
    days = "way,ram,noise,day\n500 m,4 GB,0.5,2025-01-01\n1.5 km,4 GB,0.5,2025-01-02\n2 km,4 GB,0.5,2025-01-03\n"
    rows = read_raw_rows(days.encode(), cleaner.schema_)
    completed = cleaner.complete(rows)
    assert completed["way"].tolist() == ["500 m", "1.5 km", "2 km"]
    assert completed["way: 1 row before"].tolist()[1:] == [0.5, 1.5]
    assert "way: 1 value in m is converted into km." in cleaner.warnings(rows)
