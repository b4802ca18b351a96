"""What a person should look at in a table before anything is learned from it.

Every finding has a code by which a program knows it:

=======================  ==============================================================================================
``target-leak``          columns that give the target away, alone or added up
``disguised-missing``    numbers such as -999 that stand for a missing value
``capped-target``        many rows share the target's highest value
``skewed-target``        a few extreme values rule the target's variance
``time-drift``           the target is higher or lower in the latest rows than in the earliest
``time-order``           rows have a date, or repeat a thing: a random split would flatter
``duplicates``           rows that repeat an earlier one
``near-duplicates``      rows that are all but equal, or equal in everything but the target
``inconsistent-labels``  one label written in several ways
``missing``              values are missing
``capped``               many rows share a column's highest value
``correlated``           columns that carry the same information
``rare-levels``          levels with too few rows to learn from
``identifier``           a column that only tells rows apart
``constant``             a column that never changes
``note``                 what the reader of the file noted about a column
=======================  ==============================================================================================
"""

from __future__ import annotations

from dlreg_core.ingest.findings.finding import Finding, Severity
from dlreg_core.ingest.findings.looking import findings

__all__ = ["Finding", "Severity", "findings"]
