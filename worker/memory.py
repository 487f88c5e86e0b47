"""How much memory processes have."""

import os
from pathlib import Path


def resident(pid: int | None) -> int | None:
    """Give a process's resident bytes; None for this one.

    None is the answer where the system does not say (elsewhere than on Linux), or it is gone.
    """
    try:
        pages = Path(f"/proc/{pid or 'self'}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
