"""What a family of networks is: everything that the rest of the program needs to know of one.

A family is an object of a class of its own, in a module of its own. The rest of the program goes through those that
`dlreg_core.networks.registry` knows and names none of them. No deep learning library is imported by a family's module,
so that pages and the command line can describe it at once; its adapter (`Family.model_class` and what follows) imports
what it needs when a network is trained or read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from dlreg_core.errors import PlanError
from dlreg_core.networks.setting_spec import Setting

if TYPE_CHECKING:
    from autogluon.core.models import AbstractModel

    from dlreg_core.networks.epoch_watch import EpochWatch

LARGE_TABLE = 50_000
"""Training rows from which on batches are made larger, since steps, not epochs, cost the time."""

_MIXED_PRECISION_ROWS = 100_000
"""Training rows from which on a GPU computes in mixed precision: with fewer, steps are too small to gain by it, and
tables without noise need all digits."""

_MOST_FEWEST = 3
"""A table however small asks for no more than this multiple of the fewest useful passes."""

_STEPS_OF_A_PASS = 60
"""Steps in a pass over a table of the size at which the fewest useful passes were measured: some 15,000 rows."""

Patch = tuple[Any, str, Any]
"""Whose attribute is replaced while a network is trained, its name, and what it is replaced by."""


@dataclass(frozen=True)
class Size:
    """Settings of a network size, and the time of its epochs relative to the family's smallest one on a CPU."""

    settings: dict[str, Any]
    cost: float = 1.0


@dataclass(frozen=True)
class Cost:
    """What a family's smallest network costs on one processor thread.

    Attributes
    ----------
    fixed, fixed_row, fixed_cell : float
        Seconds of a training whatever its epochs, of each of its rows, and of each value in them.
    step, row, cell : float
        Seconds of a batch, a row and a value in every epoch.
    libraries_mb : float
        What the family's libraries and its first step add to a worker.
    row_kb : float
        What every row adds beyond AutoGluon's estimate.
    process_mb, table_share : float
        The process that AutoGluon's estimate contains already, and how much of the rest of it was ever seen.
    disk_mb, feature_disk_mb : float
        Size of the kept network, and of each feature in it.

    Notes
    -----
    Least-squares fits to trainings on 300 to 300,000 rows with 5 to 300 columns; most were met within 20 %.
    """

    fixed: float
    fixed_row: float
    fixed_cell: float
    step: float
    row: float
    cell: float
    libraries_mb: float
    row_kb: float
    process_mb: float
    table_share: float
    disk_mb: float
    feature_disk_mb: float


@dataclass(frozen=True)
class Loss:
    """What a family is taught by.

    Attributes
    ----------
    setting : str
        AutoGluon's setting that names the loss; empty where there is no choice.
    usual : {"mse", "mae"}
        The loss where that setting isn't given.
    standardised : bool
        Whether it is one of the standardised target; of the target in its own unit otherwise.
    """

    setting: str = ""
    usual: str = "mse"
    standardised: bool = True

    def of(self, settings: Mapping[str, Any]) -> Any:
        """Return which loss a training with these settings of AutoGluon has."""
        return settings.get(self.setting, self.usual) if self.setting else self.usual


@dataclass(frozen=True, kw_only=True)
class BaseFamily:
    """What networks that are trained here and those that were before have in common.

    Attributes
    ----------
    key : str
        AutoGluon's key.
    title : str
        Name on the leaderboard.
    summary : str
        What it is, in two sentences.
    paper : str
        Where it was described.
    requirements : tuple of str
        Packages, with their extras, without which a network of it can't be read back.
    preload : tuple of str
        Modules that take long to load and are wanted as soon as a network of it is read back.
    """

    key: str
    title: str
    summary: str
    paper: str
    requirements: tuple[str, ...] = ("autogluon.tabular", "torch")
    preload: tuple[str, ...] = ()

    def model_class(self) -> type[AbstractModel]:
        """Return AutoGluon's class of its networks."""
        from autogluon.tabular.registry import ag_model_registry

        found: type[AbstractModel] = ag_model_registry.key_to_cls(self.key)
        return found

    def model_settings(self, settings: Mapping[str, Any], target_std: float) -> dict[str, Any]:  # noqa: ARG002
        """Return settings as the model takes them, where only torch can express some of them.

        Parameters
        ----------
        settings : mapping
            AutoGluon's settings, plain values all of them.
        target_std : float
            Standard deviation of the training target, in its unit.
        """
        return dict(settings)

    @contextmanager
    def training(self, model: AbstractModel, watch: EpochWatch | None) -> Iterator[None]:  # noqa: ARG002
        """Let `watch` hear of a single fit of `model` inside the block, and end it where it says so.

        A training is ended by the family's own means, its early stopping or its time limit, so that what is kept is
        what the family itself would keep: the network of the best epoch so far.
        """
        yield


