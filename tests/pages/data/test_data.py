from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.checks.recommended_split import SplitAdvice
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.datasets.sample_tables import SAMPLES
from dlreg_core.recipe.draft import load_draft
from dlreg_core.specs import Dataset, Reading, Recipe
from pages._ui.prepare import starting_split
from tests.conftest import ROOT, add_table, small_table, wait_for
from tests.core.ingest.formats.test_formats import workbook


def opened(dataset_id: str | None = None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "_ui" / "router.py"), default_timeout=60)
    if dataset_id is not None:
        app.query_params["dataset"] = dataset_id
    return app.run()


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.title, *app.subheader, *app.markdown, *app.caption)).replace(
        "\\", ""
    )


def test_without_data_the_page_says_what_the_app_does_and_shows_the_samples(home: Path) -> None:
    app = opened()
    assert not app.exception
    assert app.title[0].value == "Start with a table"
    assert "how well deep learning predicts" in texts(app)
    assert [button.key for button in app.button] == ["use_pasted_0", *(f"sample_{sample.key}" for sample in SAMPLES)]


def test_a_sample_opens_prepare_with_its_target_and_unit(home: Path) -> None:
    app = opened()
    app.button(key="sample_concrete_strength").click().run()
    assert not app.exception
    assert app.title[0].value == "Prepare"
    assert app.selectbox[0].value == "compressive_strength_mpa"
    assert app.text_input[0].value == "MPa"
    (dataset,) = DatasetStore(home).list()
    draft = load_draft(home, "local", dataset.id)
    assert draft is not None
    assert (draft.target, draft.unit) == ("compressive_strength_mpa", "MPa")


def test_an_uploaded_file_is_stored_and_shown(home: Path) -> None:
    app = opened()
    content = small_table().to_csv(index=False).encode()
    app.file_uploader[0].upload("my houses.csv", content, "text/csv").run()
    assert not app.exception
    (dataset,) = DatasetStore(home).list()
    assert app.query_params["dataset"] == dataset.id
    shown = texts(app)
    assert "my houses.csv: 240 rows × 6 columns" in shown
    assert "Read as: commas, UTF-8" in shown
    assert "12 values are missing" in shown
    assert any(button.label == "Continue: choose what to predict" for button in app.button)


def test_a_file_that_is_no_table_is_said_plainly_and_changes_nothing(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset.id)
    app.file_uploader[0].upload("broken.csv", b"PK\x03\x04 no table", "text/csv").run()
    assert not app.exception
    assert len(app.error) == 1
    assert "**" in app.error[0].value
    assert "houses.csv: 240 rows" in texts(app)


def test_the_columns_are_described_one_a_line(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset.id)
    table = app.dataframe[1].value
    assert list(table["name"]) == ["id", "size", "place", "built", "country", "price"]
    assert list(table["type"]) == ["identifier", "number", "category", "date", "constant", "number"]
    assert table["missing"].iloc[1] == 0.05


def test_names_from_files_are_shown_as_they_are(home: Path) -> None:
    table = pd.DataFrame({"**bold** :red[x]": [1.5, 2.5, None] * 20, "y": range(3, 63)})
    app = opened(add_table(home, table, "a_b_c.csv").id)
    assert not app.exception
    assert any("\\*\\*bold\\*\\* \\:red\\[x\\]" in element.value for element in app.markdown)


def test_an_earlier_table_can_be_opened_again(home: Path) -> None:
    earlier = add_table(home, small_table(), "earlier.csv")
    app = opened()
    choice = next(box for box in app.selectbox if box.label == "Or open an earlier table")
    choice.select(earlier.id).run()
    assert not app.exception
    assert "earlier.csv: 240 rows" in texts(app)


def test_a_data_set_that_is_gone_is_no_dead_end(home: Path) -> None:
    app = opened("0" * 16)
    assert not app.exception
    assert app.title[0].value == "Start with a table"
    assert len(app.warning) == 1


def test_continue_leads_to_prepare(home: Path) -> None:
    app = opened(add_table(home, small_table()).id)
    next(b for b in app.button if b.label == "Continue: choose what to predict").click().run()
    assert app.title[0].value == "Prepare"


def test_tables_of_other_people_are_not_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = DatasetStore(home, "somebody-else").add(small_table().to_csv(index=False).encode(), "theirs.csv")
    app = opened(dataset.id)
    assert not app.exception
    assert app.title[0].value == "Start with a table"
    assert "theirs" not in texts(app)
    monkeypatch.setenv("DLREG_OWNER", "somebody-else")
    assert "theirs.csv: 240 rows" in texts(opened(dataset.id))


def test_cells_of_a_spreadsheet_can_be_pasted(home: Path) -> None:
    app = opened()
    app.text_area[0].input("size\tplace\tprice\n120\tnorth\t310\n80\tsouth\t210\n").run()
    next(b for b in app.button if b.label == "Use these cells").click().run()
    assert not app.exception
    assert "pasted table: 2 rows × 3 columns" in texts(app)
    assert "tabs" in texts(app)


def test_pasted_text_that_is_no_table_is_said_plainly(home: Path) -> None:
    app = opened()
    app.text_area[0].input("hello").run()
    next(b for b in app.button if b.label == "Use these cells").click().run()
    assert not app.exception
    assert "a single column" in app.error[0].value


@pytest.fixture
def prices(home: Path) -> str:
    """Store a table that was guessed wrongly: its numbers have decimal commas, and its dates the month first."""
    lines = [f"{i % 9 + 1:02d}/{i % 7 + 1:02d}/2024;1,250;{i}" for i in range(40)]
    content = "\n".join(["when;price;area", *lines]).encode()
    return DatasetStore(home).add(content, "prices.csv").id


