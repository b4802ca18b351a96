"""The colours of texts against their ground: WCAG 2.2, level AA."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from dlreg_core.charts.base import theme
from tests.conftest import ROOT

CAPTION = 0.6
"""Streamlit writes captions in this share of the text's colour."""


@pytest.fixture(scope="module")
def themes() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    return found


def parts(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def luminance(colour: list[float]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(text: list[float], ground: list[float]) -> float:
    upper, lower = sorted((luminance(text), luminance(ground)), reverse=True)
    return (upper + 0.05) / (lower + 0.05)


def faded(text: str, ground: str, share: float) -> list[float]:
    return [share * a + (1 - share) * b for a, b in zip(parts(text), parts(ground), strict=True)]


def test_the_measure_itself() -> None:
    assert contrast(parts("#000000"), parts("#FFFFFF")) == pytest.approx(21)
    assert contrast(parts("#777777"), parts("#FFFFFF")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_texts_can_be_read(themes: dict[str, Any], look: str) -> None:
    colours = themes[look]
    grounds = [colours["backgroundColor"], colours["secondaryBackgroundColor"], colours["sidebar"]["backgroundColor"]]
    for ground in grounds:
        for name in ("textColor", "linkColor", "grayTextColor", "codeTextColor"):
            assert contrast(parts(colours[name]), parts(ground)) >= 4.5, (name, ground)
        assert contrast(faded(colours["textColor"], ground, CAPTION), parts(ground)) >= 4.5, ground
        # Not a text: the frame of what has the focus, or a bar.
        assert contrast(parts(colours["primaryColor"]), parts(ground)) >= 3, ground
    # The words on a primary button are white.
    assert contrast(parts("#FFFFFF"), parts(colours["primaryColor"])) >= 4.5
    ink = theme.INK if look == "light" else theme.LIGHT_INK
    assert contrast(parts(ink), parts(colours["backgroundColor"])) >= 4.5


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("colour", [theme.RISE, theme.FALL])
def test_steps_of_a_waterfall_can_be_seen(themes: dict[str, Any], look: str, colour: str) -> None:
    assert contrast(parts(colour), parts(themes[look]["backgroundColor"])) >= 3
    assert colour not in {theme.model_colour(name) for name in ("TabM", "FastAI", "RealMLP", "NN Torch", "x", "Mean")}


@pytest.mark.parametrize(("dark", "ink"), [(False, theme.INK), (True, theme.LIGHT_INK)])
def test_charts_take_the_colour_of_their_ground(dark: bool, ink: str) -> None:
    made = theme.readable_on(theme.figure(height=100, x="x", y="y"), dark=dark)
    assert {made.layout.font.color, made.layout.xaxis.tickfont.color, made.layout.yaxis.title.font.color} == {ink}
