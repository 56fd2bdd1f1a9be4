"""Scripts and styles come packed from a real server, byte for byte what Streamlit would send."""

from __future__ import annotations

import gzip
import re
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

from app.assets import STATIC
from tests.browser.conftest import Server


def ask(server: Server, path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    """One request as it is: nothing is unpacked or followed."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers=sent)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_every_file_of_the_first_page_comes_packed(server: Server) -> None:
    _, page = ask(server, "/")
    names = sorted(set(re.findall(r"\./(static/(?:js|css)/[^\"]+)", page.decode())))
    assert len(names) > 20
    sent = 0
    for name in names:
        answer, body = ask(server, f"/{name}", Accept_Encoding="gzip, deflate, br")
        assert answer.status == 200
        assert gzip.decompress(body) == (STATIC / name).read_bytes()
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        kind = {"js": "text/javascript", "css": "text/css"}[name.rpartition(".")[2]]
        assert answer.headers["Content-Type"].startswith(kind)
        sent += len(body)
    assert sent < 0.4 * sum((STATIC / name).stat().st_size for name in names)


def test_who_takes_no_gzip_or_asks_for_a_part_gets_it_from_streamlit(server: Server) -> None:
    (name,) = (path.name for path in (STATIC / "static/js").glob("PlotlyChart.*.js"))
    whole = (STATIC / "static/js" / name).read_bytes()
    answer, body = ask(server, f"/static/js/{name}")
    assert (answer.headers["Content-Encoding"], body) == (None, whole)
    headers = {"Accept_Encoding": "gzip", "Range": "bytes=0-99"}
    answer, body = ask(server, f"/static/js/{name}", **headers)
    assert (answer.status, body) == (206, whole[:100])


def test_what_is_no_file_is_not_ours(server: Server) -> None:
    for path in ("/static/js/nothing.js", "/static/js/%2e%2e/x.js", "/static/js/../../secrets.js"):
        answer, _ = ask(server, path, Accept_Encoding="gzip")
        assert "immutable" not in answer.headers.get("Cache-Control", ""), path
        assert not answer.headers.get("Content-Type", "").startswith("text/javascript"), path
