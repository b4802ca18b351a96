"""An hour of thirty people at once, one of them hostile: how quick pages stay, and whether anything grows or is left.

usage: python benchmarks/soak.py [--minutes 60] [--visitors 30] [--seed 0]

A server of its own, in a home of its own. Visitors speak to it as browsers do (benchmarks/visiting.py), read for 5 to
25 s between two acts, and come back in a new tab now and then. Most read results; some upload tables and prepare them,
two start trainings, one hands in damaged files, foreign WebSockets, headers and bodies that never end. A page's time is
from the click until the server has sent all of it. Memory is that of the server, without the processes it starts. Exits
with 1 where p95 of a page is 1 s or more, memory grows by more than 10 % after the first sixth of the time, a page
shows an exception, the server dies, or it keeps processes or descriptors after everybody has left.
"""

from __future__ import annotations

import argparse
import random
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.scene import SAMPLE, Scene  # noqa: E402
from benchmarks.visiting import Visitor  # noqa: E402
from tests.hostile.helpers import making  # noqa: E402

RESULTS = ("leaderboard", "diagnostics", "explain", "predict", "export", "train", "runs")
P95, GROWTH = 1.0, 0.10
WARM_PART = 1 / 6
_LOOK, _TELL = 2.0, 60
_SPARE = 25
"""Descriptors that the server may hold more than at its start: the index, the log, processes that stand by."""
_ENDINGS = {"Parquet": "parquet", "Feather": "feather", "JSON": "json", "CSV": "csv"}


class Person:
    """A visitor that comes back in a new tab, until the time is up."""

    def __init__(self, scene: Scene, number: int, seed: int) -> None:
        self.scene, self.number = scene, number
        self.chance = random.Random(f"{seed} {number}")

    def live(self) -> None:
        """Visit until the time is up; what goes wrong is kept, and doesn't end it."""
        self._wait(self.chance.uniform(0, 20))
        while self.scene.left > 0:
            visitor = None
            try:
                visitor = Visitor(self.scene.url)
                self.visit(visitor)
            except Exception as exc:  # noqa: BLE001 - whatever it is, it is counted and shown
                self.scene.watched.failed(f"{type(self).__name__}: {type(exc).__name__} {exc}")
                self._wait(10)
            finally:
                if visitor is not None:
                    visitor.close()

    def visit(self, visitor: Visitor) -> None:
        """Do what this person does in one tab."""
        raise NotImplementedError

    def read(self, visitor: Visitor, page: str, query: str | None = None) -> None:
        """Open a page and look at it for a while."""
        self.timed(visitor, page, lambda: visitor.open(page, query))
        self.look(visitor)

    def timed(self, visitor: Visitor, name: str, act: Callable[[], float]) -> None:
        """Act, and keep how long it took."""
        self.scene.watched.page(name, act(), visitor)

    def look(self, visitor: Visitor) -> None:
        """Look at what is shown."""
        visitor.linger(max(0.0, min(self.chance.uniform(5, 25), self.scene.left)))

    def _wait(self, seconds: float) -> None:
        time.sleep(max(0.0, min(seconds, self.scene.left)))


class Reader(Person):
    """Reads the results of a run."""

    def visit(self, visitor: Visitor) -> None:
        """Go from page to page."""
        query = f"run={self.scene.run}"
        for page in self.chance.sample(RESULTS, len(RESULTS)):
            if self.scene.left <= 0:
                return
            self.read(visitor, page, query)


class Analyst(Person):
    """Uploads a table, looks at it and prepares it."""

    def visit(self, visitor: Visitor) -> None:
        """Bring a table that nobody has brought."""
        self.read(visitor, "data", "")
        name = f"measured {self.chance.randrange(10**9)}.csv"
        seconds = visitor.upload(name, _table(self.chance.randrange(10**9)))
        self.timed(visitor, "upload of 100 kB", lambda: seconds)
        self.look(visitor)
        self.read(visitor, "prepare")
        self.read(visitor, "data")


