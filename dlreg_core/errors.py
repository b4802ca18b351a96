"""Every error that dlreg raises on purpose.

::

    DlregError
    ├── InputError            something that was handed in can't be used
    │   ├── TableError        a file that is no readable table
    │   ├── RecipeError       a target, column, step or split that can't work on this table
    │   ├── PlanError         a budget, network or setting that can't be honoured
    │   ├── RowsError         rows that don't fit the model they are given to
    │   └── BundleError       a model file that is damaged, foreign or made by other versions
    ├── NotFoundError         a data set, run, task or model that isn't there
    ├── ConflictError         not possible in the present state of a run
    └── WorkError             work that was started and could not be finished
        ├── FetchError        weights of a pre-trained network that could not be fetched
        ├── TrainingError     no network could be trained
        └── ScorerError       the prediction process failed

A message is one sentence for a person: what happened and where. ``hint`` says what to do about it. The technical
detail travels as ``__cause__``.
"""

from __future__ import annotations


class DlregError(Exception):
    """Base of all errors that dlreg raises on purpose.

    Parameters
    ----------
    message : str
        One plain sentence: what happened, and where.
    hint : str, optional
        One plain sentence: what to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(DlregError):
    """Something that was handed in can't be used."""


class TableError(InputError):
    """A file that is no readable table."""


class RecipeError(InputError):
    """A target, column, cleaning step or split that can't work on this table."""


class PlanError(InputError):
    """A budget, network or setting that can't be honoured."""


class RowsError(InputError):
    """Rows that don't fit the model they are given to."""


class BundleError(InputError):
    """A model file that is damaged, foreign or made by other versions."""


class NotFoundError(DlregError):
    """A data set, run, task or model that isn't there."""


class ConflictError(DlregError):
    """Not possible in the present state of a run."""


class WorkError(DlregError):
    """Work that was started and could not be finished."""


class FetchError(WorkError):
    """Weights of a pre-trained network that could not be fetched."""


class TrainingError(WorkError):
    """No network could be trained."""


class ScorerError(WorkError):
    """The prediction process failed."""
