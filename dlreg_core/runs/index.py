"""The index of runs and the queue, in a database; results are never kept here.

SQLite by default, any database that SQLAlchemy speaks by URL. What it says can be rebuilt from the run folders.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock
from sqlalchemy import (
    Column,
    DateTime,
    Float,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from dlreg_core.specs import Experiment, RunState, TrainResult

_metadata = MetaData()
_runs = Table(
    "runs",
    _metadata,
    Column("run_id", String, primary_key=True),
    Column("owner", String, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("dataset_id", String, nullable=False, index=True),
    Column("dataset_name", String, nullable=False),
    Column("target", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("budget_seconds", Float, nullable=False),
    Column("seconds", Float),
    Column("best_model", String),
    Column("best_rmse", Float),
    Column("created", DateTime, nullable=False),
)


@dataclass(frozen=True)
class RunSummary:
    """One line of the list of runs."""

    run_id: str
    owner: str
    name: str
    dataset_id: str
    dataset_name: str
    target: str
    unit: str
    state: RunState
    budget_seconds: float
    seconds: float | None
    best_model: str | None
    best_rmse: float | None
    created: datetime


class RunIndex:
    """The table of runs.

    Parameters
    ----------
    url : str
        SQLAlchemy URL; the folder of an SQLite file is created when it is missing.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)
        database = self._engine.url.database
        if self._engine.dialect.name != "sqlite" or database in (None, "", ":memory:"):
            _metadata.create_all(self._engine)
            return
        path = Path(str(database))
        path.parent.mkdir(parents=True, exist_ok=True)
        _tune_sqlite(self._engine)
        # A new file takes its journal mode and its tables from one process at a time.
        with FileLock(path.with_name(f"{path.name}.lock")):
            _metadata.create_all(self._engine)

    def add(self, run_id: str, experiment: Experiment, owner: str) -> None:
        """List a new run as queued."""
        values = {
            "run_id": run_id,
            "owner": owner,
            "name": experiment.name,
            "dataset_id": experiment.dataset_id,
            "dataset_name": experiment.dataset_name,
            "target": experiment.recipe.target,
            "unit": experiment.recipe.unit,
            "state": RunState.QUEUED,
            "budget_seconds": experiment.plan.time_limit,
            "created": experiment.created.replace(tzinfo=None),
        }
        with self._engine.begin() as connection:
            connection.execute(insert(_runs).values(values))

    def list(self, owner: str | None = None, dataset_id: str | None = None) -> tuple[RunSummary, ...]:
        """Return the runs, newest first; of one owner, of one data set, if asked."""
        query = select(_runs).order_by(_runs.c.created.desc(), _runs.c.run_id.desc())
        if owner is not None:
            query = query.where(_runs.c.owner == owner)
        if dataset_id is not None:
            query = query.where(_runs.c.dataset_id == dataset_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(RunSummary(**{**row, "state": RunState(row["state"])}) for row in rows)

    def live(self) -> tuple[tuple[str, RunState], ...]:
        """Return the runs that are queued or running, oldest first."""
        query = (
            select(_runs.c.run_id, _runs.c.state)
            .where(_runs.c.state.in_([RunState.QUEUED, RunState.RUNNING]))
            .order_by(_runs.c.created, _runs.c.run_id)
        )
        with self._engine.connect() as connection:
            return tuple((row.run_id, RunState(row.state)) for row in connection.execute(query))

    def claim(self, run_id: str, slots: int) -> bool:
        """Take a queued run if fewer than `slots` are running; True for exactly one caller.

        The condition and the change are one statement, so two servers on one database can't both take the run.
        """
        others = _runs.alias()
        running = select(func.count()).select_from(others).where(others.c.state == RunState.RUNNING)
        statement = (
            update(_runs)
            .where(_runs.c.run_id == run_id, _runs.c.state == RunState.QUEUED)
            .where(running.scalar_subquery() < slots)
            .values(state=RunState.RUNNING)
        )
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount == 1

    def withdraw(self, run_id: str) -> bool:
        """Take a queued run out of the queue as cancelled; False if it wasn't queued any more."""
        statement = (
            update(_runs)
            .where(_runs.c.run_id == run_id, _runs.c.state == RunState.QUEUED)
            .values(state=RunState.CANCELLED)
        )
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount == 1

    def set_state(self, run_id: str, state: RunState, result: TrainResult | None = None) -> None:
        """Note the state that the run's folder shows, and its best model where there is one."""
        values: dict[str, object] = {"state": state}
        if result is not None:
            best = result.row(result.best_model)
            values |= {"best_model": best.model, "best_rmse": best.rmse, "seconds": result.seconds}
        with self._engine.begin() as connection:
            connection.execute(update(_runs).where(_runs.c.run_id == run_id).values(values))

    def remove(self, run_id: str) -> None:
        """Take a run off the list."""
        with self._engine.begin() as connection:
            connection.execute(delete(_runs).where(_runs.c.run_id == run_id))


def _tune_sqlite(engine: Engine) -> None:
    """Let readers and one writer of several processes work side by side."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=10000")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()
