"""A column before and after a step: counted as numpy does, labelled with what a person knows."""

from __future__ import annotations

import numpy as np

from dlreg_core.charts.data.before_after import BeforeAfter, panel_of


def test_each_bar_is_counted_and_labelled_in_the_columns_own_unit() -> None:
    values = np.array([1.0, 10.0, 10.0, 100.0, np.nan])
    made = BeforeAfter("price", panel_of("as it is", values), panel_of("learned", np.log10(values), lambda v: 10**v))
    table = made.frame()
    assert table.groupby("panel")["rows"].sum().to_dict() == {"as it is": 4, "learned": 4}
    learned = table[table["panel"] == "learned"]
    np.testing.assert_array_equal(learned["rows"], np.histogram([0, 1, 1, 2], bins=3)[0])
    assert learned["label"].iloc[-1].endswith("100")
    figure = made.plot()
    assert [len(trace.x) for trace in figure.data] == [3, 3]
    assert figure.data[0].marker.color != figure.data[1].marker.color
    assert "as it is: most rows at" in made.alt


def test_a_column_without_a_number_has_nothing_to_draw() -> None:
    empty = np.full(3, np.nan)
    made = BeforeAfter("price", panel_of("as it is", empty), panel_of("after", empty))
    assert made.frame().empty
    assert made.alt == "Nothing to draw of price."
    made.plot()


def test_names_are_no_markup() -> None:
    made = BeforeAfter("<b>x</b>", panel_of("<i>before", np.arange(5.0)), panel_of("after", np.arange(5.0)))
    assert "<i>" not in made.plot().to_json()
