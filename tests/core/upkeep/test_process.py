"""Upkeep in a process of its own."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime

import processes


def test_upkeep_that_is_stopped_lets_go_of_its_lease(sqlite_url, tmp_path):
    variables = {"HORDE_DATABASE_URL": sqlite_url, "HORDE_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "core", "upkeep"]
    running = subprocess.Popen(command, cwd=processes.ROOT, env=os.environ | variables)
    try:
        with sqlite3.connect(sqlite_url.partition("///")[2], timeout=30) as database:

            def until():
                found = database.execute("select until from leases where duty = 'upkeep'")
                return next((row[0] for row in found), None)

            ends = time.monotonic() + 60
            while until() is None:
                assert running.poll() is None
                assert time.monotonic() < ends
                time.sleep(0.05)  # nobody tells what another process has written
            running.send_signal(signal.SIGTERM)
            assert running.wait(30) == 0
            given_up = datetime.fromisoformat(until()).replace(tzinfo=UTC)
            assert given_up <= datetime.now(UTC)
    finally:
        running.kill()
        running.wait()
