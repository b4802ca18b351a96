"""Columns made of earlier rows."""

from __future__ import annotations

from dlreg_core.cleaning.lags.lag_columns import Places

__all__ = [
    "Places",
]