def reading_form(dataset_id: str) -> AppTest:
    app = opened(dataset_id)
    app.session_state[f"reading_{dataset_id}"] = True
    return app.run()


def test_what_was_guessed_can_be_corrected_with_a_preview(home: Path, prices: str) -> None:
    app = reading_form(prices)
    assert not app.exception
    assert "Read as: semicolons, UTF-8" in texts(app)
    app.selectbox(key=f"order_{prices}").select(False).run()
    app.selectbox(key=f"decimal_{prices}").select(".").run()
    assert not app.exception
    assert app.dataframe[0].value["price"].iloc[0] == 1250
    assert app.dataframe[0].value["when"].iloc[1] == "2024-02-02"
    next(b for b in app.button if b.label == "Read it this way").click().run()
    assert not app.exception
    again = app.query_params["dataset"]
    assert again != prices
    dataset = DatasetStore(home).get(again)
    assert (dataset.column("when").day_first, dataset.column("price").maximum) == (False, 1250.0)
    assert dataset.reading.decimal == "."
    assert dataset.name == "prices.csv"


def test_a_reading_that_can_not_work_says_so_and_keeps_the_table(home: Path, prices: str) -> None:
    app = reading_form(prices)
    app.selectbox(key=f"delimiter_{prices}").select("|").run()
    assert not app.exception
    assert "single column" in app.error[0].value
    assert "prices.csv: 40 rows × 3 columns" in texts(app)


def test_another_line_can_be_the_header(home: Path, prices: str) -> None:
    app = reading_form(prices)
    app.toggle(key=f"header_{prices}").set_value(False).run()
    assert list(app.dataframe[0].value.columns) == ["column_1", "column_2", "column_3"]
    app.toggle(key=f"header_{prices}").set_value(True).run()
    app.number_input(key=f"header_line_{prices}").set_value(3).run()
    assert not app.exception
    assert app.dataframe[0].value.columns[1] == "1,250"


def test_another_sheet_can_be_chosen(home: Path) -> None:
    rows: list[list[object]] = [["size", "price"]]
    rows += ([i, 2 * i] for i in range(30))
    others: list[list[object]] = [["weight", "cost"]]
    others += ([i, 3 * i] for i in range(40))
    dataset = DatasetStore(home, "local").add(workbook(First=rows, Second=others), "book.xlsx")
    app = reading_form(dataset.id)
    box = app.selectbox(key=f"sheet_{dataset.id}")
    assert box.options == ["First", "Second"]
    box.select("Second").run()
    assert list(app.dataframe[0].value.columns) == ["weight", "cost"]
    next(b for b in app.button if b.label == "Read it this way").click().run()
    assert not app.exception
    assert "book.xlsx: 40 rows × 2 columns" in texts(app)


def test_another_encoding_can_be_chosen(home: Path) -> None:
    content = "place;price\n" + "".join(f"Łódź {i};{i}\n" for i in range(30))
    dataset = DatasetStore(home, "local").add(content.encode("cp1250"), "towns.csv", Reading(encoding="cp1252"))
    assert dataset.column("place").levels == () or "Ł" not in dataset.column("place").levels[0].value
    app = reading_form(dataset.id)
    app.selectbox(key=f"encoding_{dataset.id}").select("cp1250").run()
    assert app.dataframe[0].value["place"].iloc[0] == "Łódź 0"
    next(b for b in app.button if b.label == "Read it this way").click().run()
    assert not app.exception
    assert DatasetStore(home).get(app.query_params["dataset"]).reading.encoding == "cp1250"


def test_places_are_offered_only_where_the_administrator_allows_some(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "place" not in [box.key for box in opened().text_input]
    (tmp_path / "houses.csv").write_text(small_table().to_csv(index=False))
    monkeypatch.setenv("DLREG_PLACES", f"{tmp_path}, https://data.example.com/")
    app = opened()
    app.text_input(key="place").input("/etc/passwd").run()
    app.button(key="read_place").click().run()
    assert "isn't a place that the administrator allows" in app.error[0].value
    app.text_input(key="place").input(f"{tmp_path}/houses.csv").run()
    app.button(key="read_place").click().run()
    assert not app.exception
    assert "houses.csv: 240 rows" in texts(app)


def test_what_is_missing_together_and_what_goes_together_is_shown_when_it_is_opened(home: Path) -> None:
    table = small_table().assign(area=lambda t: t["size"] * 2.0)
    dataset = add_table(home, table)
    app = opened(dataset.id)
    assert "Missing in the same rows" not in texts(app)
    app.session_state[f"gaps_{dataset.id}"] = True
    app.session_state[f"closeness_{dataset.id}"] = True
    app.run()
    assert not app.exception
    assert "Missing in the same rows: size and area" in texts(app)
    assert re.search(r"These go together closely: .*size", texts(app))
    assert len(app.get("plotly_chart")) == 2


def test_what_prepare_begins_with_is_measured_while_the_table_is_looked_at(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str | None] = []

    def advice(dataset: Dataset, _table: pd.DataFrame, recipe: Recipe) -> SplitAdvice:
        measured.append(recipe.target)
        return SplitAdvice()

    monkeypatch.setattr(starting_split, "split_advice", advice)
    app = opened(add_table(home, small_table()).id)
    assert not app.exception
    wait_for(lambda: measured == ["price"], 60)
