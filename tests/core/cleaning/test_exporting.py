"""Exports that a spreadsheet opens without running anything."""

from __future__ import annotations

import pandas as pd

from dlreg_core.cleaning import without_formulas


def test_what_looks_like_a_formula_is_made_text_and_nothing_else_changes() -> None:
    table = pd.DataFrame(
        {
            "=cmd": ["=1+1", "@SUM(A1)", "+49 30", "-5", "-x", None],
            "n": [-1.5, 2.0, None, 4.0, 5.0, 6.0],
            "c": pd.Categorical(["a", "\tb", "a", "a", "=c", "a"]),
        }
    )
    safe = without_formulas(table)
    assert list(safe.columns) == ["'=cmd", "n", "c"]
    assert safe["'=cmd"].fillna("").tolist() == ["'=1+1", "'@SUM(A1)", "'+49 30", "-5", "'-x", ""]
    assert safe["c"].tolist() == ["a", "'\tb", "a", "a", "'=c", "a"]
    pd.testing.assert_series_equal(safe["n"], table["n"])
    assert table["=cmd"][0] == "=1+1"
