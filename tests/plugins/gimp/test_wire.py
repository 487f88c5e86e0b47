"""The plug-in's own calls, against a real server, and against things that are none."""

import base64
import contextlib
import io
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

import serving
import working
from patience import until
from stable_horde import kinds, transport
from stable_horde.errand import Asked, Errand, Outcome, Standing
from stable_horde.errors import (
    Cancelled,
    NotMade,
    Refused,
    TookTooLong,
    Trouble,
    Unreachable,
    WrongContract,
)
from stable_horde.events import read
from stable_horde.transport import Transport
from stable_horde.wanted import Wanted
from stable_horde.wire import VERSIONED, Horde

SECONDS = 60


@pytest.fixture(scope="module")
def server(databases, tmp_path_factory):
    """A real server, without a worker."""
    with (
        databases.fresh("sqlite") as url,
        serving.process(
            tmp_path_factory.mktemp("horde"), database_url=url, default_models="[]"
        ) as running,
    ):
        yield running


@contextlib.contextmanager
def answering(answer):
    """A server that gives one answer to whatever is asked: `answer(handler)`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.server_close()


def says(content, *, status=200, **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def last(errand):
    """Follow an errand to its end; all its news before, and the last."""
    errand.start()
    news = []
    while True:
        news.append(errand.news.get(timeout=SECONDS))
        if not isinstance(news[-1], Asked | Standing):
            return news[:-1], news[-1]


def body(**params):
    wanted = Wanted(prompt="a red fox", **params)
    return wanted.body(64, 64)


def test_a_picture_is_asked_for_followed_and_fetched(server, tmp_path):
    owner = server.user("Maker", oauth_id="g_maker")
    horde = Horde(f"{server.url}/api/v2/", owner.key)
    assert horde.heartbeat()
    assert horde.user()["username"] == owner.alias
    assert horde.price(body()) > 0
    with working.process(server.url, owner.key, light=True, data_dir=tmp_path):
        news, outcome = last(Errand(horde, body(n=2, steps=20), total=2))
        until(horde.models)  # what a server says of its workers may be a second old
    assert isinstance(news[0], Asked)
    assert news[0].kudos > 0
    assert isinstance(outcome, Outcome)
    pictures = [Image.open(io.BytesIO(each.content)) for each in outcome.pictures]
    assert [picture.size for picture in pictures] == [(64, 64)] * 2
    assert any(isinstance(each, Standing) and 0 < each.fraction < 1 for each in news)


def test_a_cancelled_request_is_cancelled_at_the_horde(server):
    horde = Horde(server.url)
    errand = Errand(horde, body(), total=1)
    errand.start()
    asked = errand.news.get(timeout=SECONDS)
    errand.cancel()
    ended = asked
    while isinstance(ended, Asked | Standing):
        ended = errand.news.get(timeout=SECONDS)
    assert isinstance(ended, Cancelled)
    check = horde.check(asked.id)
    assert (check["waiting"], check["processing"]) == (0, 0)


def test_a_request_that_is_left_goes_on_and_can_be_followed_again(server):
    horde = Horde(server.url)
    errand = Errand(horde, body(), total=1)
    errand.start()
    asked = errand.news.get(timeout=SECONDS)
    errand.leave()
    assert errand.join(SECONDS)
    assert horde.check(asked.id)["waiting"] == 1
    _news, ended = last(Errand(horde, request_id=asked.id, limit_seconds=0))
    assert isinstance(ended, TookTooLong)
    horde.cancel(asked.id)


def test_forms_are_asked_for_and_cancelled(server):
    owner = server.user("Describer", oauth_id="g_describer")
    horde = Horde(server.url, owner.key)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    source = base64.b64encode(out.getvalue()).decode()
    asked = horde.ask_forms({"forms": [{"name": "caption"}], "source_image": source})
    assert kinds.FORMS.check(horde, asked["id"])["waiting"] == 1
    kinds.FORMS.cancel(horde, asked["id"])
    assert kinds.FORMS.check(horde, asked["id"])["done"]


def test_a_wrong_key_is_told_in_the_words_of_the_horde(server):
    with pytest.raises(Refused) as refused:
        Horde(server.url, "no-such-key").ask(body())
    assert refused.value.code == "InvalidAPIKey"
    assert "no-such-key" not in str(refused.value)


def test_what_the_horde_does_not_take_is_named(server):
    with pytest.raises(Refused, match="steps"):
        Horde(server.url).ask({**body(), "params": {"steps": 10_000}})


def test_a_request_that_nobody_knows_is_said_to_be_gone(server):
    gone = "00000000-0000-4000-8000-000000000000"
    _news, ended = last(Errand(Horde(server.url), request_id=gone))
    assert isinstance(ended, Refused)
    assert ended.code == "RequestNotFound"


def test_a_server_that_is_away_is_told_with_what_to_do():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match=r"Is the horde running"):
        Horde(f"http://127.0.0.1:{port}").heartbeat()


@pytest.mark.parametrize(
    "answer",
    [
        says(b"<html>a router's page</html>", Content_Type="text/html"),
        says(b"[]"),
        says(b"{}"),
        says(b"not here", status=404),
        says(b"", status=302, Location="https://elsewhere.test/"),
    ],
)
def test_what_is_no_horde_is_told_so(answer):
    with answering(answer) as url, pytest.raises(WrongContract, match="address"):
        Horde(url).heartbeat()


def test_a_horde_that_speaks_another_contract_is_told_apart():
    def later(handler):
        is_description = handler.path == "/api/swagger.json"
        paths = b'{"paths": {"/v3/pictures": {}, "/v4/pictures": {}, "/docs": {}}}'
        says(paths if is_description else b"no", status=200 if is_description else 404)(handler)

    with answering(later) as url, pytest.raises(WrongContract, match="speaks v3, v4 of the API"):
        Horde(url).heartbeat()


def test_a_horde_describes_the_contract_that_the_plug_in_speaks(server):
    described = Transport(server.url, "").call("GET", "/swagger.json")
    assert {match[1] for path in described["paths"] if (match := VERSIONED.match(path))} >= {"v2"}


def test_a_key_never_follows_a_redirect():
    keys = []

    def collect(handler):
        keys.append(handler.headers.get("apikey"))
        says(b"{}")(handler)

    with answering(collect) as elsewhere:
        with (
            answering(says(b"", status=302, Location=elsewhere)) as url,
            pytest.raises(WrongContract),
        ):
            Horde(url, "secret").user()
        with answering(says(b"", status=302, Location=elsewhere)) as url, pytest.raises(NotMade):
            Horde("http://127.0.0.1:1", "secret").download(f"{url}/picture")
    assert keys == [None]


def test_an_answer_that_never_ends_is_left(monkeypatch):
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 10_000)

    def endless(handler):
        says(b"")(handler)
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"x" * 1000)

    with answering(endless) as url, pytest.raises(NotMade, match="more than 10000 bytes"):
        Horde(url).heartbeat()


def test_a_server_that_says_nothing_is_left():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unreachable, match="did not answer in time"):
            Transport(url, "").call("GET", "/v2/status/heartbeat", seconds=0.2)


@pytest.mark.parametrize("img", ["<html>", "aGVsbG8=", "", "ftp://horde.test/a.webp"])
def test_what_is_no_picture_is_never_opened(img):
    with pytest.raises(NotMade, match="no picture"):
        Horde("http://127.0.0.1:1").download(img)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "horde.test",
        "file:///etc/passwd",
        "http://",
        "http://a b",
        "http://x:y",
        "https://me:pw@h",
    ],
)
def test_what_is_no_address_is_refused_before_it_is_called(url):
    with pytest.raises(Trouble):
        Horde(url)


def test_a_key_with_a_line_break_is_refused():
    with pytest.raises(Trouble, match="API key"):
        Horde("http://127.0.0.1:1", "key\r\nX-Evil: 1")


def test_events_are_read_whatever_is_between_them():
    stream = io.BytesIO(
        b': hello\n\nevent: status\r\ndata: {"finished": 1}\r\n\r\nevent: x\ndata: [1]\n\n'
        b'data: {broken\n\nevent: end\ndata: {"done": true}\n\nevent: late\ndata: {}'
    )
    assert list(read(stream)) == [("status", {"finished": 1}), ("end", {"done": True})]
