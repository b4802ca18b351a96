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
``date-forms``           dates that are written in several ways
``open-dates``           dates such as 9999-12-31, which count as missing
``exchanged-dates``      cells of a workbook whose day and month a spreadsheet has exchanged
``half-dates``           cells of a workbook that are partly dates and partly texts
``not-dates``            a few values that keep a column from being dates; likewise ``not-times``, ``not-durations``
``maybe-dates``          values that may be dates, or versions
``durations``            times that are read as a number of seconds
``times``                times of day that may be durations
``leading-zeros``        digits that are codes, since some begin with 0
``not-numbers``          a few values that keep a column from being numbers
``ambiguous-decimals``   numbers that fit both decimal marks, where nothing in the file settles it
``renamed``              names that are cleaned: they stand otherwise in the file
``total-row``            a last row that is the sum of the others
``no-results``           formulas of a workbook whose results the file doesn't hold
``sign-words``           amounts with CR or DR, and which of them counts as negative
``magnitudes``           numbers with K, M or B, which multiply them
``unit-missing``         a few numbers without the unit that the others have
``not-finite``           infinite values, which count as missing
``too-large``            numbers that no model can compute with, which count as missing
``many-texts``           texts that are too many for a category
=======================  ==============================================================================================
"""

from __future__ import annotations

from dlreg_core.checks.findings.find_all import findings
from dlreg_core.checks.findings.finding import Finding, Repair, Severity, listed_names, part_words

__all__ = [
    "Finding",
    "Repair",
    "Severity",
    "findings",
    "listed_names",
    "part_words",
]
