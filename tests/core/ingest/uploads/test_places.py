"""Tables from places that an administrator allows, and from no others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from dlreg_core.errors import TableError
from dlreg_core.ingest.uploads.remote_sources import is_allowed, place_name, place_pieces

CSV = b"a,b\n1,2\n"


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        target = self.path.partition("?to=")[2]
        if target:
            self.send_response(302)
            self.send_header("Location", target)
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_arguments: object) -> None:
        pass


def read_place(place: str, allowed: list[str]) -> tuple[bytes, str]:
    return b"".join(place_pieces(place, allowed)), place_name(place)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "open" / "inside").mkdir(parents=True)
    (tmp_path / "closed").mkdir()
    (tmp_path / "open" / "inside" / "t.csv").write_bytes(CSV)
    (tmp_path / "closed" / "secret.csv").write_bytes(CSV)
    (tmp_path / "open" / "link.csv").symlink_to(tmp_path / "closed" / "secret.csv")
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()
    thread.join(10)


def test_a_file_in_an_allowed_folder(folder: Path) -> None:
    found = read_place(f" {folder}/open/inside/t.csv ", [str(folder / "open")])
    assert found == (CSV, "t.csv")


@pytest.mark.parametrize("path", ["closed/secret.csv", "open/../closed/secret.csv", "open/link.csv", "openly/x.csv"])
def test_no_path_leads_out_of_an_allowed_folder(folder: Path, path: str) -> None:
    with pytest.raises(TableError, match="isn't a place"):
        read_place(f"{folder}/{path}", [str(folder / "open")])


def test_nothing_is_allowed_unless_somebody_says_so(folder: Path) -> None:
    for place in (f"{folder}/open/inside/t.csv", "https://example.com/t.csv", "s3://bucket/t.csv", "t.csv", ""):
        with pytest.raises(TableError, match="Upload the file"):
            read_place(place, [])


def test_an_allowed_address(server: str) -> None:
    assert read_place(f"{server}/open/inside/t.csv", [f"{server}/open/"]) == (CSV, "t.csv")
    with pytest.raises(TableError, match="can't be read"):
        read_place(f"{server}/open/none.csv", [f"{server}/open/"])


def test_a_redirect_stays_within_what_is_allowed(server: str) -> None:
    inside, outside = f"{server}/open/inside/t.csv", f"{server}/closed/secret.csv"
    assert read_place(f"{server}/open/x?to={inside}", [f"{server}/open"])[0] == CSV
    for target in (outside, "file:///etc/passwd"):
        with pytest.raises(TableError, match="can't be read"):
            read_place(f"{server}/open/x?to={target}", [f"{server}/open"])


@pytest.mark.parametrize(
    ("place", "allowed", "right"),
    [
        ("https://a.org/data/t.csv", "https://a.org/data", True),
        ("HTTPS://A.org/data/t.csv", "https://a.org/data/", True),
        ("https://a.org/database/t.csv", "https://a.org/data", False),
        ("https://a.org/data/../x.csv", "https://a.org/data", False),
        ("https://a.org/data/%2e%2e/x.csv", "https://a.org/data", False),
        ("https://a.org.evil.com/data/t.csv", "https://a.org/data", False),
        ("https://a.org@evil.com/data/t.csv", "https://a.org/data", False),
        ("http://a.org/data/t.csv", "https://a.org/data", False),
        ("https://a.org/t.csv", "https://a.org", True),
        ("s3://bucket/in/t.csv", "s3://bucket/in", True),
        ("s3://bucket/out/t.csv", "s3://bucket/in", False),
        ("file:///etc/passwd", "/etc", False),
        ("/etc/passwd", "https://a.org", False),
    ],
)
def test_what_lies_within_what(place: str, allowed: str, right: bool) -> None:
    assert is_allowed(place, [allowed]) is right


class _Bucket(BaseHTTPRequestHandler):
    """Answers as S3 does to whoever asks for one object, in parts too."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        self.asked.append(self.path)
        there = self.path == "/bucket/open/t.csv"
        first, _, last = (self.headers.get("Range") or "bytes=0-").partition("=")[2].partition("-")
        data = CSV[int(first) : int(last) + 1 if last else None] if there else b""
        self.send_response((206 if "Range" in self.headers else 200) if there else 404)
        self.send_header("Content-Length", str(len(data)))
        if there:
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
            self.send_header("Content-Range", f"bytes {first}-{int(first) + len(data) - 1}/{len(CSV)}")
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        pass


def test_an_object_of_s3_is_read_with_the_administrators_options_alone() -> None:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        options = f"endpoint_override=127.0.0.1:{httpd.server_port}&scheme=http&region=eu-west-1"
        allowed = [f"s3://anonymous@bucket/open/?{options}"]
        assert read_place("s3://anonymous@bucket/open/t.csv", allowed) == (CSV, "t.csv")
        assert read_place("s3://anonymous@bucket/open/t.csv?endpoint_override=10.0.0.1", allowed) == (CSV, "t.csv")
        with pytest.raises(TableError, match="can't be read"):
            read_place("s3://anonymous@bucket/open/none.csv", allowed)
        with pytest.raises(TableError, match="isn't a place"):
            read_place("s3://anonymous@other/open/t.csv", allowed)
        assert set(_Bucket.asked) == {"/bucket/open/t.csv", "/bucket/open/none.csv"}
    finally:
        httpd.shutdown()
        httpd.server_close()
