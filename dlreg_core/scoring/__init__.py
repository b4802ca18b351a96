"""The warm process that predicts, and its light client."""

from __future__ import annotations

from dlreg_core.scoring.bulk import PredictedTable, find_model_file, make_model_file, model_file_path, predict_table
from dlreg_core.scoring.client import Scored, Scorer, open_scorer

__all__ = [
    "PredictedTable",
    "Scored",
    "Scorer",
    "find_model_file",
    "make_model_file",
    "model_file_path",
    "open_scorer",
    "predict_table",
]
