from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dlreg_core.errors import RowsError
from dlreg_core.evaluation.kept_models import load_cleaner
from dlreg_core.runs import RunFolder
from dlreg_core.scoring.bulk import find_model_file, make_model_file, model_file_path, predict_table
from dlreg_core.scoring.client import Scorer
from tests.conftest import small_table
from tests.pages.opening import copied


@pytest.fixture
def scorer() -> Iterator[Scorer]:
    client = Scorer()
    yield client
    client.close()


def test_a_table_is_predicted_as_its_rows_are(trained: RunFolder, scorer: Scorer) -> None:
    cleaner = load_cleaner(trained)
    rows = small_table(40, seed=3).drop(columns=["price"]).assign(low="mine", place="mars")
    predicted = predict_table(scorer, trained, rows, cleaner, "FastAI")
    assert predicted.added == ("prediction", "low_2", "high")
    assert len(predicted.table) == 40
    alone = scorer.predict(trained, rows.iloc[[7]], "FastAI").predictions[0]
    assert predicted.table["prediction"].iloc[7] == pytest.approx(alone, rel=1e-5)
    assert any("place" in warning for warning in predicted.warnings)


def test_a_missing_column_is_told_without_starting_a_process(trained: RunFolder) -> None:
    cleaner = load_cleaner(trained)
    with pytest.raises(RowsError, match="no column size"):
        predict_table(Scorer(), trained, small_table(20).drop(columns=["size"]), cleaner, "FastAI")


def test_the_model_file_is_made_once(trained: RunFolder, scorer: Scorer, tmp_path: Path) -> None:
    run = copied(trained, tmp_path / "home")
    assert find_model_file(run, "Mean") is None
    made = make_model_file(scorer, run, "Mean")
    path = model_file_path(run, "Mean")
    assert made.path == str(path)
    assert path == run.home / "cache" / "exports" / f"{run.id}-mean.zip"
    assert np.isclose(made.size_mb, path.stat().st_size / 1e6)
    assert find_model_file(run, "Mean") == made
    scorer.close()
    assert make_model_file(Scorer(), run, "Mean") == made
