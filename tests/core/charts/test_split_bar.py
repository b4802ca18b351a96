from __future__ import annotations

from dlreg_core.charts.data.split_bar import SplitBar
from dlreg_core.specs import RowCounts


def test_the_bar_shows_the_three_parts() -> None:
    bar = SplitBar(RowCounts(train=14_448, validation=3_096, test=3_096))
    assert bar.frame()["rows"].tolist() == [14_448, 3_096, 3_096]
    assert bar.alt == "Rows by part: train 14,448, validation 3,096, test 3,096."
    figure = bar.plot()
    assert [trace.x[0] for trace in figure.data] == [14_448, 3_096, 3_096]
    assert tuple(figure.layout.xaxis.range) == (0, 20_640)


def test_a_narrow_part_has_no_text() -> None:
    figure = SplitBar(RowCounts(train=96, validation=2, test=2)).plot()
    assert [bool(trace.text) for trace in figure.data] == [True, False, False]


def test_no_rows_are_no_error() -> None:
    bar = SplitBar(RowCounts(train=0, validation=0, test=0))
    assert bar.frame()["share"].tolist() == [0, 0, 0]
    assert bar.alt == "Rows by part: train 0, validation 0, test 0."
    assert [(trace.x[0], trace.text) for trace in bar.plot().data] == [(0, "")] * 3
