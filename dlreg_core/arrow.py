"""Arrow's modules as type checkers can bear them: their functions are made at run time or lack annotations."""

from __future__ import annotations

from typing import Any

import pyarrow.compute
import pyarrow.csv
import pyarrow.fs
import pyarrow.parquet

compute: Any = pyarrow.compute
csv: Any = pyarrow.csv
fs: Any = pyarrow.fs
parquet: Any = pyarrow.parquet
