"""The data sets of one owner: what they take, which runs use them, and how they are deleted with all copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.ingest.datasets import DatasetStore
from dlreg_core.ingest.uploads import KeptData, copies, delete_uploads, kept_data, opened_at
from dlreg_core.recipe import delete_drafts, drafted, forget_test_file, judged_by_drafts
from dlreg_core.runs import Calendar, RunStore, RunSummary
from dlreg_core.specs import Experiment

_DAY = 24 * 3600.0
_NAMED = 3

Runs = list[RunSummary]
WithRuns = Literal["refuse", "delete", "keep"]


class DatasetService:
    """The data sets of one owner; those of others don't exist here.

    Parameters
    ----------
    runs : RunStore
        The runs of the home.
    owner : str, optional
        Whose data sets these are; those of all without it.
    """

    def __init__(self, runs: RunStore, owner: str | None = None) -> None:
        self._runs, self._owner = runs, owner
        self._tables = DatasetStore(runs.home, owner)

    def list(self) -> tuple[KeptData, ...]:
        """Return the data sets with the runs that use them, the one that was opened last first."""
        uses, same = self._uses(), copies(self._tables)
        found = []
        for name in self._tables.identifiers():
            try:
                kept = kept_data(self._tables, name)
                found.append(replace(kept, runs=tuple(uses[name]), copies=same.get(name, ())))
            except (NotFoundError, FileNotFoundError):
                # Deleted at this moment.
                continue
        return tuple(sorted(found, key=lambda one: (one.opened, one.dataset_id), reverse=True))

    def get(self, dataset_id: str) -> KeptData:
        """Return a data set with the runs that use it; `NotFoundError` if there is none."""
        same = copies(self._tables).get(dataset_id, ())
        return replace(kept_data(self._tables, dataset_id), runs=tuple(self._uses()[dataset_id]), copies=same)

    def has(self, experiment: Experiment) -> bool:
        """Tell whether the data that a run learned from, and was judged by, is still there."""
        needed = {experiment.dataset_id, experiment.recipe.split.test_dataset} - {None}
        return needed <= {*self._tables.identifiers()}

    def delete(self, dataset_id: str, runs: WithRuns = "refuse") -> KeptData:
        """Delete a data set with its draft, what is left of its upload, and copies of its rows.

        Parameters
        ----------
        dataset_id : str
            Which one. The same file read in another way is another one, and stays.
        runs : {"refuse", "delete", "keep"}
            What becomes of the runs that use it. Those that are kept lose what shows rows: their explanations and the
            model files that were made here. Their models, predictions and figures still hold values of the rows.

        Returns
        -------
        KeptData
            What it was.

        Raises
        ------
        NotFoundError
            If there is none.
        ConflictError
            If a run that uses it waits or goes on, or if runs use it and nothing is said of them.
        """
        found = self.get(dataset_id)
        live = [run for run in found.runs if self._is_live(run)]
        if live:
            raise ConflictError(f"{_named(live)} still needs this data.", "Cancel it, or wait until it has ended.")
        if found.runs and runs == "refuse":
            raise ConflictError(
                f"{_named(found.runs)} used this data.", "Say whether the runs that used it are deleted too, or kept."
            )
        for run in found.runs:
            # One whose folder is gone has nothing left.
            with suppress(NotFoundError):
                if runs == "delete":
                    self._runs.delete(run.run_id)
                else:
                    self._runs.delete_rows(run.run_id)
        delete_drafts(self._runs.home, self._owner, dataset_id)
        self._tables.delete(dataset_id)
        if not self._tables.folder(dataset_id).exists():
            forget_test_file(self._runs.home, dataset_id)
        delete_uploads(self._runs.home, dataset_id)
        self._runs.index.wipe()
        return found

    def is_drafted(self, dataset_id: str) -> bool:
        """Tell whether it is kept what was prepared of a data set."""
        return drafted(self._runs.home, dataset_id, self._owner) > 0

    def delete_draft(self, dataset_id: str) -> None:
        """Delete what was prepared of a data set, which itself stays.

        Raises
        ------
        NotFoundError
            If there is no such data set, or nothing was prepared of it.
        """
        name = self.get(dataset_id).name
        if not self.is_drafted(dataset_id):
            raise NotFoundError(f"Nothing is kept of what was prepared of {name}.", "There is nothing to delete.")
        delete_drafts(self._runs.home, self._owner, dataset_id)

    def old(self, keep_days: float, calendar: Calendar) -> tuple[str, ...]:
        """Return the data sets that no run uses and nobody has opened or prepared for `keep_days`; with 0, none.

        Only days count that the calendar is certain of.
        """
        if keep_days <= 0:
            return ()
        home = self._runs.home
        used = {*self._uses(), *judged_by_drafts(home)}
        return tuple(
            name
            for name in self._tables.identifiers()
            if name not in used
            and calendar.age(max(opened_at(self._tables.folder(name)), drafted(home, name))) > keep_days * _DAY
        )

    def _uses(self) -> defaultdict[str, Runs]:
        """Return the runs by the data sets that they learned from, or were judged by."""
        found: defaultdict[str, Runs] = defaultdict(Runs)
        for run in self._runs.index.list(self._owner):
            for name in {run.dataset_id, self._own_test(run)} - {""}:
                found[name].append(run)
        return found

    def _own_test(self, run: RunSummary) -> str:
        try:
            return self._runs.folder(run.run_id).experiment().recipe.split.test_dataset or ""
        except NotFoundError:
            # Damaged, or written by another version.
            return ""

    def _is_live(self, run: RunSummary) -> bool:
        try:
            return self._runs.is_live(run.run_id)
        except NotFoundError:
            return False


def _named(runs: Sequence[RunSummary]) -> str:
    """Return some runs by name: "The run a", "Each of the runs a, b, c and 2 more"."""
    names = ", ".join(run.name for run in runs[:_NAMED])
    more = f" and {len(runs) - _NAMED} more" if len(runs) > _NAMED else ""
    return f"The run {names}" if len(runs) == 1 else f"Each of the runs {names}{more}"
