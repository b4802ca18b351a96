"""Texts as figures: the same as scikit-learn's own pipeline makes, for every model, in new rows too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from dlreg_core.cleaning import Cleaner, ExpandTexts, fit_cleaner
from dlreg_core.cleaning.steps.text_features import TextTerms
from dlreg_core.specs import Cleaning, ColumnType

WORDS = ("red", "blue", "old", "new", "car", "van", "fast", "slow", "big", "small")
TYPES = {"ad": ColumnType.TEXT, "n": ColumnType.NUMBER}


def texts(rows: int = 300) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, 5)) + f" no {i}" for i in range(rows)]


def test_the_figures_are_those_of_latent_semantic_analysis() -> None:
    found = TextTerms.fit(texts())
    assert found is not None
    counter = TfidfVectorizer(
        ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", max_features=500, min_df=3, sublinear_tf=True
    )
    wanted = TruncatedSVD(12, random_state=0).fit_transform(counter.fit_transform(texts()))
    assert found.terms == tuple(counter.get_feature_names_out())
    assert np.abs(found.of(texts()) - wanted).max() < 1e-4


def test_a_cleaner_adds_them_and_keeps_the_text() -> None:
    frame = pd.DataFrame({"ad": [None, *texts()[1:]], "n": np.arange(300.0)})
    cleaner = fit_cleaner(frame, TYPES, Cleaning())
    again = Cleaner.model_validate_json(cleaner.model_dump_json())
    cleaned = again.transform(frame)
    added = [f"ad: words {number}" for number in range(1, 13)]
    assert [c for c in cleaned.columns if c.startswith("ad: words")] == added
    assert cleaned["ad"].iloc[1] == frame["ad"].iloc[1]
    assert cleaned[added].iloc[0].tolist() == [0.0] * 12
    assert cleaned[added].notna().all(axis=None)
    # A row alone and among others is the same, and a text of other words has no figures.
    alone = again.transform(pd.DataFrame({"ad": [frame["ad"].iloc[7]], "n": [1]}))
    np.testing.assert_allclose(alone[added].to_numpy()[0], cleaned[added].to_numpy()[7], atol=1e-12)
    assert again.transform(pd.DataFrame({"ad": [None], "n": [1]}))[added].iloc[0].tolist() == [0.0] * 12
    assert len(again.transform(frame.iloc[:0])) == 0
    assert again.transform(pd.DataFrame({"ad": ["quite different"], "n": [1]}))[added].iloc[0].tolist() == [0.0] * 12


@pytest.mark.parametrize("values", [["a1", "b2", "c3"], ["...", "!!", "??"], []])
def test_texts_without_common_words_get_no_figures(values: list[str]) -> None:
    assert TextTerms.fit(values) is None
    assert ExpandTexts.fit(pd.DataFrame({"x": pd.Series(values, dtype=object)}), ["x"]) is None


def test_a_few_words_have_fewer_figures() -> None:
    found = TextTerms.fit(["same thing"] * 5 + ["new thing"] * 5)
    assert found is not None
    assert found.terms == ("new", "new thing", "same", "same thing", "thing")
    same, new, other = found.of(["same thing", "new thing", "other"])
    assert same.shape == (4,)
    assert np.abs(same - new).max() > 0.5
    assert not other.any()
    assert TextTerms.fit(["same"] * 5) is None


def test_codes_of_one_word_get_no_figures() -> None:
    rng = np.random.default_rng(0)
    codes = [f"N{number}UA" for number in rng.integers(100, 400, 3_000)]
    assert TextTerms.fit(codes) is None
    # With a second word that others have too, they are texts.
    found = TextTerms.fit([f"{code} {rng.choice(WORDS)}" for code in codes])
    assert found is not None
    assert set(WORDS) <= set(found.terms)
