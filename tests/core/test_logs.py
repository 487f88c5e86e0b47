"""Logs: one form for everything, and no secret in any line."""

import errno
import io
import json
import logging
import re
import subprocess
import sys
import warnings
from datetime import datetime
from pathlib import Path

import pytest
import structlog

from core import logs

KEY = "vJ3-k9_sQ2xXcW7bTz0aLg"
SIGNED = (
    "http://horde.test/pictures/0b6e.webp?expires=1&max_bytes=2&signature=0123abcd"  # and no more
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def logging_as_it_was():
    root = logging.getLogger()
    names = [root, *(logging.getLogger(name) for name in logs.OURS)]
    before = root.handlers, [logger.level for logger in names]
    yield
    root.handlers = before[0]
    for logger, level in zip(names, before[1], strict=True):
        logger.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


@pytest.fixture
def stream():
    stream = io.StringIO()
    logs.configure(form="json", level="debug", stream=stream)
    return stream


LOG = structlog.get_logger("core.test")


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_a_line_of_json(stream):
    LOG.info("jobs.claimed", worker="Fuchs ✓", count=2, path=Path("/x"))
    (line,) = lines(stream)
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is not None
    assert line == {
        "event": "jobs.claimed",
        "level": "info",
        "logger": "core.test",
        "worker": "Fuchs ✓",
        "count": 2,
        "path": "/x",
    }


def test_libraries_come_out_in_the_same_form(stream):
    logging.getLogger("asyncpg").warning("%s is slow", "it")
    (line,) = lines(stream)
    assert line["event"] == "it is slow"
    assert (line["logger"], line["level"]) == ("asyncpg", "warning")


def test_libraries_are_heard_from_warnings_on_and_we_from_the_level_on(stream):
    logging.getLogger("httpx").info("HTTP Request: GET /")
    LOG.debug("ours")
    assert [line["event"] for line in lines(stream)] == ["ours"]
    logs.configure(form="json", level="error", stream=stream)
    LOG.warning("no more")
    logging.getLogger("httpx").warning("nor this")
    LOG.error("but this")
    assert [line["event"] for line in lines(stream)] == ["ours", "but this"]


def test_what_is_bound_is_in_every_line_of_the_request(stream):
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        LOG.info("one")
        logging.getLogger("core.other").info("two")
    LOG.info("three")
    assert [line.get("request_id") for line in lines(stream)] == ["r1", "r1", None]


def test_an_exception_is_part_of_its_line(stream):
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        LOG.exception("upkeep.failed")
        logging.getLogger("core.other").exception("failed")
    for line in lines(stream):
        assert "ZeroDivisionError: division by zero" in line["exception"]
        assert "Traceback" in line["exception"]


def test_warnings_are_logged(stream):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert "old ways" in lines(stream)[0]["event"]


def test_configuring_again_does_not_double_lines(stream):
    logs.configure(form="json", level="info", stream=stream)
    LOG.info("once")
    assert len(lines(stream)) == 1


@pytest.mark.parametrize(
    ("form", "make", "is_json"),
    [
        ("auto", Terminal, False),
        ("auto", io.StringIO, True),
        ("text", io.StringIO, False),
        ("json", Terminal, True),
    ],
)
def test_the_form_follows_the_stream_unless_it_is_said(form, make, is_json):
    stream = make()
    logs.configure(form=form, level="info", stream=stream)
    LOG.info("jobs.claimed", worker="w")
    assert stream.getvalue().startswith("{") is is_json
    assert ("\x1b[" in stream.getvalue()) is (isinstance(stream, Terminal) and not is_json)
    assert "jobs.claimed" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    "logged",
    [
        {"apikey": KEY},
        {"api_key": KEY},
        {"API-Key": KEY},
        {"authorization": f"Bearer {KEY}"},
        {"Proxy-Authorization": KEY},
        {"headers": {"apikey": KEY, "Accept": "*/*"}},
        {"headers": [("apikey", KEY)]},
        {"request": {"headers": [{"Cookie": KEY}]}},
        {"secret_key": KEY},
        {"token": KEY},
        {"csrf_token": KEY},
        {"passkey": KEY},
        {"signature": KEY},
        {"url": SIGNED.replace("0123abcd", KEY)},
        {"query": f"expires=1&max_bytes=2&signature={KEY}"},
        {"url": f"https://s3.test/b/x.webp?X-Amz-Credential={KEY}&X-Amz-Signature=1"},
        {"url": f"https://s3.test/b/x.webp?X-Amz-Signature={KEY}&X-Amz-Credential=1"},
        {"body": f'{{"api_key": "{KEY}"}}'},
        {"body": f"{{'apikey': '{KEY}'}}"},
        {"body": f"[(b'apikey', b'{KEY}')]"},
        {"text": f"apikey: {KEY}"},
        {"text": f"Authorization: Bearer {KEY}"},
        {"text": f"authorization: Basic {KEY}=="},
        {"database": f"postgresql+asyncpg://horde:{KEY}@db.test/horde"},
        {"redis": f"redis://:{KEY}@cache.test/0"},
        {"tuple": ("x", f"token={KEY}")},
        {"body": {f"apikey={KEY}": 1}},
        {"headers": [(b"apikey", KEY.encode())]},
    ],
    ids=str,
)
def test_no_secret_is_logged(form, logged):
    stream = io.StringIO()
    logs.configure(form=form, level="info", stream=stream)
    LOG.info("it happened", **logged)
    assert KEY not in stream.getvalue()
    assert "it happened" in stream.getvalue()
    assert logs.REDACTED in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_secret_is_logged_by_libraries_contexts_or_exceptions(form):
    stream = io.StringIO()
    logs.configure(form=form, level="info", stream=stream)
    url = SIGNED.replace("0123abcd", KEY)
    logging.getLogger("httpx").warning('HTTP Request: PUT %s "HTTP/1.1 200 OK"', url)
    with structlog.contextvars.bound_contextvars(apikey=KEY):
        LOG.warning("the client sent apikey=%s", KEY)
    try:
        int(f"what came from {url}")
    except ValueError:
        LOG.exception("fetch.failed")
    assert KEY not in stream.getvalue()
    assert "200 OK" in stream.getvalue()
    assert "what came from http://horde.test/pictures/0b6e.webp" in stream.getvalue()


