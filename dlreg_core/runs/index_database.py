"""A SQLite file that holds the index: opened, and set aside where it is damaged, since the folders hold all it held."""

from __future__ import annotations

import logging
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError

from dlreg_core.errors import WorkError
from dlreg_core.specs import now

_log = logging.getLogger(__name__)

_TRIES, _PAUSE_SECONDS = 2, 0.2


def is_damaged(engine: Engine) -> bool:
    """Tell whether a SQLite file can't be read as a database.

    Raises
    ------
    WorkError
        If it can't be opened or written, which its content has nothing to do with.
    """
    try:
        with engine.connect() as connection:
            return str(connection.execute(text("PRAGMA quick_check(1)")).scalar()) != "ok"
    except DatabaseError as exc:
        if _code_of(exc) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return True
        if is_refused(exc):
            raise unwritable(engine, exc) from exc
        raise


def unwritable(engine: Engine, error: DatabaseError) -> WorkError:
    """Return what is said where the file of the index can't be opened or written."""
    return WorkError(
        f"The list of runs, {engine.url.database}, can't be opened for writing ({error.orig}).",
        "Give this account the right to write it and its folder.",
    )


def is_refused(error: DatabaseError) -> bool:
    """Tell whether an error says that a file may not be opened or written."""
    return _code_of(error) in (
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_IOERR,
    )


def _code_of(error: DatabaseError) -> int | None:
    """Return SQLite's primary code of an error; None where it has none."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def set_aside(path: Path) -> Path:
    """Rename a damaged SQLite file, with what belongs to it, and return its new name: nothing is thrown away."""
    moment = datetime.fromtimestamp(now().timestamp(), UTC).strftime("%Y%m%dT%H%M%S%f")[:-3]
    kept = path.with_name(f"{path.name}.damaged-{moment}")
    for ending in ("-wal", "-shm", "-journal"):
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(kept.with_name(kept.name + ending))
    path.rename(kept)
    _log.warning("%s is damaged; it was set aside as %s, and is made again from the folders", path, kept.name)
    return kept


def wipe_deleted(engine: Engine) -> bool:
    """Leave nothing of what was deleted in a SQLite file or in the log beside it; False where others hold it.

    What other databases keep of deleted lines, their servers decide.
    """
    if engine.dialect.name != "sqlite":
        return True
    for _ in range(_TRIES):
        try:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                # Files of earlier versions hold deleted lines in their free pages; the log, pages as they were before.
                connection.execute(text("VACUUM"))
                found = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).first()
        except DatabaseError as exc:
            if _code_of(exc) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
        else:
            if found is None or not found[0]:
                return True
        time.sleep(_PAUSE_SECONDS)
    _log.warning("the list of runs is in use; what was deleted from it is wiped out later")
    return False
