"""Prepare: steps of the cleaning, chosen in the browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from dlreg_core.prepare.draft import recipe_of
from dlreg_core.specs import Dataset, NumberFill, Recipe
from tests.conftest import add_table, small_table
from tests.pages.test_prepare import kept, opened, widget


def recipe(home: Path, dataset: Dataset) -> Recipe:
    return recipe_of(dataset, kept(home, dataset))


def opens(app: AppTest, key: str) -> AppTest:
    """Open a folded part."""
    app.session_state[key] = True
    return app.run()


def pictures(app: AppTest) -> str:
    return str(app.get("plotly_chart"))


def test_gaps_are_filled_in_many_ways_and_the_picture_shows_it(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset)
    box = next(b for b in app.selectbox if "missing numbers in size" in b.label)
    for words in ("the most frequent value", "the mean of similar rows", "what the other columns say"):
        assert words in box.options
    box.select("knn").run()
    assert not app.exception
    assert recipe(home, dataset).cleaning.impute_numbers == "knn"
    assert "picture_before_after_fill_by_neighbours" not in pictures(app)
    opens(app, f"before_after_fill_by_neighbours_{dataset.id}")
    assert not app.exception
    assert "picture_before_after_fill_by_neighbours" in pictures(app)
    next(b for b in app.selectbox if "missing numbers in size" in b.label).select("constant").run()
    widget(app.number_input, "Fixed value").set_value(77.0).run()
    assert not app.exception
    cleaning = recipe(home, dataset).cleaning
    assert (cleaning.impute_numbers, cleaning.impute_constant) == ("constant", 77.0)


def test_single_columns_are_filled_in_their_own_way(home: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "y"])
    table.loc[::9, "a"] = np.nan
    dataset = add_table(home, table)
    app = opened(dataset)
    opens(app, f"fills_{dataset.id}")
    widget(app.multiselect, "Columns with a way").set_value(["a"]).run()
    widget(app.selectbox, "Fill a with").select("constant").run()
    widget(app.number_input, "Fixed value of a").set_value(-3.0).run()
    next(b for b in app.checkbox if b.key == f"flag_{dataset.id}_a").uncheck().run()
    assert not app.exception
    assert recipe(home, dataset).cleaning.fills == {"a": NumberFill(method="constant", constant=-3.0, flag=False)}
    assert "picture_before_after_fill_numbers" in pictures(app)
    # What was chosen is there again in a new session.
    again = opened(dataset)
    assert widget(again.multiselect, "Columns with a way").value == ["a"]
    assert widget(again.selectbox, "Fill a with").value == "constant"
    widget(again.multiselect, "Columns with a way").set_value([]).run()
    assert recipe(home, dataset).cleaning.fills == {}
