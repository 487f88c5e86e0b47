"""The decoder: a process that turns pictures into WebP and may be ended at any moment.

`python -m core.images.decoder` reads tasks from its standard input and answers each on its standard
output, until its input ends, as it does when the server is gone. It has no secrets in its
environment, writes no files, and limits itself: the memory that a picture may take, and the seconds
of CPU, after which the system ends it even inside a library that does not return.
"""

import os
import resource
import signal
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from typing import Final

from core.images import pixels
from core.images.failures import ImageValidationFailed, TooManyPixels
from core.images.pixels import Task
from core.images.protocol import ANSWER, TASK, Outcome

MAX_BYTES: Final = 2 * 1024**3
"""Memory for the largest picture, several times over: decoded, converted and encoded."""
MAX_FILES: Final = 64
IDLE_NICE: Final = 5
"""The server and its database go first."""


def main() -> None:
    """Answer tasks until the input ends."""
    tasks, answers = _pipes()
    _limit()
    while len(head := tasks.read(TASK.size)) == TASK.size:
        max_pixels, quality, lossless_pixels, is_base64, seconds, length = TASK.unpack(head)
        sent = tasks.read(length)
        if len(sent) < length:
            return
        signal.setitimer(signal.ITIMER_PROF, seconds)  # nobody handles its signal: the process ends
        outcome, content = _answer(
            sent, Task(max_pixels, quality, bool(is_base64), lossless_pixels)
        )
        signal.setitimer(signal.ITIMER_PROF, 0)
        del sent
        answers.write(ANSWER.pack(outcome, len(content)))
        answers.write(content)
        answers.flush()


def _answer(sent: bytes, task: Task) -> tuple[Outcome, bytes]:
    try:
        return Outcome.DONE, pixels.convert(sent, task)
    except TooManyPixels as failed:
        return Outcome.TOO_LARGE, failed.reason.encode()
    except ImageValidationFailed as failed:
        outcome = Outcome.FAILED if failed.is_picture else Outcome.NO_PICTURE
        return outcome, failed.reason.encode()
    except MemoryError:
        return Outcome.FAILED, b"it takes more memory than a picture may"


def _pipes() -> tuple[BufferedReader, BufferedWriter]:
    """The pipes to the server; anything a library prints is discarded."""
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    return tasks, answers


def _limit() -> None:
    """Take from the process what it never needs; limits unknown to the system are skipped."""
    limits = {
        "RLIMIT_DATA": MAX_BYTES,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": MAX_FILES,
    }
    for name, bound in limits.items():
        with suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (bound, bound))
    with suppress(OSError):
        os.nice(IDLE_NICE)


if __name__ == "__main__":
    main()
