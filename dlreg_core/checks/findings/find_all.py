"""All findings of a table, the most severe first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dlreg_core.checks.findings.column_quality import column_findings
from dlreg_core.checks.findings.duplicate_rows import row_findings
from dlreg_core.checks.findings.finding import Finding
from dlreg_core.checks.findings.label_variants import inconsistent_labels
from dlreg_core.checks.findings.leakage import leak_findings
from dlreg_core.checks.findings.row_sample import as_seen, draw
from dlreg_core.checks.findings.sentinel_values import capped, disguised, missing, missing_codes, too_large
from dlreg_core.checks.findings.summary_rows import total_row
from dlreg_core.checks.findings.target_shape import target_findings
from dlreg_core.checks.findings.time_drift import feature_drift
from dlreg_core.ingest.inference import in_seconds
from dlreg_core.specs import Dataset

_SEVERITIES = ("high", "medium", "low")


def findings(dataset: Dataset, table: pd.DataFrame, target: str | None = None) -> tuple[Finding, ...]:
    """Look through a table.

    Parameters
    ----------
    dataset : Dataset
        Its profile.
    table : pandas.DataFrame
        Its rows, or those that stand for all: then what is counted is counted in these, but for missing values and
        repeated rows, which the profile knows.
    target : str, optional
        The column to predict: with it, what gives it away and what is odd about it is found too.

    Returns
    -------
    tuple of Finding
        The most severe ones first.

    Raises
    ------
    KeyError
        If there is no column called `target`.
    """
    if target is not None:
        dataset.column(target)
        dataset, table = in_seconds(dataset, table, target)
    # The squares of the largest floats are infinite; what can't be measured is no finding.
    with np.errstate(over="ignore", invalid="ignore"):
        found = tuple(_all(dataset, table, target))
    return tuple(sorted(found, key=lambda finding: _SEVERITIES.index(finding.severity)))


def _all(dataset: Dataset, table: pd.DataFrame, target: str | None) -> Iterator[Finding]:
    whole, dataset = dataset, as_seen(dataset, table)
    codes = missing_codes(dataset, table)
    sample = draw(dataset, table, codes, target)
    if target is not None:
        yield from leak_findings(sample, target)
        yield from target_findings(dataset, table, target, codes.get(target, frozenset()))
    yield from disguised(codes)
    yield from capped(dataset, table, target)
    yield from too_large(dataset, table, target)
    yield from total_row(whole, table, target)
    yield from missing(whole)
    yield from row_findings(dataset, table, target, whole)
    yield from inconsistent_labels(dataset, table)
    yield from column_findings(sample, target)
    yield from feature_drift(sample, target)
