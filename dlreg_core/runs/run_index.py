"""The index of runs and their models, and the queue, in a database; results are never kept here.

SQLite by default, any database that SQLAlchemy speaks by URL. What it says can be rebuilt from the run folders.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock
from sqlalchemy import (
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.sql.elements import ColumnElement

from dlreg_core.runs.index_database import is_damaged, is_refused, set_aside, unwritable, wipe_deleted
from dlreg_core.specs import Experiment, LeaderboardRow, RunState, TaskKind, TrainResult, split_text

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
    Column("split", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("budget_seconds", Float, nullable=False),
    Column("seconds", Float),
    Column("best_model", String),
    Column("best_rmse", Float),
    Column("size_mb", Float),
    Column("created", DateTime, nullable=False),
    Column("ended", DateTime),
)
_models = Table(
    "models",
    _metadata,
    Column("run_id", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("owner", String, nullable=False, index=True),
    Column("family", String, nullable=False),
    Column("role", String, nullable=False),
    Column("rmse", Float),
    Column("rmse_validation", Float),
)
_queue = Table(
    "queue",
    _metadata,
    Column("run_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("owner", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("device", String, nullable=False),
    Column("budget_seconds", Float, nullable=False),
    Column("queued", DateTime, nullable=False),
    # Empty while it waits. That it is unique is what keeps two servers from giving one slot away twice.
    Column("slot", String, unique=True),
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
    split: str
    """As the command line takes it."""
    state: RunState
    budget_seconds: float
    seconds: float | None
    best_model: str | None
    best_rmse: float | None
    size_mb: float | None
    created: datetime
    ended: datetime | None


@dataclass(frozen=True)
class ModelSummary:
    """One line of the list of models; errors in the unit of the run's target, on test and validation rows."""

    run_id: str
    model: str
    owner: str
    family: str
    role: str
    rmse: float | None
    rmse_validation: float | None


@dataclass(frozen=True)
class QueuedTask:
    """A task that waits for a slot, or has one.

    Attributes
    ----------
    device : str
        ``"auto"``, ``"cpu"`` or ``"gpu"``: what it wants to train on; ``"none"`` where it needs no slot.
    slot : str or None
        None while it waits.
    """

    run_id: str
    number: int
    owner: str
    kind: TaskKind
    device: str
    budget_seconds: float
    queued: datetime
    slot: str | None


