"""The network families: what each is, what it needs and how it is scaled to a share of the budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from dlreg_core.errors import PlanError

LARGE_TABLE = 50_000
"""Training rows from which on batches are made larger, since steps, not epochs, cost the time."""

WIDE_TABLE = 300
"""Columns from which on TabM gives each number half as many inputs, without which a pass takes more than in proportion
to the columns: they no longer fit into the processor's cache."""

NORMALISED_ROWS = 1_500
"""Training rows from which on feed-forward networks normalise their batches: they then learn more in fewer passes, and
with fewer rows they were no better or worse for it (seven tables that aren't used to judge this program)."""

_MIXED_PRECISION_ROWS = 100_000
"""Training rows from which on a GPU computes in mixed precision: with fewer, steps are too small to gain by it, and
tables without noise need all digits."""

_MOST_FEWEST = 3
"""A table however small asks for no more than this multiple of the fewest useful passes."""

_STEPS_OF_A_PASS = 60
"""Steps in a pass over a table of the size at which the fewest useful passes were measured: some 15,000 rows."""


@dataclass(frozen=True)
class Size:
    """Settings of a network size, and the time of its epochs relative to the family's smallest one on a CPU."""

    settings: dict[str, Any]
    cost: float = 1.0


@dataclass(frozen=True)
class Family:
    """One family of networks.

    Attributes
    ----------
    key : str
        AutoGluon's key.
    title : str
        Name on the leaderboard.
    summary : str
        What it is, in two sentences.
    paper, licence : str
        Where it was described, and the licence of the code.
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
    """

    key: str
    title: str
    summary: str
    paper: str
    licence: str
    epochs_setting: str
    batch_setting: str
    seed_setting: str
    fewest_epochs: int
    enough_epochs: int
    most_epochs: int
    has_schedule: bool
    weight: float
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
        return _BATCHES[self.key](rows)


def _stepped(rows: int, steps: tuple[tuple[int, int], ...]) -> int:
    """Return the batch size of the last step that `rows` reaches."""
    size = steps[0][1]
    for least, batch in steps:
        if rows >= least:
            size = batch
    return size


# Small tables want many small steps, large ones can afford large steps. TabM's ladder follows the choices of its
# paper; the others follow their libraries' defaults up to LARGE_TABLE rows.
_BATCHES = {
    "FEEDFORWARD": lambda rows: _stepped(rows, ((0, 32), (1_000, 64), (4_000, 128), (20_000, 256), (100_000, 512))),
    "NN_TORCH": lambda rows: _stepped(rows, ((0, 32), (1_000, 64), (5_000, 128), (20_000, 256), (100_000, 512))),
    "FASTAI": lambda rows: _stepped(rows, ((0, 32), (500, 128), (5_000, 256), (LARGE_TABLE, 512), (200_000, 1024))),
    "TABM": lambda rows: _stepped(
        rows, ((0, 32), (2_800, 64), (4_500, 128), (6_400, 256), (32_000, 512), (108_000, 1024))
    ),
    "REALMLP": lambda rows: _stepped(rows, ((0, 64), (1_000, 128), (3_000, 256), (LARGE_TABLE, 512), (200_000, 1024))),
}

BASIC: dict[str, Any] = {
    "activation": "relu",
    "batch_norm": False,
    "embedding": "piecewise_linear",
    "dropout": 0.0,
    "weight_decay": 0.1,
    "l1": 0.0,
    "l2": 0.0,
    "early_stopping": 0,
    "loss": "mse",
    "optimizer": "adamw",
    "learning_rate": 4e-3,
    "schedule": "cosine",
    "warmup": 0.05,
}
"""What feed-forward networks do where neither a person nor the table's size says otherwise: best on the whole on six
tables of 280 to 2,100 training rows, of which none is used to judge this program."""

