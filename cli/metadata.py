"""How a picture was made, written into its file as other programs look for it.

The text is the one that A1111 began with and that most programs read: the prompt, `Negative
prompt: …`, and a line of parameters. PNG has it as the text `parameters`, JPEG and WebP as EXIF's
user comment. A WebP is not encoded again for it: the chunk is put into the file as it is.
"""

import struct
from collections.abc import Mapping
from typing import Any, Final

USER_COMMENT: Final = 0x9286
EXIF_POINTER: Final = 0x8769
_NAMES: Final = {
    "steps": "Steps",
    "sampler_name": "Sampler",
    "cfg_scale": "CFG scale",
    "clip_skip": "Clip skip",
    "denoising_strength": "Denoising strength",
}
_EXIF_FLAG: Final = 0x08
_ALPHA_FLAG: Final = 0x10
_MAX_BYTES: Final = 60_000
"""JPEG has room for 64 kB."""


def text(body: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """The text. body: the request's. made: seed, model and worker of the picture."""
    prompt, _, negative = str(body["prompt"]).partition("###")
    params = body.get("params", {})
    told = {name: params[key] for key, name in _NAMES.items() if key in params}
    if "width" in params and "height" in params:
        told["Size"] = f"{params['width']}x{params['height']}"
    told |= {"Seed": made["seed"], "Model": made["model"], "Worker": made["worker"]}
    lines = [prompt.strip()]
    if negative.strip():
        lines.append(f"Negative prompt: {negative.strip()}")
    lines.append(", ".join(f"{name}: {value}" for name, value in told.items()))
    return "\n".join(lines)


def exif(words: str) -> bytes:
    """EXIF with a user comment, beginning with `Exif` and two zeros, as Pillow writes it."""
    from PIL import Image  # noqa: PLC0415 - few commands need it

    # UTF-16 in the byte order of the file, which Pillow writes with the most significant one first.
    encoded = words.encode("utf-16-be")[:_MAX_BYTES]
    written = Image.Exif()
    written.get_ifd(EXIF_POINTER)[USER_COMMENT] = b"UNICODE\0" + encoded
    return bytes(written.tobytes())


def into_webp(webp: bytes, words: str) -> bytes:
    """The same picture with EXIF (Google's WebP container specification, extended format).

    A file that is not as expected is given back as it is.
    """
    chunks = _chunks(webp)
    if not chunks or any(name in {b"EXIF", b"ANIM"} for name, _ in chunks):
        return webp
    head = dict(chunks).get(b"VP8X") or _extended(*chunks[0])
    if head is None:
        return webp
    flagged = bytes([head[0] | _EXIF_FLAG]) + head[1:]
    rest = [(name, content) for name, content in chunks if name != b"VP8X"]
    content = exif(words).removeprefix(b"Exif\0\0")
    body = b"".join(map(_chunk, [(b"VP8X", flagged), *rest, (b"EXIF", content)]))
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _chunks(webp: bytes) -> list[tuple[bytes, bytes]]:
    if webp[:4] != b"RIFF" or webp[8:12] != b"WEBP":
        return []
    found, place = [], 12
    while place + 8 <= len(webp):
        name, size = webp[place : place + 4], struct.unpack_from("<I", webp, place + 4)[0]
        found.append((name, webp[place + 8 : place + 8 + size]))
        place += 8 + size + size % 2
    return found


def _chunk(part: tuple[bytes, bytes]) -> bytes:
    name, content = part
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _extended(name: bytes, content: bytes) -> bytes | None:
    """The extended header of a simple file, by its first chunk; None if it is not one."""
    if name == b"VP8 " and content[3:6] == b"\x9d\x01\x2a":
        width, height = (int(side) & 0x3FFF for side in struct.unpack_from("<HH", content, 6))
        alpha = False
    elif name == b"VP8L" and content[:1] == b"\x2f":
        bits = int(struct.unpack_from("<I", content, 1)[0])
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        alpha = bool(bits >> 28 & 1)
    else:
        return None
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes([_ALPHA_FLAG if alpha else 0, 0, 0, 0]) + sides
