"""What a person should look at in a table before anything is learned from it.

Every finding has a code by which a program knows it:

=======================  ==============================================================================================
``target-leak``          columns that give the target away, alone or added up
``disguised-missing``    numbers such as -999 that stand for a missing value
``capped-target``        many rows share the target's highest value
``skewed-target``        a few extreme values rule the target's variance
``time-drift``           the target is higher or lower in the latest rows than in the earliest
``feature-drift``        columns whose values change from the earliest rows to the latest
``time-order``           rows have a date, or repeat a thing: a random split may flatter
``duplicates``           rows that repeat an earlier one
``near-duplicates``      rows that are all but equal, or equal in everything but the target
``inconsistent-labels``  one label written in several ways
``missing``              values are missing
``capped``               many rows share a column's highest value
``correlated``           columns that carry the same information
``rare-levels``          levels with too few rows to learn from
``identifier``           a column that only tells rows apart
``constant``             a column that never changes
``mixed-units``          numbers with several units, which are left as text
``ambiguous-dates``      dates that fit two orders of day and month
``leading-zeros``        digits that are codes, since some begin with 0
``not-numbers``          a few values that keep a column from being numbers
``unit-missing``         a few numbers without the unit that the others have
``not-finite``           infinite values, which count as missing
``too-large``            numbers that no model can compute with, which count as missing
``many-texts``           texts that are too many for a category
=======================  ==============================================================================================
"""

from __future__ import annotations

from dlreg_core.ingest.findings.finding import Finding, Repair, Severity
from dlreg_core.ingest.findings.looking import findings

__all__ = ["Finding", "Repair", "Severity", "findings"]