class Trainer(Person):
    """Trains on the sample, watches, and ends most runs early."""

    def visit(self, visitor: Visitor) -> None:
        """Start one run and watch it."""
        visitor.open("data", "")
        visitor.upload("concrete.csv", SAMPLE.read_bytes())
        self.read(visitor, "prepare")
        # The way on waits for a measure of the split; it isn't a page's time.
        visitor.open("train")
        self.look(visitor)
        self.timed(visitor, "start training", lambda: visitor.click("Start training"))
        self.scene.watched.done("runs started")
        for _ in range(self.chance.randrange(4, 9)):
            self.look(visitor)
        self.read(visitor, "train")
        for label in ("Finish now", "Cancel"):
            if any(text.startswith(label) for text in visitor.shown.buttons):
                visitor.click(label)
                break
        self.look(visitor)


class Hostile(Person):
    """Hands in what should hurt."""

    def visit(self, visitor: Visitor) -> None:
        """Do one of the bad things, then look whether the page still answers."""
        what = self.chance.choice((self._files, self._foreign, self._slow, self._hasty, self._headers))
        what(visitor)
        self.scene.watched.done(f"hostile: {what.__name__.strip('_')}")
        self.read(visitor, "data", "")

    def _files(self, visitor: Visitor) -> None:
        visitor.open("data", "")
        kind, content = self.chance.choice(list(_damaged(self.chance).items()))
        visitor.upload(f"damaged.{kind}", content)

    def _foreign(self, _visitor: Visitor) -> None:
        for _ in range(10):
            asked = (
                "GET /_stcore/stream HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            with socket.create_connection(("127.0.0.1", self.scene.port), timeout=20) as connection:
                connection.sendall(asked.encode())
                if b" 403 " not in connection.recv(4096):
                    self.scene.watched.failed("a foreign page was let in")

    def _slow(self, _visitor: Visitor) -> None:
        connections = [socket.create_connection(("127.0.0.1", self.scene.port), timeout=60) for _ in range(20)]
        for number, connection in enumerate(connections):
            body = b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nab"
            connection.sendall(b"GET / HTTP/1.1\r\nHost: local" if number % 2 else body)
        self._wait(25)
        for connection in connections:
            connection.close()

    def _hasty(self, visitor: Visitor) -> None:
        visitor.open("data", "")
        for _ in range(20):
            tab = Visitor(self.scene.url)
            tab.hurry("leaderboard", f"run={self.scene.run}")
            tab.close()

    def _headers(self, _visitor: Visitor) -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.scene.port), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            for _ in range(200):
                connection.sendall(b"X-Long: " + b"a" * 8_000 + b"\r\n")


def _table(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(1_500, 6)).round(4), columns=list("abcdef"))
    frame["y"] = (frame["a"] * 2 - frame["b"] ** 2 + rng.normal(0, 0.5, len(frame))).round(4)
    return frame.to_csv(index=False).encode()


