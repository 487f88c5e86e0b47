"""What can be wrong when a command starts: one line says what, and nothing is half done."""

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

import processes
import serving
from core.__main__ import main

SECONDS = 120
SECRET = "a secret of the tests, long enough"


def variables(data_dir, **settings):
    chosen = {"data_dir": data_dir, "port": 0, "plugins": "[]", "log_format": "text", **settings}
    return {f"HORDE_{name.upper()}": str(value) for name, value in chosen.items()}


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command of the core to its end; its exit status and what it said on stderr."""
    before = os.umask(0)

    def run(data_dir, *command, **settings):
        os.umask(0)
        for name, value in variables(data_dir, **settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["core", *(command or ("serve",))])
        capsys.readouterr()
        return main(), capsys.readouterr().err

    yield run
    os.umask(before)


def assert_one_line(told, *parts):
    status, text = told
    assert status == 1
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    for part in parts:
        assert part in text


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def migrated(run, data):
    """A data folder with a database and a secret."""
    assert run(data, "user", "create", "--name", "alice") == (0, "")
    return data


@pytest.mark.parametrize("content", [b"", b"x", b"  short but there\n"])
def test_a_secret_that_is_none(run, migrated, content):
    (migrated / "secret").write_bytes(content)
    assert_one_line(run(migrated), str(migrated / "secret"), "backup")
    assert (migrated / "secret").read_bytes() == content


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_file_that_is_no_database(run, data, command):
    (data / "horde.sqlite").write_bytes(b"something else" * 1000)
    assert_one_line(run(data, command), "no SQLite database")
    assert (data / "horde.sqlite").read_bytes() == b"something else" * 1000


def test_a_damaged_database(run, migrated):
    path = migrated / "horde.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    assert_one_line(run(migrated), "damaged")


def test_another_programs_sqlite_database(run, data):
    connection = sqlite3.connect(data / "horde.sqlite")
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = (data / "horde.sqlite").read_bytes()
    for command in ("serve", "migrate"):
        assert_one_line(run(data, command), "another program", "HORDE_DATABASE_URL")
    assert (data / "horde.sqlite").read_bytes() == before


def test_a_newer_schema(run, migrated):
    connection = sqlite3.connect(migrated / "horde.sqlite")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
    connection.close()
    for command in ("serve", "migrate"):
        assert_one_line(run(migrated, command), "newer version", "of tomorrow")


async def execute(url, *statements):
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def test_a_postgresql_that_is_not_ours_or_of_another_version(run, data, postgres_url):
    settings = {"database_url": postgres_url, "secret_key": SECRET}
    asyncio.run(execute(postgres_url, "UPDATE alembic_version SET version_num = 'of tomorrow'"))
    for command in ("serve", "migrate"):
        assert_one_line(run(data, command, **settings), "newer version")
    asyncio.run(execute(postgres_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"))
    assert_one_line(run(data, "serve", **settings), "python -m core migrate")
    asyncio.run(execute(postgres_url, "CREATE TABLE bookmarks (url text)"))
    for command in ("serve", "migrate"):
        assert_one_line(run(data, command, **settings), "another program")


def test_a_database_that_is_not_there(run, data, free_port):
    url = f"postgresql+asyncpg://horde@127.0.0.1:{free_port}/horde"
    for command in ("serve", "migrate"):
        assert_one_line(run(data, command, database_url=url, secret_key=SECRET), "reached")
    url = "postgresql+asyncpg://horde@nowhere.invalid/horde"
    assert_one_line(run(data, "migrate", database_url=url, secret_key=SECRET), "host is not known")


def test_a_data_folder_that_is_none(run, tmp_path):
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "data", Path("/proc/horde")):
        assert_one_line(run(folder), str(folder))


def test_a_port_that_is_taken_and_an_address_of_somebody_else(run, data):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_one_line(run(data, port=port), f"port {port} of 127.0.0.1")
    assert_one_line(run(data, host="192.0.2.1", port=7001), "port 7001 of 192.0.2.1")
    assert not (data / "horde.sqlite").exists()


def test_a_process_that_cannot_start_ends(data):
    """Although it has opened the database, whose threads would keep it."""
    ended = subprocess.run(
        [sys.executable, "-m", "core", "serve"],
        cwd=processes.ROOT,
        env=os.environ | variables(data, database_url=f"sqlite+aiosqlite:///{data}/empty.sqlite"),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert_one_line((ended.returncode, ended.stderr), "python -m core migrate")
    assert ended.stdout == ""


def test_settings_that_are_wrong(run, data):
    told = run(data, port="x", database_url="mysql://root:password@localhost/x")
    assert_one_line(told, "HORDE_PORT", "HORDE_DATABASE_URL")
    assert "password" not in told[1]


def untraced():
    """The environment of a process whose coverage is not taken: it could not be written."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def test_a_disk_that_is_full(migrated):
    """As full as a limit on the size of files makes it."""
    script = f"trap '' XFSZ; ulimit -f 8; exec {sys.executable} -m core user create --name bob"
    full = subprocess.run(
        ["sh", "-c", script],
        cwd=processes.ROOT,
        env=untraced() | variables(migrated),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert_one_line((full.returncode, full.stderr), "disk")
    connection = sqlite3.connect(migrated / "horde.sqlite")
    assert connection.execute("SELECT count(*) FROM users WHERE username = 'bob'").fetchone() == (
        0,
    )
    connection.close()


def modes(folder):
    """The permissions of a folder and of everything in it, by path."""
    paths = [folder, *folder.rglob("*")]
    return {str(path.relative_to(folder)): oct(path.stat().st_mode & 0o777) for path in paths}


def assert_private(folder):
    for path, mode in modes(folder).items():
        is_folder = (folder / path).is_dir()
        assert mode == ("0o700" if is_folder else "0o600"), path


@pytest.mark.parametrize(
    "command",
    [
        ("migrate",),
        ("user", "create", "--name", "alice"),
        ("user", "create", "--name", "admin", "--admin", "--key-file", "{}/admin.key"),
        ("filters", "load"),
    ],
)
def test_what_a_command_makes_is_private(run, tmp_path, command):
    folder = tmp_path / "new"
    status, told = run(folder, *(part.format(folder) for part in command))
    assert (status, told) == (0, "")
    assert (folder / "horde.sqlite").exists()
    assert_private(folder)


def test_what_stood_open_is_closed(run, migrated):
    for name in ("pictures/ab/cd", "shared", "log"):
        (migrated / name).mkdir(parents=True)
        (migrated / name / "file").touch()
    (migrated / "horde.sqlite.lock").touch()
    foreign = migrated / "a file of somebody else"
    foreign.touch()
    for path in (migrated, *migrated.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    assert run(migrated, "migrate") == (0, "")
    assert foreign.stat().st_mode & 0o777 == 0o666
    foreign.unlink()
    assert_private(migrated)


def test_a_server_keeps_its_files_to_itself(tmp_path):
    folder = tmp_path / "data"
    old = os.umask(0)
    try:
        with serving.process(folder, secret_key="") as server:
            server.user("Somebody", oauth_id="g_somebody")
            assert (folder / "horde.sqlite-wal").exists()
            assert_private(folder)
    finally:
        os.umask(old)


def test_ctrl_c_ends_what_has_not_begun_to_serve(data):
    """Here it waits for another's migration, of which it has opened the database already."""
    path = data / "horde.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with subprocess.Popen(
            [sys.executable, "-m", "core", "serve"],
            cwd=processes.ROOT,
            env=untraced() | variables(data),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                end = time.monotonic() + SECONDS
                while not has_open(process.pid, path) and time.monotonic() < end:
                    time.sleep(0.01)
                process.send_signal(signal.SIGINT)
                told = process.communicate(timeout=SECONDS)[1]
            finally:
                process.kill()
    assert (process.returncode, told) == (-signal.SIGINT, "")


def has_open(pid, path):
    found = Path(f"/proc/{pid}/fd").iterdir()
    with contextlib.suppress(FileNotFoundError):  # closed meanwhile
        return any(one.readlink() == path for one in found)
    return False


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_two_that_migrate_at_once_both_succeed(data, engine, request):
    settings = {}
    if engine == "postgres":
        url = request.getfixturevalue("postgres_url")
        asyncio.run(execute(url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"))
        settings = {"database_url": url, "secret_key": SECRET}
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "core", "migrate"],
            cwd=processes.ROOT,
            env=os.environ | variables(data, **settings),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=SECONDS)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
