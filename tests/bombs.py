"""Pictures that are small to send and long to decode."""

from io import BytesIO

from PIL import Image


def scans(width, height, extra):
    """A progressive JPEG whose last scan, of some twenty bytes, is there `extra` times more."""
    file = BytesIO()
    Image.new("RGB", (width, height), (120, 130, 140)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last = content.rindex(b"\xff\xda")
    end = len(content) - 2  # what ends the file
    return content[:end] + content[last:end] * extra + content[end:]
