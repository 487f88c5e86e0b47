"""QR codes as maps, for networks that hold a picture to their squares."""

import segno
from PIL import Image
from segno import DataOverflowError

from worker.image.sizes import Size
from worker.renderer import CannotRender

LEVELS = ("h", "q", "m", "l")
"""Of error correction: the more, the more of the squares may be painted over. In that order."""
QUIET = 4
"""Squares around a code that are to be light (ISO/IEC 18004)."""
GROUND = (128, 128, 128)
"""Around the code, where a network is to hold to nothing."""
MIN_PIXELS = 8
"""Of a square's side, which is a latent's: smaller ones cannot be drawn."""


def map_of(text: str, size: Size) -> Image.Image:
    """Draw a code in the middle of a map. Raises CannotRender where it is too long to be read."""
    code = _code(text)
    squares = int(code.symbol_size(border=QUIET)[0])
    pixels = min(size.width, size.height) // squares
    if pixels < MIN_PIXELS:
        raise CannotRender(
            f"a code of so long a text has {squares} squares a side, too many for {size}"
        )
    rows = [bytes(0 if dark else 255 for dark in row) for row in code.matrix_iter(border=QUIET)]
    drawn = Image.frombytes("L", (squares, squares), b"".join(rows))
    drawn = drawn.resize((squares * pixels, squares * pixels), Image.Resampling.NEAREST)
    made = Image.new("RGB", (size.width, size.height), GROUND)
    made.paste(drawn, ((size.width - drawn.width) // 2, (size.height - drawn.height) // 2))
    return made


def _code(text: str) -> segno.QRCode:
    for level in LEVELS:
        try:
            return segno.make_qr(text, error=level, boost_error=False)
        except DataOverflowError:
            continue
    raise CannotRender("the text is too long for a QR code")