@dataclass(frozen=True, kw_only=True)
class Family(BaseFamily):
    """A family that is trained here: what it is, what it costs, and how AutoGluon trains it.

    Attributes
    ----------
    licence : str
        The licence of the code.
    epochs_setting, batch_setting, seed_setting : str
        AutoGluon's names of these settings.
    fewest_epochs : int
        Below this number of passes over the rows of a middling table the network isn't worth its time; see `fewest`.
    enough_epochs : int
        More passes than this over the rows of a middling table hardly ever help; see `enough`.
    most_epochs : int
        The same for the smallest tables, of which a pass teaches little.
    has_schedule : bool
        True where the learning rate follows a schedule over all epochs, which must not be cut.
    weight : float
        Share of the budget relative to the other families.
    batches : tuple of (int, int)
        Numbers of training rows, and the rows of one training step from there on: small tables want many small steps,
        large ones can afford large steps.
    cost : Cost
        What its smallest network costs.
    offered : tuple of Setting
        The settings that it really honours, in the order in which they are shown.
    loss : Loss
        What it is taught by.
    sizes : tuple of Size
        From the smallest to the largest network; the largest one for which a long training fits is taken.
    variants : tuple of dict
        Settings, by their names in the catalogue, that further networks of the family have in turn; the first is the
        usual one. Networks that differ add more to an ensemble than those that differ by their seed alone.
    downloads : str
        From where trained weights are fetched when it is first used; empty where it learns from this table alone.
    needs_gpu : bool
        True where it can't be used without a GPU.
    most_rows, most_columns : int or None
        The largest table that it takes; None where there is no limit but time and memory.
    quantiles : bool
        True where it can aim at a quantile of the target instead of its middle.
    from_rows : tuple of (int, dict)
        Numbers of training rows, and AutoGluon's settings from there on.
    from_columns : tuple of (int, dict)
        The same for numbers of columns.
    heavy_tails : dict
        Settings, by their names in the catalogue, where the target has extreme values on both sides.
    mixed_precision : dict
        AutoGluon's settings with which it computes in 16 bits where that suffices; empty where it can't.
    bytes_become_floats : bool
        True where its training spreads values of one byte out to four at once, and AutoGluon's estimate of its memory
        takes them as they are.
    """

    licence: str
    epochs_setting: str
    batch_setting: str
    seed_setting: str
    fewest_epochs: int
    enough_epochs: int
    most_epochs: int
    has_schedule: bool
    weight: float
    batches: tuple[tuple[int, int], ...]
    cost: Cost
    offered: tuple[Setting, ...]
    loss: Loss = Loss()
    sizes: tuple[Size, ...] = (Size({}),)
    variants: tuple[dict[str, Any], ...] = ({},)
    downloads: str = ""
    needs_gpu: bool = False
    most_rows: int | None = None
    most_columns: int | None = None
    quantiles: bool = False
    from_rows: tuple[tuple[int, dict[str, Any]], ...] = ()
    from_columns: tuple[tuple[int, dict[str, Any]], ...] = ()
    heavy_tails: dict[str, Any] = field(default_factory=dict)
    mixed_precision: dict[str, Any] = field(default_factory=dict)
    bytes_become_floats: bool = False

    # --- how it is scaled to a table and a share of the budget --------------------------------------------------------

    def fewest(self, rows: int) -> int:
        """Return the fewest passes over `rows` rows that are worth their time.

        A network learns in steps: of a large table, which holds many, fewer passes do; a small one needs more.
        """
        most = min(self.enough(rows), _MOST_FEWEST * self.fewest_epochs)
        return max(1, min(most, self._passes(self.fewest_epochs, rows)))

    def fewest_rows(self, rows: int) -> int:
        """Return how many of `rows` rows hold the fewest useful steps in a single pass."""
        return min(rows, self.fewest_epochs * _STEPS_OF_A_PASS * self.batch_size(rows))

    def enough(self, rows: int) -> int:
        """Return the passes over `rows` rows beyond which more hardly ever help."""
        return max(self.enough_epochs, min(self.most_epochs, self._passes(self.enough_epochs, rows)))

    def _passes(self, passes: int, rows: int) -> int:
        """Return how many passes over so many rows have as many steps as `passes` over those of a middling table."""
        return math.ceil(passes * _STEPS_OF_A_PASS / math.ceil(rows / self.batch_size(rows)))

    def batch_size(self, rows: int) -> int:
        """Return the rows of one training step for a table of `rows` training rows."""
        return next(batch for least, batch in reversed(self.batches) if rows >= least)

    # --- its settings -------------------------------------------------------------------------------------------------

    def sample_settings(
        self, rows: int, seed: int, size: int = 0, *, gpu: bool = False, columns: int = 0
    ) -> dict[str, Any]:
        """Return AutoGluon's settings of a network: its size, batch, seed and precision, without the epochs."""
        found: dict[str, Any] = {
            **self.sizes[size].settings,
            self.batch_setting: self.batch_size(rows),
            self.seed_setting: seed,
            **(self.mixed_precision if gpu and rows >= _MIXED_PRECISION_ROWS else {}),
        }
        for steps, reached in ((self.from_rows, rows), (self.from_columns, columns)):
            for least, settings in steps:
                found |= settings if reached >= least else {}
        return found

    def defaults(self) -> dict[str, Any]:
        """Return the default of each setting that has one."""
        return {found.name: found.default for found in self.offered if found.default is not None}

    def setting(self, name: str) -> Setting:
        """Return one of its settings.

        Raises
        ------
        PlanError
            If it has none of that name; the message names those that it has.
        """
        for found in self.offered:
            if found.name == name:
                return found
        names = ", ".join(found.name for found in self.offered)
        raise PlanError(f"{self.title} has no setting called {name}; choose from {names}.")

    def checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return chosen values in the form in which they are kept; those that are None are left out.

        Parameters
        ----------
        values : mapping of str to object
            Values by the names of the settings.

        Raises
        ------
        PlanError
            If there is no such setting, it can't have that value, or it doesn't count beside the others.
        """
        given = {name: value for name, value in values.items() if value is not None}
        found = {name: self.setting(name).checked(value, self.title) for name, value in given.items()}
        for name in found:
            chosen = self.setting(name)
            if chosen.only_with is not None and not self.counts(chosen, found):
                other, needed = chosen.only_with
                raise PlanError(f"{chosen.title} of {self.title} counts only where {other} is {' or '.join(needed)}.")
        return found

    def counts(self, chosen: Setting, values: Mapping[str, Any]) -> bool:
        """Tell whether a setting has an effect beside others that were chosen."""
        if chosen.only_with is None:
            return True
        other, needed = chosen.only_with
        return values.get(other, self.setting(other).default) in needed

    # --- how AutoGluon trains it: what differs between families is overridden -----------------------------------------

    def places(self, watch: EpochWatch) -> list[Patch]:  # noqa: ARG002
        """Return what is replaced while a network is trained, so that `watch` hears of every step and every epoch.

        AutoGluon's callbacks fire around models, not around epochs. These are private places of the pinned version; a
        test asserts that every family still passes its own, and nothing of it ends up in a saved model.
        """
        return []

    @contextmanager
    def training(self, model: AbstractModel, watch: EpochWatch | None) -> Iterator[None]:
        """Let `watch` hear of a single fit inside the block; see `BaseFamily.training`.

        A model class that has an attribute ``watch`` calls it itself; of others, `places` are replaced.
        """
        if watch is None:
            yield
        elif hasattr(model, "watch"):
            model.watch = watch
            try:
                yield
            finally:
                # It isn't kept with the model.
                del model.watch
        else:
            with ExitStack() as stack:
                for target, name, replacement in self.places(watch):
                    stack.enter_context(patch.object(target, name, replacement))
                yield
