from __future__ import annotations

import re
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.checks.recommended_split import SplitAdvice, split_advice
from dlreg_core.jobs import RunService
from dlreg_core.recipe.draft import Draft, load_draft, recipe_of, save_draft
from dlreg_core.specs import ColumnType, Dataset
from pages._ui.prepare import starting_split, target_form
from tests.conftest import ROOT, add_table, small_table, wait_for
from tests.core.checks.test_twins import measured_twice


def opened(dataset: Dataset | None) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "_ui" / "router.py"), default_timeout=60)
    if dataset is not None:
        app.query_params["dataset"] = dataset.id
    return app.run().switch_page("../prepare.py").run()


def widget(elements: Any, label: str) -> Any:
    return next(element for element in elements if element.label.startswith(label))


def kept(home: Path, dataset: Dataset) -> Draft:
    draft = load_draft(home, "local", dataset.id)
    assert draft is not None
    return draft


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption)).replace("\\", "")


def test_without_data_the_page_leads_to_data(home: Path) -> None:
    app = opened(None)
    assert not app.exception
    assert app.info[0].value == "No data set is open yet."
    assert [button.label for button in app.button] == ["Choose data"]


def test_the_likeliest_target_is_chosen_and_everything_can_go_on(home: Path) -> None:
    app = opened(add_table(home, small_table()))
    assert not app.exception
    assert widget(app.selectbox, "What do you want").value == "price"
    assert list(widget(app.selectbox, "What do you want").options) == ["size", "price"]
    assert "**country** is the same in every row" in texts(app)
    assert not widget(app.button, "Continue").disabled


def test_choices_survive_another_page_and_a_new_session(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset)
    widget(app.selectbox, "What do you want").select("size").run()
    widget(app.text_input, "Unit").input("m²").run()
    app.radio[0].set_value("time").run()
    widget(app.selectbox, "Fill missing categories").select("most_frequent").run()
    widget(app.select_slider, "Test rows").set_value(25).run()
    assert not app.exception
    app.switch_page("../train.py").run()
    app.switch_page("../prepare.py").run()
    for again in (app, opened(dataset)):
        assert widget(again.selectbox, "What do you want").value == "size"
        assert widget(again.text_input, "Unit").value == "m²"
        assert again.radio[0].value == "time"
        assert widget(again.select_slider, "Test rows").value == 25
    recipe = recipe_of(dataset, kept(home, dataset))
    assert (recipe.split.kind, recipe.split.column, recipe.split.test) == ("time", "built", 0.25)
    assert recipe.cleaning.impute_categories == "most_frequent"


def test_repairs_say_what_they_change(home: Path) -> None:
    table = pd.concat([small_table(), small_table().iloc[10:15]], ignore_index=True)
    table.loc[table.index[:3], "price"] = None
    dataset = add_table(home, table)
    app = opened(dataset)
    assert "3 rows have no target" in texts(app)
    assert any(box.label.startswith("Fill") and "missing numbers in size" in box.label for box in app.selectbox)
    duplicates = widget(app.checkbox, "Leave out")
    duplicates.uncheck().run()
    assert not kept(home, dataset).cleaning.drop_duplicates


def test_a_split_that_leaves_no_rows_is_refused_in_a_sentence(home: Path) -> None:
    app = opened(add_table(home, small_table(rows=60).iloc[:18]))
    assert not app.exception
    assert "at least 20 are needed" in app.error[0].value
    assert widget(app.button, "Continue").disabled


def test_an_own_test_file_is_asked_for_stored_and_checked(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset)
    app.radio[0].set_value("own").run()
    assert "There is no test file yet" in app.info[0].value
    assert widget(app.button, "Continue").disabled
    other = small_table(seed=5).drop(columns="place").to_csv(index=False).encode()
    app.file_uploader[0].upload("other.csv", other, "text/csv").run()
    assert "The test file has no column place" in app.error[0].value
    test = small_table(rows=80, seed=6).to_csv(index=False).encode()
    app.file_uploader[0].upload("test.csv", test, "text/csv").run()
    assert not app.exception
    assert not app.error
    assert not widget(app.button, "Continue").disabled
    recipe = recipe_of(dataset, kept(home, dataset))
    assert recipe.split.kind == "own"
    assert recipe.split.test_dataset != dataset.id


