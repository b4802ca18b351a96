"""Arrow's modules as type checkers can bear them, whose functions lack annotations, and its truths as numpy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.fs
import pyarrow.parquet
from numpy.typing import NDArray

compute: Any = pyarrow.compute
csv: Any = pyarrow.csv
fs: Any = pyarrow.fs
parquet: Any = pyarrow.parquet


def bools(values: pa.BooleanArray) -> NDArray[np.bool_]:
    """Return truths, none of them missing, as those of numpy."""
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)