def test_what_is_no_secret_stays(stream):
    kept = {
        "url": "http://horde.test/v2/generate/check/1?wait=3",
        "path": "/v2/status/models?type=image&signatures=2",
        "max_tokens": 512,
        "database": "sqlite+aiosqlite:////var/lib/horde/horde.sqlite",
        "address": "http://[::1]:7001/x",
        "contact": "mail me@horde.test",
        "seed": "1234",
        "none": None,
        "flag": True,
        "kudos": 1.5,
        "list": ["a", 1],
        "more": {"model": "stable_diffusion", "n": 2},
    }
    LOG.info("request", **kept)
    (line,) = lines(stream)
    assert {name: line[name] for name in kept} == kept


@pytest.mark.parametrize(
    "piece", ["token", "token ", "?", "?a", "://", "://a:", "a-", " ", "a", "x="]
)
@pytest.mark.timeout(20)
def test_a_long_text_costs_in_proportion(stream, piece):
    LOG.info(piece * 200_000)
    assert len(lines(stream)) == 1


def test_logs_go_to_standard_error_where_nothing_is_said():
    script = (
        "from core import logs; import structlog; logs.configure(form='auto', level='info');"
        "structlog.get_logger('core.x').info('there', apikey='k')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""
    assert json.loads(done.stderr)["event"] == "there"
    assert re.search(r'"apikey": "\[redacted\]"', done.stderr)


def test_a_full_disk_is_one_line_and_a_defect_has_its_traceback(stream):
    def fail(error):
        raise error

    for error in (OSError(errno.ENOSPC, "No space left on device"), ValueError("a defect")):
        try:
            fail(error)
        except Exception:
            LOG.exception("upkeep failed")
    full, defect = lines(stream)
    assert full["reason"] == "the disk cannot be written: No space left on device"
    assert "exception" not in full
    assert "ValueError: a defect" in defect["exception"]
