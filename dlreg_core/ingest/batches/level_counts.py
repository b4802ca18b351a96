"""The distinct values of a column of texts, counted batch by batch within a limit of memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.ingest.inference.column_type import looks_like_identifier
from dlreg_core.ingest.inference.numbers.text_numbers import Coded, ValueCounts

MOST_LEVELS = 100_000
"""Beyond so many different texts only those seen until then are counted; of the others it is known how many differ."""

_MISSING = np.uint64(0xC2B2AE3D27D4EB4F)


class LevelCounter:
    """Counts the values of one column of texts; with `all_levels`, however many differ."""

    def __init__(self, name: str, *, all_levels: bool = False) -> None:
        self._name = name
        self._all_levels = all_levels
        self._counts: dict[str, int] = {}
        self._hashes: list[NDArray[np.uint64]] = []
        self._rows = 0
        self._many = False
        self._like_identifiers = True

    def add(self, coded: Coded) -> NDArray[np.uint64]:
        """Count the values of a batch; return a hash of each row's."""
        levels = coded.levels.to_pylist()
        hashed = pd.util.hash_array(np.array(levels, dtype=object), categorize=False) if levels else np.empty(0, "u8")
        hashed = hashed.astype(np.uint64)
        counts = coded.tally.counts
        self._rows += len(coded.codes)
        self._count(levels, counts.tolist())
        self._hashes.append(hashed)
        if self._like_identifiers:
            self._like_identifiers = looks_like_identifier(self._name, coded.levels)
        if len(self._hashes) >= 64:
            self._merge()
        places = coded.codes.fill_null(len(levels)).to_numpy(zero_copy_only=False)
        spread: NDArray[np.uint64] = np.append(hashed, _MISSING)[places]
        return spread

    def _count(self, levels: list[str], counts: list[int]) -> None:
        known = self._counts
        for level, count in zip(levels, counts, strict=True):
            if level in known:
                known[level] += count
            elif not self._many:
                known[level] = count
        self._many = self._many or (len(known) > MOST_LEVELS and not self._all_levels)

    def _merge(self) -> None:
        self._hashes = [np.unique(np.concatenate(self._hashes))] if self._hashes else []

    @property
    def many(self) -> bool:
        """Whether there are more different texts than are kept."""
        return self._many

    @property
    def distinct(self) -> int:
        """How many different texts there are."""
        if not self._many:
            return len(self._counts)
        self._merge()
        return len(self._hashes[0])

    @property
    def like_identifiers(self) -> bool:
        """Whether all texts look like names or numbers of things."""
        return self._like_identifiers

    def tally(self) -> ValueCounts:
        """Return the texts that are kept, in the order in which they came, and their counts."""
        levels = pa.array(list(self._counts), pa.string())
        return ValueCounts(levels, np.array(list(self._counts.values()), dtype=np.int64), self._rows)
