"""What all page tests share: the prediction process, which takes seconds to start, looks at no table here."""

from __future__ import annotations

import pytest

from dlreg_core.checks.recommended_split import SplitAdvice
from dlreg_core.runs.expectations import ModelOutlook, Outlook
from dlreg_core.scoring.client import Scorer
from pages._ui.prepare import starting_split

ROOMY = Outlook(
    rows=168,
    features=5,
    memory_mb=1200.0,
    memory_free_mb=21_000.0,
    disk_mb=60.0,
    disk_free_mb=900_000.0,
    models=(
        ModelOutlook(family="FASTAI", title="FastAI", fits=True, memory_mb=1000.0, seconds_fewest=3.0, epochs=30),
        ModelOutlook(
            family="TABM",
            title="TabM",
            fits=False,
            lacks="memory",
            reason="needs about 52 GB of memory, 21 GB are free",
            memory_mb=52_000.0,
            seconds_fewest=3.0,
        ),
    ),
    seconds_startup=8.0,
)


@pytest.fixture(autouse=True)
def outlook(monkeypatch: pytest.MonkeyPatch) -> list[Outlook]:
    """Answer every preflight with the first of these; a test may put another one there."""
    answers = [ROOMY]
    monkeypatch.setattr(Scorer, "preflight", lambda self, home, experiment: answers[0])
    return answers


@pytest.fixture(autouse=True)
def split_advice(monkeypatch: pytest.MonkeyPatch) -> list[SplitAdvice]:
    """Answer what every split would hide with the first of these, without a model; a test may put another one there."""
    answers = [SplitAdvice()]
    starting_split._measuring.clear()
    monkeypatch.setattr(starting_split, "PATIENCE", 60.0)
    monkeypatch.setattr(starting_split, "split_advice", lambda dataset, table, recipe: answers[0])
    return answers
