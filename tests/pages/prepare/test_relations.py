"""How a column goes with the target, as Prepare shows it, where its values are repaired first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.recipe.draft import Draft
from dlreg_core.specs import Cleaning, ColumnType
from pages._ui.prepare import draft_session
from tests.conftest import add_table


@pytest.mark.parametrize("mark", [".", ","])
def test_numbers_with_a_unit_are_read_by_their_decimal_mark(home: Path, mark: str) -> None:
    weight = np.random.default_rng(0).uniform(0.5, 30.0, 200)
    # Of two units, the table keeps the texts. Read with the other mark, "2,125 kg" is 2125 kg, and more than "12000 g".
    both = [(f"{value:.3f} kg", f"{1000 * value:.0f} g")[at % 2] for at, value in enumerate(weight)]
    texts = [text.replace(".", mark) for text in both]
    dataset = add_table(home, pd.DataFrame({"weight": texts, "price": 3 * weight}))
    cleaning = Cleaning(units={"weight": "kg"}, decimal=mark)
    draft = Draft(target="price", types={"weight": ColumnType.NUMBER}, cleaning=cleaning)
    (choice,) = draft_session.choices(dataset, draft)
    assert choice.relation > 0.99
