"""How much memory processes have, and how they give it back."""

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
LARGE_BYTES: Final = 128 * 1024
"""glibc's own first limit. Left alone, it raises it to the largest block that was ever freed, and
keeps such blocks from then on: those of pictures."""


def resident(pid: int | None) -> int | None:
    """Give a process's resident bytes; None for this one.

    None is the answer where the system does not say (elsewhere than on Linux), or it is gone.
    """
    try:
        pages = Path(f"/proc/{pid or 'self'}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def return_large_blocks() -> bool:
    """Have this process return the memory of pictures as soon as nobody uses it.

    Returns whether that could be arranged: with glibc alone; others do so or cannot be told.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return all([mallopt(M_MMAP_THRESHOLD, LARGE_BYTES), mallopt(M_TRIM_THRESHOLD, LARGE_BYTES)])
