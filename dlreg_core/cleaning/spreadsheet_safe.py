"""Tables for others: a spreadsheet that opens them must run nothing of what they hold."""

from __future__ import annotations

import pandas as pd

_STARTS = r"^[=+\-@\t\r]"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts and names no spreadsheet takes for formulas: an apostrophe stands before those.

    Notes
    -----
    What begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return is run by some spreadsheet (OWASP, "CSV
    Injection"); numbers are left as they are.
    """
    safe = table.copy()
    for column in safe.select_dtypes(include=["object", "string", "category"]).columns:
        safe[column] = _harmless(safe[column].astype("string"))
    safe.columns = pd.Index(_harmless(pd.Series(safe.columns.astype(str), dtype="string")))
    return safe


def _harmless(text: pd.Series) -> pd.Series:
    risky = text.str.match(_STARTS, na=False) & ~text.str.match(_NUMBER, na=False)
    return text.where(~risky, "'" + text)
