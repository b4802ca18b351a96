"""Moments and durations that a file holds as such → timestamps in nanoseconds, and seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.times.date_cells import FIRST_YEAR, LAST_YEAR

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_OPEN = datetime(1753, 1, 1)


@dataclass(frozen=True)
class UsableMoments:
    """Timestamps in nanoseconds, null where one is out of range; how many are, and one of them."""

    values: pa.TimestampArray
    far: int = 0
    example: str = ""


def usable_moments(raw: pa.ChunkedArray) -> UsableMoments:
    """Return moments or days of any type as timestamps; what is out of their range becomes null."""
    plain = raw.cast(_plain(raw.type))
    low, high, special = (
        pa.scalar(moment, plain.type) for moment in (datetime(FIRST_YEAR, 1, 1), datetime(LAST_YEAR + 1, 1, 1), _OPEN)
    )
    far = pc.or_(pc.or_(pc.less(plain, low), pc.greater_equal(plain, high)), pc.equal(plain, special))
    count = int(pc.sum(far).as_py() or 0)
    # An array of nulls of this very type: a null alone has none in every version.
    kept = pc.if_else(far, pa.scalar(None, plain.type), plain) if count else plain
    example = _written(plain.filter(pc.fill_null(far, False))[0]) if count else ""
    return UsableMoments(one_chunk(kept.cast(pa.timestamp("ns"))), count, example)


def seconds_of(raw: pa.ChunkedArray) -> pa.Array:
    """Return durations as seconds: whole ones where the type holds nothing else."""
    counted, per = raw.cast(pa.int64()), _PER_SECOND[raw.type.unit]
    return one_chunk(counted if per == 1 else pc.divide(counted.cast(pa.float64(), safe=False), float(per)))


def one_chunk(values: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    found = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type in which nothing is lost; with a zone, Arrow's values are UTC already, and it is left away."""
    if pa.types.is_date32(kind):
        return pa.timestamp("s")
    return pa.timestamp("ms" if pa.types.is_date64(kind) else kind.unit)


def _written(moment: pa.Scalar) -> str:
    """Return a moment as text, without its time at midnight; Python's own dates end in 9999."""
    text: str = moment.cast(pa.string()).as_py()
    return text.split(" ", maxsplit=1)[0] if set(text[10:]) <= set(" 0:.") else text
