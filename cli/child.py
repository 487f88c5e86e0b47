"""A process that `horde` starts: tethered, with its output kept, and ended in order."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Final, cast

from cli.claim import privately
from cli.exits import Exit, Failure

LOG_BYTES: Final = 1024 * 1024
LOG_FILES: Final = 3
LAST_WORDS: Final = 15
"""Lines that are shown when it dies."""
REAP_SECONDS: Final = 10.0


class PrivateLog(RotatingFileHandler):
    """A log that only its owner can read. Lines that cannot be written are dropped."""

    def _open(self) -> TextIOWrapper:
        opened = open(  # noqa: SIM115 - held open by the handler
            self.baseFilename, self.mode, encoding=self.encoding, opener=privately
        )
        return cast("TextIOWrapper", opened)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Ignore it: the next line may find room again, and the terminal is for the horde."""


class Child:
    """A module of this project in a process group of its own, so that Ctrl-C reaches only `horde`.

    name: for people.
    arguments: the module and its arguments, as for `python -m`.
    log: file for all its output, kept to a few MiB.
    on_line: called with each line of its standard output.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        log: Path,
        on_line: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name = name
        self.log = log
        self._arguments = arguments
        self._environment = environment
        self._on_line = on_line
        self._process: subprocess.Popen[bytes] | None = None
        self._last = deque[str](maxlen=LAST_WORDS)

    @property
    def last_words(self) -> str:
        """The end of what it has printed."""
        return "\n".join(f"    {line}" for line in self._last)

    async def run(self) -> int:
        """Start it and wait until it ends. Returns the exit status, negative for a signal.

        Its own children do not outlive it. When cancelled, it is killed: call `end` before to end
        it in order.
        """
        self._last.clear()
        with contextlib.closing(self._open_log()) as log, self._start() as process:
            readers = asyncio.gather(
                self._read(process.stdout, log, self._on_line),
                self._read(process.stderr, log, lambda _: None),
            )
            self._process = process
            try:
                # Not asyncio's own wait, which also waits for processes that inherited the pipes.
                return await asyncio.to_thread(process.wait)
            finally:
                self.kill()
                self._process = None
                await asyncio.wait_for(readers, REAP_SECONDS)

    def end(self) -> None:
        """Ask it to finish what it has in hand and to end."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now, with all its own children."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _start(self) -> subprocess.Popen[bytes]:
        # -P: a folder named `core` in the working directory is not our package.
        return subprocess.Popen(  # noqa: S603 - this program's own modules
            (sys.executable, "-P", "-u", "-m", "cli.tether", *self._arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
            umask=0o077,
        )

    def _open_log(self) -> "PrivateLog":
        try:
            self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError:
            message = f"{self.log.parent} is in the way: logs are kept in a folder of that name."
            raise Failure(Exit.FAILED, message) from None
        except OSError as error:
            raise self._not_written(error) from error
        try:
            return PrivateLog(
                self.log, maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8"
            )
        except OSError as error:
            raise self._not_written(error) from error

    def _not_written(self, error: OSError) -> Failure:
        return Failure(Exit.FAILED, f"The log {self.log} cannot be written: {error.strerror}.")

    async def _read(
        self,
        pipe: IO[bytes] | None,
        log: RotatingFileHandler,
        on_line: Callable[[str], None],
    ) -> None:
        stream = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), pipe
        )
        rest = b""
        while chunk := await stream.read(64 * 1024):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._keep(line, log, on_line)
        if rest:
            self._keep(rest, log, on_line)

    def _keep(self, line: bytes, log: RotatingFileHandler, on_line: Callable[[str], None]) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        self._last.append(text)
        log.emit(logging.makeLogRecord({"msg": text}))
        on_line(text)
