"""Names, levels and units that are markup, addresses, orders to a terminal: what is shown of them is text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dlreg_core.charts.data.column_histogram import ColumnHistogram
from dlreg_core.charts.data.lagged_series import LaggedSeries
from dlreg_core.charts.data.sample_size_curve import RowNeedsCurve
from dlreg_core.charts.data.target_relation import Relation
from dlreg_core.charts.results.later_predictions import LaterRows
from dlreg_core.charts.results.leaderboard_chart import LeaderboardChart
from dlreg_core.charts.results.residuals_by_column import GroupedResiduals
from dlreg_core.charts.shap.beeswarm import ShapBeeswarm
from dlreg_core.charts.shap.dependence_plot import ShapDependence
from dlreg_core.charts.shap.importance_bar import ShapBar
from dlreg_core.charts.shap.waterfall import ShapWaterfall
from dlreg_core.cleaning import Schema, SchemaField
from dlreg_core.model_file import Manifest
from dlreg_core.model_file.card import model_card
from dlreg_core.names import clean_name, visible
from dlreg_core.networks import default_plan
from dlreg_core.specs import (
    Cleaning,
    Column,
    ColumnType,
    Comparison,
    Experiment,
    Interval,
    LeaderboardRow,
    Level,
    Recipe,
    ResolvedPlan,
    RowCounts,
    Split,
    TrainResult,
)
from dlreg_core.wording.markdown import escaped, escaped_sparingly
from pages._ui.shared.widgets import Display

HOSTILE = '<a href="https://evil.example">x</a><img src=x onerror=alert(1)> \u202e\x1b[31m%{x}'
OTHER = f"{HOSTILE} <script>2</script>"
LONG = "How satisfied are you with it? " * 300
OWN_TAGS = re.compile(r"</?(?:b|br|extra)>")
ADDRESSES = re.compile(
    # What remark-gfm looks for, https://github.com/syntax-tree/mdast-util-gfm-autolink-literal
    r"(?:https?://|www(?=\.))[-.\w]+[^ \t\r\n]*|(?:(?<=^)|(?<=\W))[-.\w+]+@[-\w]+(?:\.[-\w]+)+",
    re.ASCII | re.IGNORECASE,
)
PICTURES = re.compile(r":material_\w+:|:streamlit:|:[\w+-]+:|(?<!\S)(?:<->|->|<-|--|>=|<=|~=)(?!\S)", re.ASCII)


def as_seen(markdown: str) -> str:
    """Return what Markdown makes of text with backslashes, before it looks for addresses."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown.replace(":material/", ":material_"))


@pytest.mark.parametrize("write", [escaped, escaped_sparingly])
@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/path",
        "HTTP://evil.example",
        "see www.evil.example",
        "mail a.b+c@evil.example now",
        "https&#58;//evil.example",
        ":material/delete: :material_delete: :streamlit: :smile: :+1: :100:",
        "price -> cost <- x >= y <= z -- a ~= b <-> c",
    ],
)
def test_no_address_is_a_link_and_no_word_a_picture(write: Any, text: str) -> None:
    seen = as_seen(write(text))
    assert not ADDRESSES.search(seen)
    assert not PICTURES.search(seen)
    # No entity is left that stands for something else.
    assert not re.search(r"(?<!\\)&(?=[#\w])", write(text))
    assert seen.replace("\u2060", "") == text


@pytest.mark.parametrize("write", [escaped, escaped_sparingly])
def test_no_markup_and_one_line(write: Any) -> None:
    text = "a\n# heading <b>b</b> ![i](http://evil.example) `c` $d$ \x1b[31m\u202e :red[x]"
    written = write(text)
    assert "\n" not in written and "\x1b" not in written and "\u202e" not in written
    assert not re.search(r"(?<!\\)[<`$\[\]*]|(?<!\\):red", written)
    assert as_seen(written).replace("\u2060", "") == visible(text)


def pictures(name: str, other: str, unit: str) -> Iterator[Display]:
    rng = np.random.default_rng(0)
    target = pd.Series(rng.normal(size=80), name=other)
    number, level = pd.Series(rng.normal(size=80), name=name), pd.Series([name, other] * 40, name=name, dtype=object)
    values = pd.DataFrame({name: rng.normal(size=80), other: rng.normal(size=80)})
    data = pd.DataFrame({name: level.to_numpy(), other: number.to_numpy()})
    for column in (number, level):
        yield Relation(column, target, unit, unit)
        yield GroupedResiduals(column, target, unit, unit)
    yield ShapBar(values, data, 1.0, unit)
    yield ShapBeeswarm(values, data, 1.0, unit)
    yield ShapWaterfall(values, data, 1.0, unit)
    yield ShapDependence(values, data, 1.0, unit, feature=name, colour_by=other)
    yield ShapDependence(values, data, 1.0, unit, feature=other, colour_by=name)
    yield RowNeedsCurve((100, 200), (2.0, 1.0), unit)
    yield LaggedSeries(name, other, name, (1.0, 2.0), (1.0, 2.0), (None, 1.0))
    values_seen = np.asarray(target, np.float64)
    yield LaterRows(number, values_seen, values_seen, values_seen, values_seen, unit=unit, order=name)
    levels = (Level(value=name, count=3), Level(value=other, count=2))
    yield ColumnHistogram(Column(name=name, type=ColumnType.CATEGORY, missing=0, distinct=2, levels=levels))
    yield LeaderboardChart((LeaderboardRow(model=name, family="TABM", role="network", rmse=2.0, mae=1.0),), unit)


def texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Return all texts of a figure that plotly draws, each with where it stands."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name != "template":
                yield from texts(part, name)
    elif isinstance(value, str):
        yield key, value
    elif isinstance(value, list | tuple | np.ndarray):
        cells = list(value)
        # The first of several is by which a page knows what was clicked; it isn't drawn.
        drawn = cells[1:] if key == "customdata cell" else cells
        for part in drawn:
            yield from texts(part, f"{key} cell" if key == "customdata" else key)


def test_charts_draw_text() -> None:
    for drawn in pictures(HOSTILE, OTHER, '<a href="https://evil.example">u</a>\x1b'):
        for key, text in texts(drawn.plot().to_plotly_json()):
            left = OWN_TAGS.sub("", text)
            assert "<" not in left, (type(drawn).__name__, key, text)
            assert visible(left) == left, (type(drawn).__name__, key, text)


def test_long_names_leave_room_for_the_picture() -> None:
    for drawn in pictures(LONG, f"{LONG} or that?", "kg"):
        figure = drawn.plot()
        for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
            assert len(axis.title.text or "") <= 90, type(drawn).__name__
            assert all(len(str(tick)) <= 40 for tick in axis.ticktext or ()), type(drawn).__name__
            categories = axis.categoryarray if axis.categoryarray is not None else ()
            assert axis.ticktext is not None or all(len(str(one)) <= 40 for one in categories), type(drawn).__name__
        for trace in figure.data:
            assert len(trace.name or "") <= 40, type(drawn).__name__


def card_of(name: str, unit: str) -> str:
    fields = (
        SchemaField(name=f"{name} column", type=ColumnType.CATEGORY, levels=(f"{name}\nlevel", "b|c")),
        SchemaField(name="plain", type=ColumnType.NUMBER, minimum=1.0, maximum=2.0),
    )
    row = LeaderboardRow(model=name, family="TABM", role="network", rmse=2.0, mae=1.0, r2=0.5)
    recipe = Recipe(
        target=name, features=("plain",), unit=unit, split=Split(kind="time", column=name), cleaning=Cleaning()
    )
    counts = RowCounts(train=70, validation=15, test=15)
    manifest = Manifest(
        **{"name": name, "target": name, "unit": unit, "model": name, "family": "TABM"},
        inputs=Schema(fields=fields),
        versions={"python": "3.11", name: "1"},
        metrics=row,
        rows=counts,
        dataset_sha256_prefix="0" * 16,
    )
    base = row.model_copy(update={"model": "Ridge regression", "family": "RIDGE", "role": "baseline", "rmse": 3.0})
    result = TrainResult(
        leaderboard=(row, base),
        best_model=name,
        comparison=Comparison(baseline=base.model, improvement=0.3, interval=Interval(low=0.2, high=0.4)),
        rows=counts,
        plan=ResolvedPlan(),
        seconds=9.0,
    )
    experiment = Experiment(name=name, dataset_id="0" * 16, dataset_name=name, recipe=recipe, plan=default_plan())
    return model_card(manifest, experiment, result)


MARKUP = [
    '![i](http://127.0.0.1:9911/img.png) [l](javascript:alert(1)) <img src=x onerror="alert(1)"><script>x</script>',
    "https://evil.example www.evil.example a@evil.example `code` *b* _i_ ~~s~~ $x$ :red[x] | --- | &lt;b&gt;",
    "# heading \x1b[31m \u202e '\n--- \"",
    "[ref]: http://evil.example",
    "<http://evil.example>",
    "- item",
]


@pytest.mark.parametrize("name", MARKUP)
def test_the_model_card_has_no_other_markup_than_its_own(name: str) -> None:
    card, plain = card_of(name, name[:40]), card_of("price", "$")
    line = card.replace("\n", "").replace("\u2060", "")
    assert visible(line) == line
    _, front, body = card.split("---\n", 2)
    entry = yaml.safe_load(front)["model-index"][0]
    assert entry["name"] == clean_name(name)
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    found, expected = list(_tokens(parser.parse(body))), list(_tokens(parser.parse(plain.split("---\n", 2)[2])))
    assert Counter(kind for kind, _ in found) == Counter(kind for kind, _ in expected)
    for kind, text in found:
        assert kind != "text" or not ADDRESSES.search(text)
    seen = "".join(text for kind, text in found if kind == "text").replace("\u2060", "")
    seen = " ".join(seen.split())
    assert f"Predicts {clean_name(name)} in {clean_name(name[:40])} from" in seen


def _tokens(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    for token in tokens:
        if token.type == "inline":
            # Pieces of text that a backslash or an entity stands between are one.
            for kind, pieces in groupby(token.children or (), key=lambda child: child.type):
                yield kind, "".join(piece.content for piece in pieces)
        else:
            yield token.type, token.content
