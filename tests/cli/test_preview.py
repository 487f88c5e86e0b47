"""Pictures in the terminal, in the way that this one understands."""

import base64
import io
import re

import pytest
from PIL import Image

from cli import preview, terminal

RED, BLUE = (200, 10, 10), (10, 10, 200)


@pytest.fixture
def picture():
    """Red above, blue below."""
    made = Image.new("RGB", (8, 8), RED)
    made.paste(BLUE, (0, 4, 8, 8))
    return made


@pytest.fixture
def shown(monkeypatch, picture):
    """What a terminal gets, by its name."""

    def show(*, program="", term="xterm-256color", **options):
        screen = io.StringIO()
        options = {"force_terminal": True, "color_system": "truecolor", "width": 80} | options
        console = terminal.PlainConsole(file=screen, soft_wrap=True, **options)
        monkeypatch.setattr(terminal, "output", console)
        monkeypatch.setenv("TERM", term)
        monkeypatch.setenv("TERM_PROGRAM", program)
        preview.show_one(picture)
        return screen.getvalue()

    return show


def same(text, picture):
    with Image.open(io.BytesIO(base64.b64decode(text))) as found:
        return (found.format, found.tobytes()) == ("PNG", picture.tobytes())


@pytest.mark.parametrize("named", [{"term": "xterm-kitty"}, {"program": "WezTerm"}])
def test_kitty_gets_it_in_chunks(shown, picture, monkeypatch, named):
    monkeypatch.setattr(preview, "CHUNK", 16)
    commands = re.findall("\x1b_G(.*?);(.*?)\x1b\\\\", shown(**named))
    assert [keys for keys, _ in commands] == [
        "a=T,f=100,m=1",
        *["m=1"] * (len(commands) - 2),
        "m=0",
    ]
    assert same("".join(piece for _, piece in commands), picture)


def test_iterm_gets_it_in_one_piece(shown, picture):
    (text,) = re.findall(
        "\x1b]1337;File=inline=1;preserveAspectRatio=1:(.*)\x07", shown(program="iTerm.app")
    )
    assert same(text, picture)


def test_others_get_half_blocks_in_its_colours(shown):
    lines = shown().splitlines()
    assert [line.count("▀") for line in lines] == [8] * 4
    above, below = (";".join(map(str, colour)) for colour in (RED, BLUE))
    assert f"\x1b[38;2;{above};48;2;{above}m" in lines[0]
    assert f"\x1b[38;2;{below};48;2;{below}m" in lines[3]


def test_where_there_are_no_colours_or_no_terminal_nothing_is_shown(shown):
    assert shown(no_color=True) == ""
    assert shown(force_terminal=False) == ""
