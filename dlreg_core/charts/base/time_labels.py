"""Moments and spans of time as people read them."""

from __future__ import annotations

import pandas as pd

from dlreg_core.specs import PartSpan


def moment_text(moment: float | str) -> str:
    """Return a date as "6 Oct 2024", with its hour where it has one; a number as it is."""
    if not isinstance(moment, str):
        return f"{moment:.15g}"
    day = pd.Timestamp(moment)
    return f"{day:%-d %b %Y}" if day == day.normalize() else f"{day:%-d %b %Y, %H:%M}"


def span_text(span: PartSpan) -> str:
    """Return what the rows of a part are of: "6 Oct 2024 to 30 Nov 2024", "12 groups"."""
    if span.groups:
        return "1 group" if span.groups == 1 else f"{span.groups:,} groups"
    if span.first is None or span.last is None:
        return ""
    first, last = moment_text(span.first), moment_text(span.last)
    return first if first == last else f"{first} to {last}"
