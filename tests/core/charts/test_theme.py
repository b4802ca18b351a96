from __future__ import annotations

import json

import pytest

from dlreg_core.charts.base import theme


@pytest.mark.parametrize(
    ("names", "colour"),
    [
        (("TabM", "TABM", "TabM_2"), "#E69F00"),
        (("RealMLP", "REALMLP"), "#009E73"),
        (("FastAI", "FASTAI"), "#CC79A7"),
        (("NN Torch", "NN_TORCH", "NeuralNetTorch"), "#56B4E9"),
        (("Ensemble", "ensemble", "TabM + RealMLP (ensemble)"), "#0072B2"),
        (("Mean", "Ridge regression", "ridge", "Decision tree", "tree", "Boosted trees"), theme.GREY),
        (("FT-Transformer",), "#D55E00"),
    ],
)
def test_a_family_has_one_colour_in_any_spelling(names: tuple[str, ...], colour: str) -> None:
    assert {theme.model_colour(name) for name in names} == {colour}


def test_nothing_has_a_text_colour_of_its_own() -> None:
    made = theme.figure(height=100, x="a", y="b").to_plotly_json()
    text = json.dumps(made, default=str)
    assert '"font"' not in text
    assert made["layout"]["paper_bgcolor"] == theme.CLEAR


def test_foreign_text_is_no_markup() -> None:
    assert theme.escape("<b>%{x}</b> & more") == "&lt;b&gt;% {x}&lt;/b&gt; &amp; more"
    assert theme.figure(height=100, x="<i>a").layout.xaxis.title.text == "&lt;i&gt;a"


def test_units() -> None:
    assert theme.axis_title("RMSE", "$") == "RMSE, $"
    assert theme.axis_title("RMSE", "") == "RMSE"
    assert theme.hover_value("y", "$") == "%{y:$,.3~r}"
    assert theme.hover_value("y", "MPa") == "%{y:,.3~r} MPa"
    assert theme.hover_value("y", "") == "%{y:,.3~r}"
