from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.ingest import SAMPLES, DatasetStore
from dlreg_core.prepare.draft import load_draft
from tests.conftest import ROOT, add_table, small_table


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
    assert [button.key for button in app.button] == [f"sample_{sample.key}" for sample in SAMPLES]


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
