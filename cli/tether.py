"""Runs a module as a program that does not outlive its starter.

`python -m cli.tether MODULE ARGUMENTS…` is `python -m MODULE ARGUMENTS…` with a thread that reads
standard input, a pipe whose other end only the starter holds. The pipe ends when the starter does,
in whatever way; the program is then asked to end (SIGTERM) and, if it does not, killed with its
process group.
"""

import contextlib
import os
import runpy
import signal
import sys
import threading
import time
from typing import Final

PATIENCE_SECONDS: Final = 30.0
"""The time to finish jobs in hand: about one picture."""


def main() -> None:
    """Run the module that the command line names."""
    threading.Thread(target=_watch, name="tether", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _watch() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_SECONDS)
    leads_its_group = os.getpgrp() == os.getpid()
    (os.killpg if leads_its_group else os.kill)(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