class RunIndex:
    """The tables of runs, models and waiting tasks.

    Parameters
    ----------
    url : str
        SQLAlchemy URL of the database; a SQLite file's folder is made where it is missing.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            _tune_sqlite(self._engine)
        database = self._engine.url.database
        if self._engine.dialect.name == "sqlite" and database:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
            # Two processes that make the tables of a new home at the same moment would trip over each other.
            with FileLock(f"{database}.lock"):
                self._open_file(Path(database))
        else:
            self._make_tables()

    def _open_file(self, path: Path) -> None:
        """Open a SQLite file; one that is damaged is set aside, and an empty one takes its place."""
        try:
            if path.exists() and is_damaged(self._engine):
                self._engine.dispose()
                set_aside(path)
            self._make_tables()
        except OperationalError as exc:
            if not is_refused(exc):
                raise
            raise unwritable(self._engine, exc) from exc

    def _make_tables(self) -> None:
        """Make the tables; those of an earlier version are dropped, since the folders hold all that they held."""
        inspector = inspect(self._engine)
        for table in _metadata.sorted_tables:
            if inspector.has_table(table.name):
                found = {column["name"] for column in inspector.get_columns(table.name)}
                if found != {column.name for column in table.columns}:
                    table.drop(self._engine)
        _metadata.create_all(self._engine)

    # --- runs -----------------------------------------------------------------------------------------------------

    def add(self, run_id: str, experiment: Experiment) -> bool:
        """List a run as queued; False if it is listed already."""
        values = {
            "run_id": run_id,
            "owner": experiment.owner,
            "name": experiment.name,
            "dataset_id": experiment.dataset_id,
            "dataset_name": experiment.dataset_name,
            "target": experiment.recipe.target,
            "unit": experiment.recipe.unit,
            "split": split_text(experiment.recipe.split),
            "state": RunState.QUEUED,
            "budget_seconds": experiment.plan.time_limit,
            "created": experiment.created.replace(tzinfo=None),
        }
        return self._insert(_runs, values)

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

    def owner(self, run_id: str) -> str | None:
        """Return whom a run belongs to, or None where it isn't listed."""
        with self._engine.connect() as connection:
            return connection.execute(select(_runs.c.owner).where(_runs.c.run_id == run_id)).scalar()

    def models(self, owner: str) -> tuple[ModelSummary, ...]:
        """Return the models of an owner's runs, the best of each run first."""
        query = select(_models).where(_models.c.owner == owner).order_by(_models.c.run_id, _models.c.rmse_validation)
        with self._engine.connect() as connection:
            return tuple(ModelSummary(**row) for row in connection.execute(query).mappings())

    def set_state(
        self,
        run_id: str,
        state: RunState,
        result: TrainResult | None = None,
        *,
        size_mb: float | None = None,
        ended: datetime | None = None,
    ) -> None:
        """Note the state that the run's folder shows, and its models where there are some."""
        values: dict[str, object] = {"state": state, "ended": ended.replace(tzinfo=None) if ended else None}
        if size_mb is not None:
            values["size_mb"] = size_mb
        if result is not None:
            best = result.row(result.best_model)
            values |= {"best_model": best.model, "best_rmse": best.rmse, "seconds": result.seconds}
        with self._engine.begin() as connection:
            connection.execute(update(_runs).where(_runs.c.run_id == run_id).values(values))
        if result is not None:
            self._set_models(run_id, result)

    def _set_models(self, run_id: str, result: TrainResult) -> None:
        owner = self.owner(run_id)
        rows = [_model_values(run_id, owner, row) for row in result.leaderboard if row.trained]
        # Another server may note the same models of the same result at this moment: theirs are as good.
        with suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(delete(_models).where(_models.c.run_id == run_id))
            if owner is not None and rows:
                connection.execute(insert(_models), rows)

    def remove(self, run_id: str) -> None:
        """Take a run, its models and its tasks off the lists."""
        with self._engine.begin() as connection:
            for table in (_queue, _models, _runs):
                connection.execute(delete(table).where(table.c.run_id == run_id))

    def wipe(self) -> bool:
        """Leave nothing in the file of what was taken off the lists; False where others hold it at the moment."""
        return wipe_deleted(self._engine)

    # --- the queue ------------------------------------------------------------------------------------------------

    def enqueue(self, task: QueuedTask) -> bool:
        """Put a task into the queue; False if it is there already."""
        return self._insert(_queue, {**vars(task), "queued": task.queued.replace(tzinfo=None)})

    def live(self) -> tuple[QueuedTask, ...]:
        """Return the tasks that wait or have a slot, in the order in which they came."""
        query = select(_queue).order_by(_queue.c.queued, _queue.c.run_id, _queue.c.number)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(QueuedTask(**{**row, "kind": TaskKind(row["kind"])}) for row in rows)

    def claim(self, run_id: str, number: int, slots: Iterable[str]) -> str | None:
        """Take a waiting task for the first of `slots` that is free.

        The change is one statement, and a slot is unique in the table, so that of two servers on one database neither
        both take the task nor both give the slot away.

        Returns
        -------
        str or None
            The slot; None when the task isn't waiting any more, or no slot is free.
        """
        for slot in slots:
            statement = update(_queue).where(_is(run_id, number), _queue.c.slot.is_(None)).values(slot=slot)
            try:
                with self._engine.begin() as connection:
                    return slot if connection.execute(statement).rowcount == 1 else None
            except IntegrityError:
                continue
        return None

    def release(self, run_id: str, number: int) -> None:
        """Put a task that was claimed and never came to anything back where it was in the queue."""
        with self._engine.begin() as connection:
            connection.execute(update(_queue).where(_is(run_id, number)).values(slot=None))

    def withdraw(self, run_id: str, number: int) -> bool:
        """Take a waiting task out of the queue; False if it wasn't waiting any more."""
        with self._engine.begin() as connection:
            statement = delete(_queue).where(_is(run_id, number), _queue.c.slot.is_(None))
            return connection.execute(statement).rowcount == 1

    def dequeue(self, run_id: str, number: int) -> None:
        """Take a task that has ended out of the queue, which frees its slot."""
        with self._engine.begin() as connection:
            connection.execute(delete(_queue).where(_is(run_id, number)))

    def _insert(self, table: Table, values: dict[str, object]) -> bool:
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(table).values(values))
        except IntegrityError:
            return False
        return True


def _is(run_id: str, number: int) -> ColumnElement[bool]:
    return and_(_queue.c.run_id == run_id, _queue.c.number == number)


def _model_values(run_id: str, owner: str | None, row: LeaderboardRow) -> dict[str, object]:
    figures = {"rmse": row.rmse, "rmse_validation": row.rmse_validation}
    return {"run_id": run_id, "model": row.model, "owner": owner, "family": row.family, "role": row.role, **figures}


def _tune_sqlite(engine: Engine) -> None:
    """Let readers and one writer of several processes work side by side."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=10000")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()
