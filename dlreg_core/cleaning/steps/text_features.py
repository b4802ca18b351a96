"""Texts become numbers: which words and pairs of words they hold, in a few figures each.

AutoGluon counts n-grams itself, but NN Torch, FastAI and Feed-forward leave these counts out, and boosted trees and
ridge regression never see them. These figures are numbers like all others, so that every model learns from texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats
from dlreg_core.cleaning.steps.step_helpers import marked_name
from dlreg_core.specs import Spec

_MOST_TERMS = 500
_MOST_FIGURES = 12
_FEWEST_ROWS = 3
"""A term that fewer texts hold is chance."""
_MOST_ROWS = 20_000

_FEWEST_WORDS = 1.5
"""Words that a text shares with others, on average. With about one it is a name or a code, such as an aircraft's: its
figures would only tell the twelve most frequent ones, and networks have it as a category already."""


class TextTerms(Spec):
    """What is looked for in one column of texts.

    Attributes
    ----------
    terms : tuple of str
        Words and pairs of words.
    weights : tuple of float
        The inverse document frequency of each.
    figures : tuple of tuple of float
        For each term, what it adds to each figure.
    """

    terms: tuple[str, ...]
    weights: tuple[float, ...]
    figures: tuple[tuple[float, ...], ...]

    @classmethod
    def fit(cls, texts: Sequence[str]) -> TextTerms | None:
        """Choose terms and figures from training texts; None where they have hardly any words in common.

        Notes
        -----
        Latent semantic analysis (Deerwester et al. 1990): the 500 most frequent words and pairs of words, weighted by
        how rare they are, in the 12 directions at most in which texts differ most (truncated SVD).
        """
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import CountVectorizer

        if len(texts) > _MOST_ROWS:
            kept = np.random.default_rng(0).choice(len(texts), _MOST_ROWS, replace=False)
            texts = [texts[place] for place in np.sort(kept).tolist()]
        counter = CountVectorizer(max_features=_MOST_TERMS, min_df=_FEWEST_ROWS, **_words())
        try:
            counts = counter.fit_transform(texts)
        except ValueError:
            # No term is left: there are no words, or no two texts share one.
            return None
        terms = counter.get_feature_names_out().tolist()
        words = np.array([" " not in term for term in terms])
        if (counts[:, words] > 0).sum() < _FEWEST_WORDS * len(texts):
            return None
        held = np.asarray((counts > 0).sum(axis=0)).ravel()
        weights = np.log((1 + len(texts)) / (1 + held)) + 1
        svd = TruncatedSVD(min(_MOST_FIGURES, len(terms) - 1), random_state=0).fit(_weighted(counts, weights))
        figures = svd.components_.T
        return cls(
            terms=tuple(terms),
            weights=tuple(np.round(weights, 6).tolist()),
            figures=tuple(tuple(line) for line in np.round(figures, 6).tolist()),
        )

    def of(self, texts: Sequence[str]) -> Floats:
        """Return the figures of some texts, shape (texts, figures); zeros for one without any of the terms."""
        from sklearn.feature_extraction.text import CountVectorizer

        if not texts:
            return np.zeros((0, len(self.figures[0])))
        counts = CountVectorizer(vocabulary=list(self.terms), **_words()).transform(texts)
        found: Floats = np.asarray(_weighted(counts, np.array(self.weights)) @ np.array(self.figures))
        return found


class ExpandTexts(Spec):
    """Add the figures of texts; the texts themselves stay, for the networks that count terms."""

    kind: Literal["expand_texts"] = "expand_texts"
    columns: dict[str, TextTerms]

    @classmethod
    def fit(cls, frame: pd.DataFrame, columns: list[str]) -> ExpandTexts | None:
        """Choose what to look for from training rows; None where no column has words in common."""
        fitted = {column: TextTerms.fit(frame[column].dropna().astype(str).tolist()) for column in columns}
        found = {column: terms for column, terms in fitted.items() if terms is not None}
        return cls(columns=found) if found else None

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the figures added; a missing text has none."""
        added: dict[str, Floats] = {}
        for column, terms in self.columns.items():
            # Explanations ask for the same few texts over and over.
            codes, texts = pd.factorize(frame[column])
            figures = np.vstack([terms.of([str(text) for text in texts]), np.zeros((1, len(terms.figures[0])))])
            for number in range(figures.shape[1]):
                added[marked_name(f"{column}: words {number + 1}", frame)] = figures[codes, number]
        return frame.join(pd.DataFrame(added, index=frame.index))


def _words() -> dict[str, Any]:
    # Single letters and digits count as words as well: part numbers and sizes say much.
    return {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b", "dtype": np.float64}


def _weighted(counts: Any, weights: Floats) -> Any:
    """Return counts weighted by rarity, each text to the length 1."""
    from sklearn.preprocessing import normalize

    counts = counts.copy()
    counts.data = 1 + np.log(counts.data)
    return normalize(counts.multiply(weights).tocsr())