FAMILIES: tuple[Family, ...] = (
    Family(
        key="FEEDFORWARD",
        title="Feed-forward",
        summary=(
            "Plain layers of units, several networks of different seeds side by side, every setting open to choice. "
            "Quick on small tables, and the family to learn with."
        ),
        paper="Rumelhart, Hinton & Williams 1986; numbers as inputs after Gorishniy et al. 2022",
        licence="Apache-2.0",
        epochs_setting="epochs",
        batch_setting="batch_size",
        seed_setting="seed",
        fewest_epochs=5,
        enough_epochs=100,
        most_epochs=150,
        has_schedule=True,
        weight=1.5,
        sizes=(
            Size({"hidden": [64, 64], "members": 4}),
            Size({"hidden": [128, 128], "members": 8}, cost=2.5),
            Size({"hidden": [256, 256], "members": 8}, cost=6.0),
        ),
        variants=(
            {},
            {"loss": "huber"},
            {"embedding": "periodic", "batch_norm": False},
            {"activation": "silu", "dropout": 0.1},
        ),
        quantiles=True,
        from_rows=((NORMALISED_ROWS, {"batch_norm": True}),),
        heavy_tails={"loss": "huber"},
    ),
    Family(
        key="FASTAI",
        title="FastAI",
        summary=(
            "A plain feed-forward network with embeddings for categories, trained with one cycle of the learning rate. "
            "Quick, and a good first answer."
        ),
        paper="Howard & Gugger 2020, fastai: A Layered API for Deep Learning",
        licence="Apache-2.0",
        epochs_setting="epochs",
        batch_setting="bs",
        seed_setting="random_seed",
        fewest_epochs=4,
        enough_epochs=30,
        most_epochs=90,
        has_schedule=True,
        weight=1.0,
        quantiles=True,
    ),
    Family(
        key="NN_TORCH",
        title="NN Torch",
        summary=(
            "AutoGluon's own feed-forward network, trained on the absolute error. "
            "Less moved by a few extreme values than the others."
        ),
        paper="Erickson et al. 2020, AutoGluon-Tabular",
        licence="Apache-2.0",
        epochs_setting="num_epochs",
        batch_setting="batch_size",
        seed_setting="seed_value",
        fewest_epochs=8,
        enough_epochs=500,
        most_epochs=500,
        has_schedule=False,
        weight=1.0,
        # The library's rate of 3e-4 needs more epochs than most budgets hold.
        sizes=(Size({"learning_rate": 1e-3, "hidden_size": 256}),),
        variants=({}, {"loss": "mse"}, {"loss": "huber"}),
        quantiles=True,
    ),
    Family(
        key="TABM",
        title="TabM",
        summary=(
            "Many small networks in one, which share most of their weights and vote. "
            "Accurate and steady, and slower to predict."
        ),
        paper="Gorishniy et al. 2025, TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling",
        licence="Apache-2.0",
        epochs_setting="n_epochs",
        batch_setting="batch_size",
        seed_setting="random_state",
        fewest_epochs=12,
        enough_epochs=100,
        most_epochs=200,
        has_schedule=False,
        weight=2.0,
        sizes=(
            Size({"tabm_k": 8, "d_block": 128, "lr": 3e-3}),
            Size({"tabm_k": 16, "d_block": 256, "lr": 3e-3}, cost=4.0),
            Size({"tabm_k": 32, "d_block": 512}, cost=18.0),
        ),
        variants=({}, {"dropout": 0.0}, {"layers": 3}),
        mixed_precision={"allow_amp": True},
        # What each number becomes is as wide as all other inputs together: half of it where there are very many.
        from_columns=((WIDE_TABLE, {"d_embedding": 8}),),
    ),
    Family(
        key="REALMLP",
        title="RealMLP",
        summary=(
            "A feed-forward network with a bag of tricks and defaults tuned on many tables. "
            "Among the best on medium-sized tables."
        ),
        paper="Holzmüller et al. 2024, Better by Default",
        licence="Apache-2.0",
        epochs_setting="n_epochs",
        batch_setting="batch_size",
        seed_setting="random_state",
        fewest_epochs=8,
        enough_epochs=256,
        most_epochs=256,
        has_schedule=True,
        weight=2.0,
    ),
)

DEFAULT_FAMILIES: tuple[str, ...] = ("FEEDFORWARD", "FASTAI", "NN_TORCH", "TABM", "REALMLP")
"""The families that are trained where nothing else is chosen."""

_BY_KEY = {family.key: family for family in FAMILIES}
ENSEMBLE = "Ensemble"
BASELINES = {
    "MEAN": "Mean",
    "MEDIAN": "Median",
    "RIDGE": "Ridge regression",
    "TREE": "Decision tree",
    "BOOSTED": "Boosted trees",
}


def family(key: str) -> Family:
    """Return the family with that key, in any case.

    Raises
    ------
    PlanError
        If there is none; the message names those that exist.
    """
    found = _BY_KEY.get(key.strip().upper())
    if found is None:
        raise PlanError(f"There is no network called {key}.", f"Choose from {', '.join(_BY_KEY)}.")
    return found


def sample_settings(
    key: str, rows: int, seed: int, size: int = 0, *, gpu: bool = False, columns: int = 0
) -> dict[str, Any]:
    """Return AutoGluon's settings of a network: its size, its batch, its seed and its precision, without the epochs."""
    chosen = family(key)
    precision = chosen.mixed_precision if gpu and rows >= _MIXED_PRECISION_ROWS else {}
    by_table = [settings for least, settings in chosen.from_rows if rows >= least]
    by_table += [settings for least, settings in chosen.from_columns if columns >= least]
    step = {chosen.batch_setting: chosen.batch_size(rows), chosen.seed_setting: seed}
    found: dict[str, Any] = {**chosen.sizes[size].settings, **step, **precision}
    for settings in by_table:
        found |= settings
    return found
