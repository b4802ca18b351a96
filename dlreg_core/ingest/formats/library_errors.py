"""Where the errors of the libraries that read files become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dlreg_core.errors import DlregError, TableError

_PANIC = "PanicException"


@contextmanager
def said_plainly() -> Iterator[None]:
    """Raise ``TableError`` for whatever a damaged file made a library raise.

    Each kind of file says better what is wrong with it where it is read; this is for what nobody has thought of. A
    full disk says nothing about a file, and neither does a folder that can't be written to: such errors of the system
    stay what they are.
    """
    try:
        yield
    except DlregError:
        raise
    except MemoryError as exc:
        raise TableError(
            "There is too little memory to read the file.", "Choose fewer rows or columns, or save the table as CSV."
        ) from exc
    except OSError as exc:
        # Libraries raise it without a number for files that they can't make out.
        if exc.errno is not None:
            raise
        raise _unreadable() from exc
    except Exception as exc:
        raise _unreadable() from exc
    except BaseException as exc:
        # A library written in Rust reports its own faults so; it is no Exception.
        if type(exc).__name__ != _PANIC:
            raise
        raise _unreadable() from exc


def _unreadable() -> TableError:
    return TableError(
        "The file can't be read: it is damaged, or of an unknown kind.", "Save the table as CSV in UTF-8."
    )
