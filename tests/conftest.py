"""What every test may ask for: fresh databases on each engine, a Valkey, Chromium, a free port."""

import contextlib
import itertools
import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest
import redis

import browser
import databases as clones
import services

SERVERS = pytest.StashKey[clones.Servers]()
CHROMIUM = pytest.StashKey[str | None]()
LEFT_OUT = pytest.StashKey[int]()
FOUND = {"chromium": CHROMIUM, "left out": LEFT_OUT}  # by the names that workers have for them

NO_SDK = sys.version_info >= (3, 12)
collect_ignore = ["compat/test_horde_sdk.py"] if NO_SDK else []

VALKEY_DATABASES_A_WORKER = 64
NUMBERS = itertools.count()


def pytest_configure(config):
    for name in [
        name for name in os.environ if name.startswith(("HORDE_", "WORKER_", "WEB_", "BOT_"))
    ]:
        del os.environ[name]  # a developer's own settings must not decide a test
    running = contextlib.ExitStack()
    config.add_cleanup(running.close)
    room = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="horde-tests")))
    os.environ["XDG_DATA_HOME"] = str(room / "data")  # nobody's own data is read or written
    addresses = getattr(config, "workerinput", {}).get("servers")
    config.stash[SERVERS] = clones.Servers(room, addresses)
    running.callback(config.stash[SERVERS].close)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Start everything before pytest-xdist's workers, of which none may start a server again."""
    node.workerinput["servers"] = node.config.stash[SERVERS].all()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """Keep for the summary what a worker of pytest-xdist found when it collected."""
    for key, value in getattr(node, "workeroutput", {}).get("found", []):
        node.config.stash[FOUND[key]] = value


def pytest_itemcollected(item):
    if "chromium_path" in item.fixturenames:
        item.add_marker("browser")


@pytest.hookimpl(trylast=True)  # after -m and -k have had their say
def pytest_collection_modifyitems(config, items):
    if os.environ.get("BROWSER") != "none":
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    config.stash[LEFT_OUT] = len(left_out)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("browser")]


def pytest_collection_finish(session):
    """Look for Chromium before the first test: an installation may take longer than a test may."""
    config = session.config
    if any(item.get_closest_marker("browser") for item in session.items):
        config.stash[CHROMIUM] = None if config.option.collectonly else browser.find()
    if hasattr(config, "workeroutput"):
        config.workeroutput["found"] = [
            (name, config.stash[key]) for name, key in FOUND.items() if key in config.stash
        ]


def pytest_terminal_summary(terminalreporter, config):
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"BROWSER=none: {left_out} tests of the page left out")
    if config.stash.get(CHROMIUM, "not needed") is None and not config.option.collectonly:
        terminalreporter.write_line(browser.NONE, red=True)
    if NO_SDK:
        terminalreporter.write_line("horde-sdk 0.18.0 needs Python 3.11: not tried on this one")


@pytest.fixture(scope="session")
def chromium_path(request):
    """Path of a Chromium."""
    path = request.config.stash.get(CHROMIUM, None)
    if path is None:
        pytest.fail(browser.NONE, pytrace=False)
    return path


@pytest.fixture(scope="session")
def databases(request, tmp_path_factory):
    """Makes databases, where one a test is not enough: `with databases.fresh("sqlite") as url`."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    room = tmp_path_factory.mktemp("databases")
    return clones.Databases(request.config.stash[SERVERS], room, f"horde_{worker}")


@pytest.fixture(params=clones.ENGINES)
def database_url(request, databases):
    """URL of a fresh, migrated database; the test runs once on each engine."""
    with databases.fresh(request.param) as url:
        yield url


@pytest.fixture
def sqlite_url(databases):
    """URL of a fresh, migrated SQLite file."""
    with databases.fresh("sqlite") as url:
        yield url


@pytest.fixture
def postgres_url(databases):
    """URL of a fresh, migrated PostgreSQL database."""
    with databases.fresh("postgres") as url:
        yield url


@pytest.fixture
def redis_url(request):
    """URL of an empty database of a real Valkey; its channels are shared by all databases."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    first = int(worker.removeprefix("gw")) * VALKEY_DATABASES_A_WORKER % services.VALKEY_DATABASES
    number = first + next(NUMBERS) % VALKEY_DATABASES_A_WORKER
    url = f"{request.config.stash[SERVERS].valkey()}?db={number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def free_port():
    """A TCP port of the loopback address that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
