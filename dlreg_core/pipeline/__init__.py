"""What predicts: the fitted cleaning, the networks, and the intervals around what they say."""

from __future__ import annotations

from dlreg_core.pipeline.horizon_interval import IntervalsAhead
from dlreg_core.pipeline.pipeline_spec import PipelineModel, PipelineSpec, read_pipeline_spec
from dlreg_core.pipeline.prediction_interval import PredictionInterval
from dlreg_core.pipeline.quiet_libraries import silence_libraries

__all__ = [
    "IntervalsAhead",
    "PipelineModel",
    "PipelineSpec",
    "PredictionInterval",
    "read_pipeline_spec",
    "silence_libraries",
]