def test_a_table_of_texts_has_nothing_to_predict(home: Path) -> None:
    table = pd.DataFrame({"a": ["x", "y", "z"] * 20, "b": ["u", "v"] * 30})
    app = opened(add_table(home, table))
    assert not app.exception
    assert "No column of this table can be predicted" in app.error[0].value
    assert [button.label for button in app.button] == ["Choose other data"]


def test_continue_leads_to_train(home: Path) -> None:
    app = opened(add_table(home, small_table()))
    widget(app.button, "Continue").click().run()
    assert app.title[0].value == "Train"


def test_what_a_person_edits_in_the_table_of_columns_becomes_the_draft(home: Path) -> None:
    dataset = add_table(home, small_table())
    opened(dataset)

    def edited(draft: Draft, **changes: Any) -> Draft:
        names = [name for name in dataset.column_names if name != "price"]
        used = {"id": False, "size": True, "place": True, "built": True, "country": False} | changes.get("used", {})
        types = {"id": "identifier", "size": "number", "place": "category", "built": "date", "country": "constant"}
        types |= changes.get("types", {})
        after = pd.DataFrame({"name": names, "used": [used[n] for n in names], "type": [types[n] for n in names]})
        return target_form.changed(dataset, draft, after)

    start = Draft(target="price")
    assert edited(start) == start
    assert edited(start, used={"size": False}).used == {"size": False}
    retyped = edited(start, types={"id": "category"})
    assert retyped.types == {"id": ColumnType.CATEGORY}
    assert "id" in recipe_of(dataset, retyped).features
    assert edited(retyped, used={"id": False}, types={"id": "category"}).used == {"id": False}
    assert edited(edited(start, used={"id": True})) == start


def leaky() -> pd.DataFrame:
    """Return a table with a sum that is the target, a code for a missing value and a label in three spellings."""
    rng = np.random.default_rng(0)
    rows = 400
    casual, registered = rng.integers(0, 90, rows), rng.integers(20, 300, rows)
    heat = rng.normal(15, 5, rows).round(1)
    heat[::15] = -200.0
    fat = rng.choice(["Low Fat", "LF", "low fat", "Regular"], rows)
    table = pd.DataFrame(
        {"casual": casual, "registered": registered, "heat": heat, "fat": fat, "wind": rng.random(rows)}
    )
    return table.assign(rented=casual + registered)


def test_what_gives_the_target_away_is_left_out_with_one_click(home: Path) -> None:
    dataset = add_table(home, leaky())
    app = opened(dataset)
    assert not app.exception
    assert widget(app.selectbox, "What do you want").value == "rented"
    box = next(b for b in app.checkbox if "Leave out casual and registered" in b.label)
    assert not box.value
    assert "casual + registered is rented, in every row" in texts(app)
    box.check().run()
    assert not app.exception
    assert recipe_of(dataset, kept(home, dataset)).features == ("heat", "fat", "wind")
    assert list(app.dataframe[0].value["used"]) == [False, False, True, True, True]
    next(b for b in app.checkbox if "Leave out casual and registered" in b.label).uncheck().run()
    assert "casual" in recipe_of(dataset, kept(home, dataset)).features


def test_codes_and_spellings_are_repaired_with_one_click(home: Path) -> None:
    dataset = add_table(home, leaky())
    app = opened(dataset)
    next(b for b in app.checkbox if "for missing in heat" in b.label).check().run()
    next(b for b in app.checkbox if "Merge the spellings in fat" in b.label).check().run()
    assert not app.exception
    cleaning = recipe_of(dataset, kept(home, dataset)).cleaning
    assert cleaning.missing_codes == {"heat": (-200.0,)}
    assert set(cleaning.merged_labels["fat"].values()) <= {"Low Fat", "low fat"}
    assert len(cleaning.merged_labels["fat"]) == 2
    # What is marked as missing is then filled, and said so.
    assert any("27 missing numbers in heat" in box.label for box in app.selectbox)
    next(b for b in app.checkbox if "for missing in heat" in b.label).uncheck().run()
    assert recipe_of(dataset, kept(home, dataset)).cleaning.missing_codes == {}


