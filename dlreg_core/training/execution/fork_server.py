"""Where processes come from: a copy of a process that has loaded their libraries, made before it does anything else.

Loading them takes seconds of a processor and hundreds of megabytes. `multiprocessing`'s fork server would do both once
more, beside the process that trains with them; a copy made by ``fork`` costs milliseconds and shares the memory. The
copy runs `multiprocessing`'s own server, so that processes are started, watched and ended as those of any other; if it
dies, `multiprocessing` starts another one, which loads the libraries again.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
from multiprocessing import forkserver, resource_tracker, util
from typing import Any

_NEXT_PROTOCOL = (3, 14)
"""From this version of Python on, fork servers ask their clients for a key."""


def serve_processes() -> bool:
    """Let the processes of this process come from a copy of it, as it is now.

    Returns
    -------
    bool
        False where that can't be, or a server is there already: processes then come from one that loads for itself.

    Notes
    -----
    Only a process with a single thread may be copied: what other threads hold at that moment stays locked in the copy
    for ever. Threads of libraries that are made for it (OpenBLAS) count for nothing.
    """
    server: Any = getattr(forkserver, "_forkserver", None)
    if (
        not hasattr(os, "fork")
        or sys.version_info >= _NEXT_PROTOCOL
        or threading.active_count() > 1
        or getattr(server, "_forkserver_pid", 0) is not None
    ):
        return False
    resource_tracker.ensure_running()
    # What is there by now stays: collecting it would only make each copy write its own pages.
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        address = util.get_temp_dir() + "/processes"
        listener.bind(address)
        listener.listen()
        alive, mine = os.pipe()
        copy = os.fork()
        if copy == 0:
            os.close(mine)
            _serve(listener.detach(), alive)
        os.close(alive)
    # It ends when nobody holds the other end of this pipe any more.
    server._forkserver_address, server._forkserver_alive_fd, server._forkserver_pid = address, mine, copy
    return True


def _serve(listener: int, alive: int) -> None:
    """Answer requests for new processes until nobody is left who could ask; never returns."""
    code = 1
    try:
        forkserver.main(listener, alive, [])
    except SystemExit:
        code = 0
    finally:
        os._exit(code)
