"""The protocol between server and decoder: a head, then the picture or a reason."""

import struct
from enum import IntEnum
from typing import Final

TASK: Final = struct.Struct("!IIIBBQ")
"""The most pixels, the quality, the most pixels without loss, whether it is base64, the seconds of
CPU, the length."""
ANSWER: Final = struct.Struct("!BI")
"""The outcome, and the length."""


class Outcome(IntEnum):
    """The outcome; all but DONE are followed by a reason."""

    DONE = 0
    FAILED = 1
    NO_PICTURE = 2
    TOO_LARGE = 3