def batches(rows: int = 300) -> pd.DataFrame:
    """Return rows of batches that have levels of their own."""
    rng = np.random.default_rng(0)
    batch = rng.integers(0, 20, rows)
    level = rng.normal(0, 3, 20)[batch] + rng.normal(0, 0.5, rows)
    return pd.DataFrame({"batch": [f"b{number}" for number in batch], "noise": rng.random(rows), "level": level})


def test_the_page_starts_with_the_split_that_was_measured_and_says_why(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting_split, "split_advice", split_advice)
    dataset = add_table(home, batches())
    app = opened(dataset)
    assert not app.exception
    assert app.radio[0].value == "group"
    assert "Chosen because a random split flatters" in texts(app)
    assert kept(home, dataset).column == "batch"
    app.session_state[f"measures_{dataset.id}_level"] = True
    assert "fewer than 10 values" in texts(app.run())
    app.radio[0].set_value("random").run()
    assert "unless every batch that you will predict is in this table" in texts(app)
    again = opened(dataset)
    assert again.radio[0].value == "random"


def test_until_it_is_measured_the_page_is_there_and_the_way_on_waits(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = Event()

    def slow(*_: object) -> SplitAdvice:
        ready.wait(60)
        return SplitAdvice("group", "batch")

    monkeypatch.setattr(starting_split, "split_advice", slow)
    monkeypatch.setattr(starting_split, "PATIENCE", 0.0)
    dataset = add_table(home, batches())
    app = opened(dataset)
    assert "Measuring whether a random split flatters here" in texts(app)
    assert app.radio[0].value == "random"
    ready.set()
    widget(app.button, "Continue").click().run()
    assert not app.exception
    assert kept(home, dataset).column == "batch"


def test_nothing_is_loaded_in_advance_while_the_split_is_measured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = Event()
    loaded: list[str] = []

    def slow(*_: object) -> SplitAdvice:
        ready.wait(60)
        return SplitAdvice()

    monkeypatch.setattr(starting_split, "split_advice", slow)
    monkeypatch.setattr(starting_split, "PATIENCE", 0.0)
    monkeypatch.setattr(RunService, "stand_by", lambda self, device: loaded.append(device))
    app = opened(add_table(home, batches()))
    assert not loaded
    ready.set()
    wait_for(lambda: bool(app.run().radio) and bool(loaded), 60)
    assert loaded[0] == "auto"


def test_a_column_that_was_not_measured_is_when_it_is_asked_for(home: Path) -> None:
    dataset = add_table(home, batches())
    app = opened(dataset)
    app.radio[0].set_value("group").run()
    app.session_state[f"column_{dataset.id}_level"] = True
    assert "A random split flatters" in texts(app.run())


def test_whether_more_rows_would_help_is_told_when_it_is_asked_for(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset)
    app.session_state[f"row_needs_{dataset.id}_price"] = True
    app.run()
    assert not app.exception
    assert re.search(r"With 2\d rows a quick model is off by", texts(app))


def ordered_table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.choice(["small", "medium", "large"], 120)
    shop = rng.choice(["x", "y", "z"], 120)
    return pd.DataFrame({"size": size, "shop": shop, "floor": rng.integers(1, 5, 120), "price": rng.normal(9, 1, 120)})


def test_an_order_of_levels_is_found_shown_and_changed(home: Path) -> None:
    dataset = add_table(home, ordered_table())
    app = opened(dataset)
    assert not app.exception
    assert list(app.dataframe[0].value["type"]) == ["ordinal", "category", "number"]
    levels = widget(app.multiselect, "Levels of size")
    assert levels.value == ["small", "medium", "large"]
    levels.set_value(["large", "small"]).run()
    assert not app.exception
    assert recipe_of(dataset, kept(home, dataset)).cleaning.orders == {"size": ("large", "small")}
    assert "rows with other levels count as missing" in texts(app)
    widget(app.multiselect, "Levels of size").set_value([]).run()
    assert "An order has two levels at least" in texts(app)
    assert recipe_of(dataset, kept(home, dataset)).cleaning.orders == {"size": ("large", "small")}


def test_a_type_can_be_made_ordinal_and_no_longer_be_it(home: Path) -> None:
    dataset = add_table(home, ordered_table())
    opened(dataset)

    def edited(draft: Draft, **types: str) -> Draft:
        words = {"size": "ordinal", "shop": "category", "floor": "number"} | types
        after = pd.DataFrame({"name": list(words), "used": [True] * 3, "type": list(words.values())})
        return target_form.changed(dataset, draft, after)

    start = Draft(target="price")
    assert edited(start) == start
    shop = edited(start, shop="ordinal")
    assert recipe_of(dataset, shop).cleaning.orders == {"size": ("small", "medium", "large"), "shop": ("x", "y", "z")}
    assert edited(shop) == start
    floor = edited(start, floor="ordinal")
    assert floor.types == {"floor": ColumnType.CATEGORY}
    assert recipe_of(dataset, floor).cleaning.orders["floor"] == ("1", "2", "3", "4")
    plain = edited(start, size="category")
    assert recipe_of(dataset, plain).cleaning.orders == {}
    assert edited(plain) == start


def test_several_units_are_converted_into_one_with_one_click(home: Path) -> None:
    way = [f"{i} km" if i % 3 else f"{i * 100} m" for i in range(1, 121)]
    dataset = add_table(home, pd.DataFrame({"way": way, "noise": np.arange(120) % 7, "fare": np.arange(120) * 1.5}))
    app = opened(dataset)
    box = next(b for b in app.checkbox if "Convert way into km, as numbers" in b.label)
    assert "1 m is 0.001 km" in texts(app)
    box.check().run()
    assert not app.exception
    assert app.dataframe[0].value["type"].iloc[0] == "number"
    recipe = recipe_of(dataset, kept(home, dataset))
    assert (recipe.types, recipe.cleaning.units) == ({"way": ColumnType.NUMBER}, {"way": "km"})
    next(b for b in app.checkbox if "Convert way into km" in b.label).uncheck().run()
    assert recipe_of(dataset, kept(home, dataset)).types == {}


def test_near_twins_are_told_and_kept_together_with_one_click(home: Path) -> None:
    dataset = add_table(home, measured_twice())
    app = opened(dataset)
    assert not app.exception
    assert "test rows have a near twin among the rows that train" in texts(app)
    app.session_state[f"honesty_{dataset.id}_y"] = True
    assert "when near twins are kept on one side" in texts(app.run())
    widget(app.checkbox, "Keep near twins").check().run()
    assert not app.exception
    assert "near twin among" not in texts(app)
    assert recipe_of(dataset, kept(home, dataset)).split.keep_twins
    widget(app.checkbox, "Keep near twins").uncheck().run()
    assert not recipe_of(dataset, kept(home, dataset)).split.keep_twins


def test_a_test_file_of_other_rows_is_told(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset)
    app.radio[0].set_value("own").run()
    other = small_table(rows=120, seed=3).assign(size=lambda t: t["size"] + 300).to_csv(index=False).encode()
    app.file_uploader[0].upload("other.csv", other, "text/csv").run()
    assert not app.exception
    assert "The test rows are unlike the training rows: 1 column is distributed otherwise. size is" in texts(app)


def test_folds_their_number_and_what_is_done_with_them(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset)
    widget(app.selectbox, "Models are chosen by").select("folds").run()
    widget(app.selectbox, "Folds").select(4).run()
    assert not app.exception
    assert "4 folds: each network is trained 4 times" in texts(app)
    assert "small and large targets in the same proportions" in texts(app)
    assert recipe_of(dataset, kept(home, dataset)).split.folds == 4
    again = opened(dataset)
    assert widget(again.selectbox, "Folds").value == 4
    app.radio[0].set_value("group").run()
    assert "stay in one fold" in texts(app)


def test_a_gap_and_the_same_mix_of_targets(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset)
    widget(app.selectbox, "Models are chosen by").select("holdout").run()
    widget(app.checkbox, "Small and large targets").check().run()
    assert recipe_of(dataset, kept(home, dataset)).split.stratified
    app.radio[0].set_value("time").run()
    widget(app.number_input, "Gap, days").set_value(100).run()
    assert not app.exception
    assert recipe_of(dataset, kept(home, dataset)).split.gap == 100
    assert "in the gaps" in texts(app)


def test_twins_that_can_not_be_kept_together_are_no_dead_end(home: Path) -> None:
    table = pd.DataFrame({"a": np.arange(900.0), "b": np.arange(900) * 2.0, "price": np.arange(900) % 7})
    dataset = add_table(home, table)
    save_draft(home, "local", dataset.id, Draft(target="price", used={"a": True, "b": True}, keep_twins=True))
    app = opened(dataset)
    assert "all but equal, one to the next" in app.error[0].value
    widget(app.button, "Don't keep near twins").click().run()
    assert not app.exception
    assert not app.error


def test_the_target_is_drawn_against_a_column_when_it_is_asked_for(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset)
    assert "on average; in its" not in texts(app)
    app.session_state[f"relation_{dataset.id}"] = True
    app.run()
    assert not app.exception
    assert "Where size is in its lowest fifth, price is" in texts(app)
    box = next(b for b in app.selectbox if b.label == "Column")
    # Neither the identifier nor the constant; what goes with the target most closely first.
    assert box.options[0] == "size"
    assert set(box.options) == {"size", "place", "built"}
    box.select("place").run()
    assert "price is lowest for" in texts(app)


def skewed() -> pd.DataFrame:
    """Return a table whose target has a few values that are far larger than the rest."""
    rng = np.random.default_rng(0)
    size = rng.normal(0, 1, 300)
    return pd.DataFrame({"size": size.round(3), "price": np.exp(3 + 1.2 * size + rng.normal(0, 0.3, 300)).round(2)})


def test_a_skewed_target_is_learned_as_its_logarithm_with_one_click(home: Path) -> None:
    dataset = add_table(home, skewed())
    app = opened(dataset)
    assert not app.exception
    assert widget(app.selectbox, "Learn it as").value == "none"
    assert list(widget(app.selectbox, "Learn it as").options) == [
        "its plain value",
        "its logarithm",
        "Box-Cox",
        "Yeo-Johnson",
    ]
    assert charts(app) == ["target_histogram"]
    next(b for b in app.checkbox if "Learn the logarithm of price" in b.label).check().run()
    assert not app.exception
    assert recipe_of(dataset, kept(home, dataset)).target_transform == "log"
    assert widget(app.selectbox, "Learn it as").value == "log"
    assert charts(app) == ["target_before_after"]
    assert not widget(app.button, "Continue").disabled
    next(b for b in app.checkbox if "Learn the logarithm of price" in b.label).uncheck().run()
    assert recipe_of(dataset, kept(home, dataset)).target_transform == "none"
    assert widget(app.selectbox, "Learn it as").value == "none"


def test_the_scale_is_chosen_beside_the_target_and_belongs_to_it(home: Path) -> None:
    dataset = add_table(home, skewed().assign(change=lambda t: t["size"] - 1))
    app = opened(dataset)
    widget(app.selectbox, "Learn it as").select("yeo-johnson").run()
    assert not app.exception
    assert kept(home, dataset).target_transform == "yeo-johnson"
    assert not next(b for b in app.checkbox if "Learn the logarithm of price" in b.label).value
    widget(app.selectbox, "What do you want").select("change").run()
    assert not app.exception
    assert kept(home, dataset).target_transform == "none"
    # Of what lies below 0 there is no logarithm.
    assert list(widget(app.selectbox, "Learn it as").options) == ["its plain value", "Yeo-Johnson"]


def charts(app: AppTest) -> list[str]:
    """Return which pictures of the target are shown."""
    return [name for name in ("target_histogram", "target_before_after") if f"{name}" in str(app.get("plotly_chart"))]
