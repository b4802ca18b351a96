"""Prepare: steps of the cleaning, chosen in the browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from dlreg_core.recipe.draft import recipe_of
from dlreg_core.specs import Combination, Dataset, History, NumberFill, OutlierRule, PastColumn, Recipe
from tests.conftest import add_table, small_table
from tests.pages.prepare.test_prepare import kept, opened, texts, widget


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


def with_outliers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "b", "y"])
    table.loc[[5, 80, 300], "a"] = [90.0, -80.0, 70.0]
    return table


def test_outliers_are_clipped_with_one_click(home: Path) -> None:
    dataset = add_table(home, with_outliers())
    app = opened(dataset)
    box = next(b for b in app.checkbox if b.label.replace("\\", "") == "Clip outliers in a (3 values)")
    assert not box.value
    box.check().run()
    assert not app.exception
    assert recipe(home, dataset).cleaning.outliers == {"a": OutlierRule()}
    assert widget(app.multiselect, "Columns whose outliers").value == ["a"]
    opens(app, f"outliers_{dataset.id}")
    assert "picture_outliers" in pictures(app)
    next(b for b in app.checkbox if b.label.startswith("Clip outliers in a")).uncheck().run()
    assert recipe(home, dataset).cleaning.outliers == {}
    assert widget(app.multiselect, "Columns whose outliers").value == []


def test_rows_with_outliers_teach_nothing_and_their_number_is_told(home: Path) -> None:
    dataset = add_table(home, with_outliers())
    app = opened(dataset)
    opens(app, f"outliers_{dataset.id}")
    widget(app.multiselect, "Columns whose outliers").set_value(["a", "b"]).run()
    widget(app.selectbox, "Outliers of a are").select("zscore").run()
    widget(app.number_input, "How far in a").set_value(2.0).run()
    widget(app.selectbox, "What to do in a").select("remove").run()
    assert not app.exception
    rules = recipe(home, dataset).cleaning.outliers
    assert rules == {"a": OutlierRule(rule="zscore", reach=2.0, act="remove"), "b": OutlierRule()}
    assert "teach nothing because of outliers" in texts(app)
    widget(app.select_slider, "Rows unlike all others").set_value(0.05).run()
    assert not app.exception
    assert recipe(home, dataset).cleaning.isolation == 0.05
    assert "17 training rows teach nothing" in texts(app)
    assert "picture_outliers" in pictures(app)
    assert not widget(app.button, "Continue").disabled


def test_columns_are_combined_and_taken_away_again(home: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(1, 5, size=(400, 3)), columns=["a", "b", "c"])
    dataset = add_table(home, table.assign(y=table["a"] / table["b"] + rng.normal(0, 0.05, 400)))
    app = opened(dataset)
    opens(app, f"combinations_{dataset.id}")
    button = next(b for b in app.button if "Add a ÷ b" in b.label)
    button.click().run()
    assert not app.exception
    ratio = Combination(kind="ratio", left="a", right="b")
    assert recipe(home, dataset).cleaning.combinations == (ratio,)
    widget(app.selectbox, "First column").select("c").run()
    widget(app.selectbox, "Combined by").select("difference").run()
    widget(app.selectbox, "Second column").select("a").run()
    widget(app.button, "Add").click().run()
    assert not app.exception
    difference = Combination(kind="difference", left="c", right="a")
    assert recipe(home, dataset).cleaning.combinations == (ratio, difference)
    assert "picture_combination" in pictures(app)
    widget(app.checkbox, "a ÷ b").uncheck().run()
    assert recipe(home, dataset).cleaning.combinations == (difference,)
    widget(app.selectbox, "First column").select("a").run()
    widget(app.button, "Add").click().run()
    assert "two different columns" in app.error[0].value
    assert recipe(home, dataset).cleaning.combinations == (difference,)


def test_columns_are_scaled(home: Path) -> None:
    dataset = add_table(home, with_outliers())
    app = opened(dataset)
    opens(app, f"scales_{dataset.id}")
    widget(app.multiselect, "Columns that aren't left").set_value(["a", "b"]).run()
    widget(app.selectbox, "Scale of a").select("quantile").run()
    assert not app.exception
    assert recipe(home, dataset).cleaning.scaling == {"a": "quantile", "b": "standard"}
    assert "picture_before_after_scale_numbers" in pictures(app)


def days() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    day = pd.date_range("2024-01-01", periods=300).strftime("%Y-%m-%d")
    heat = rng.normal(15, 5, 300).round(2)
    return pd.DataFrame({"day": day, "heat": heat, "sales": (100 + heat + rng.normal(0, 1, 300)).round(2)})


def test_columns_are_made_of_earlier_rows(home: Path) -> None:
    dataset = add_table(home, days())
    app = opened(dataset)
    opens(app, f"past_{dataset.id}")
    add = f"add_past_{dataset.id}"
    app.button(add).click().run()
    assert not app.exception
    lag = PastColumn(kind="lag", column="heat", rows=1)
    assert recipe(home, dataset).history == History(order="day", columns=(lag,))
    assert "picture_past" in pictures(app)

    app.selectbox(f"past_kind_{dataset.id}").select("exponential").run()
    app.number_input(f"past_rows_{dataset.id}_exponential").set_value(5).run()
    app.button(add).click().run()
    assert not app.exception
    smooth = PastColumn(kind="exponential", column="heat", rows=5)
    history = recipe(home, dataset).history
    assert history is not None
    assert history.columns == (lag, smooth)
    app.checkbox(f"past_{dataset.id}_{lag.name}").uncheck().run()
    history = recipe(home, dataset).history
    assert history is not None
    assert history.columns == (smooth,)


def test_earlier_targets_are_only_used_with_a_split_by_time(home: Path) -> None:
    dataset = add_table(home, days())
    app = opened(dataset)
    opens(app, f"past_{dataset.id}")
    app.selectbox(f"past_column_{dataset.id}_sales").select("sales").run()
    app.button(f"add_past_{dataset.id}").click().run()
    assert not app.exception
    assert "assumes that earlier values of sales are known" in app.warning[0].value
    assert "the split isn't by time" in app.error[0].value
    assert widget(app.button, "Continue").disabled
    app.radio[0].set_value("time").run()
    assert not app.exception
    assert not app.error
    assert not widget(app.button, "Continue").disabled
    horizon = app.selectbox(f"past_horizon_{dataset.id}_sales")
    assert (horizon.value, horizon.options[0], horizon.options[13]) == (1, "1 day", "14 days")
    horizon.select(14).run()
    assert not app.exception
    history = recipe(home, dataset).history
    assert history is not None
    assert history.horizon == 14
    app.selectbox(f"past_kind_{dataset.id}").select("smooth").run()
    app.button(f"add_past_{dataset.id}").click().run()
    assert "can't be smoothed" in app.error[0].value


def test_what_the_networks_get_of_dates_is_shown(home: Path) -> None:
    table = small_table()
    dataset = add_table(home, table)
    (dates,) = [column.name for column in dataset.columns if column.type.value == "datetime"]
    app = opened(dataset)
    assert "date_picture" not in pictures(app)
    opens(app, f"dates_{dataset.id}")
    assert not app.exception
    (part,) = [group for group in app.button_group if group.key == f"date_part_{dataset.id}_{dates}"]
    assert "month" in part.options
    assert "date_picture" in pictures(app)
    app.session_state[f"date_part_{dataset.id}_{dates}"] = "month"
    app.run()
    assert not app.exception
    (figure,) = [chart.proto.spec for chart in app.get("plotly_chart") if "date_picture" in chart.proto.id]
    assert f"{dates}: month" in figure
