"""Scripts and styles come packed from a real server, byte for byte what Streamlit would send; but
Plotly's, which is told to set up fewer kinds of traces."""

from __future__ import annotations

import gzip
import re
from http.client import HTTPConnection, HTTPResponse
from time import perf_counter
from urllib.parse import urlsplit

from app import plotly_script
from app.assets import STATIC
from tests.browser.conftest import Server

(PLOTLY,) = (path.name for path in (STATIC / "static/js").glob("PlotlyChart.*.js"))


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
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        kind = {"js": "text/javascript", "css": "text/css"}[name.rpartition(".")[2]]
        assert answer.headers["Content-Type"].startswith(kind)
        sent += len(body)
    assert sent < 0.4 * sum((STATIC / name).stat().st_size for name in names)


def test_who_takes_no_gzip_or_asks_for_a_part_gets_it_from_streamlit(server: Server) -> None:
    whole = (STATIC / "static/js" / PLOTLY).read_bytes()
    answer, body = ask(server, f"/static/js/{PLOTLY}")
    assert (answer.headers["Content-Encoding"], body) == (None, whole)
    headers = {"Accept_Encoding": "gzip", "Range": "bytes=0-99"}
    answer, body = ask(server, f"/static/js/{PLOTLY}", **headers)
    assert (answer.status, body) == (206, whole[:100])


def test_plotly_is_told_of_our_kinds_of_traces_and_a_browser_asks_for_it_again(
    server: Server,
) -> None:
    whole = (STATIC / "static/js" / PLOTLY).read_text()
    answer, body = ask(server, f"/static/js/{PLOTLY}", Accept_Encoding="gzip")
    sent = gzip.decompress(body).decode()
    assert sent == plotly_script.lean(whole)
    assert len(body) < 0.25 * len(whole)
    # Under the name that Streamlit gave it may come another one tomorrow.
    assert answer.headers["Cache-Control"] == "no-cache"
    tag = answer.headers["ETag"]
    again, body = ask(server, f"/static/js/{PLOTLY}", Accept_Encoding="gzip", If_None_Match=tag)
    assert (again.status, body) == (304, b"")
    other, _ = ask(server, f"/static/js/{PLOTLY}", Accept_Encoding="gzip", If_None_Match='"x"')
    assert other.status == 200


def test_an_answer_does_not_wait_for_the_browser_to_acknowledge_its_head(server: Server) -> None:
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    took = []
    for _ in range(31):
        begun = perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        took.append(perf_counter() - begun)
    connection.close()
    # Linux acknowledges after 40 ms what comes alone; the first few of a connection at once. That
    # keeps back every answer, a busy machine only some.
    assert sorted(took[10:])[4] < 0.03


def test_what_is_no_file_is_not_ours(server: Server) -> None:
    for path in ("/static/js/nothing.js", "/static/js/%2e%2e/x.js", "/static/js/../../secrets.js"):
        answer, _ = ask(server, path, Accept_Encoding="gzip")
        assert "immutable" not in answer.headers.get("Cache-Control", ""), path
        assert not answer.headers.get("Content-Type", "").startswith("text/javascript"), path