def _damaged(chance: random.Random) -> dict[str, bytes]:
    made = making.every_kind(making.table())
    for kind, content in made.items():
        broken = bytearray(content)
        for _ in range(chance.randrange(1, 30)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        made[kind] = bytes(broken)
    far = '<row r="9"><c r="XFD1048576"><v>2</v></c></row>'
    made["xlsx"] = making.sheet_xml(f'<row r="1"><c r="A1"><v>1</v></c></row>{far}')
    return {_ENDINGS.get(kind, kind.lower()): content for kind, content in made.items()}


def look_after(scene: Scene) -> None:
    """Follow memory and how soon the server answers at all, until the time is up."""
    server, watched = scene.process, scene.watched
    while scene.left > 0:
        began = time.monotonic()
        try:
            with urllib.request.urlopen(f"{scene.url}/_stcore/health", timeout=60) as answer:
                answer.read()
            watched.stalls.append(time.monotonic() - began)
            watched.memory.append((scene.seconds - scene.left, server.memory_info().rss / 1024**2))
            if len(watched.memory) % _TELL == 0:
                print(f"{scene.left / 60:.0f} min left: {watched.memory[-1][1]:.0f} MB, {watched.quick()}", flush=True)
        except (OSError, psutil.Error) as exc:
            watched.failed(f"the server: {exc}")
        time.sleep(_LOOK)


def main() -> int:
    """Live through it and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder), chosen.minutes * 60)
        before = _held(scene.process)
        people = [_person(scene, number, chosen) for number in range(chosen.visitors)]
        threads = [threading.Thread(target=person.live, daemon=True) for person in people]
        threads.append(threading.Thread(target=look_after, args=(scene,), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(scene.left + 200 if scene.left > 0 else 200)
        after = _settled(scene, before)
        alive = scene.server.poll() is None
        left = scene.close()
    return report(scene, before, after, left, alive=alive)


def _person(scene: Scene, number: int, chosen: argparse.Namespace) -> Person:
    if number == 0:
        return Hostile(scene, number, chosen.seed)
    if number <= 2:
        return Trainer(scene, number, chosen.seed)
    return (Analyst if number <= 2 + chosen.visitors // 5 else Reader)(scene, number, chosen.seed)


def _held(server: psutil.Process) -> tuple[int, int]:
    """Return how many descriptors and connections of visitors the server holds."""
    return server.num_fds(), len([one for one in server.net_connections("tcp") if one.status == "ESTABLISHED"])


def _settled(scene: Scene, before: tuple[int, int]) -> tuple[int, int]:
    """Return what it holds once everybody has left, at most five minutes later: sessions are kept for two."""
    end = time.monotonic() + 300
    found = _held(scene.process)
    while time.monotonic() < end and found[0] > before[0] + _SPARE:
        time.sleep(60)
        # Sessions whose time is over are dropped when the next one comes.
        with suppress(OSError, TimeoutError):
            Visitor(scene.url).close()
        found = _held(scene.process)
    return found


def report(scene: Scene, before: tuple[int, int], after: tuple[int, int], left: list[str], *, alive: bool) -> int:
    """Print what was measured; 1 where it isn't as it should be."""
    watched, bad = scene.watched, []
    print("| page | times | median s | p95 s | longest s |\n|---|---|---|---|---|")
    everything = [seconds for times in watched.pages.values() for seconds in times]
    for name, times in [*sorted(watched.pages.items()), ("all", everything)]:
        print(f"| {name} | {len(times)} | {np.median(times):.2f} | {np.percentile(times, 95):.2f} | {max(times):.2f} |")
    if float(np.percentile(everything, 95)) >= P95:
        bad.append(f"p95 is not below {P95} s")
    warm = [mb for at, mb in watched.memory if at >= scene.seconds * WARM_PART]
    tenth = max(1, len(warm) // 10)
    first, last = float(np.median(warm[:tenth])), float(np.median(warm[-tenth:]))
    print(
        f"\nMemory of the server: {first:.0f} MB after the first sixth, {last:.0f} MB at the end, "
        f"{max(warm):.0f} at most."
    )
    if last > first * (1 + GROWTH):
        bad.append(f"memory grew by {last / first - 1:.0%}")
    print(f"Health: answered within {max(watched.stalls):.2f} s, p95 {np.percentile(watched.stalls, 95):.2f} s.")
    print(f"Descriptors {before[0]} before, {after[0]} after; connections {before[1]} and {after[1]}.")
    if after[0] > before[0] + _SPARE:
        bad.append("descriptors are left")
    print(f"Processes left after the server: {left or 'none'}.")
    print("Done: " + ", ".join(f"{count} × {what}" for what, count in sorted(watched.acts.items())))
    print("Wrong: " + ("; ".join(f"{count} × {what}" for what, count in watched.wrong.most_common()) or "nothing"))
    bad += [f"{len(left)} processes are left"] if left else []
    bad += [] if alive else ["the server died"]
    bad += ["something went wrong"] if watched.wrong else []
    print(f"Not as it should be: {'; '.join(bad) or 'nothing'}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
