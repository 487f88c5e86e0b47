"""Finds a Chromium for the page's tests: the one there is, else Debian's, else playwright's own."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
NONE = (
    "no Chromium: none installed, none from the package manager, no download; "
    "BROWSER=none leaves the page's tests out"
)


def find() -> str | None:
    """Path of a Chromium, installed where there is none yet; None where none can be had."""
    with (Path(tempfile.gettempdir()) / f"horde-browser-{os.geteuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several processes of a run, one installs
        return _present() or _from_debian() or _from_playwright()


def _present() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None) or _playwrights()


def _playwrights() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _from_debian() -> str | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    _run("apt-get", "update", "-qq")  # a fresh machine has no lists of packages
    _run("apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium")
    return _present()


def _from_playwright() -> str | None:
    _run(sys.executable, "-m", "playwright", "install", "chromium")
    return _playwrights()


def _run(*command: str) -> None:
    """Try; whether it worked shows in what is there afterwards."""
    subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
