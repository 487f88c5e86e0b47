"""What others wrote is shown at the terminal, and nothing in it is obeyed."""

import io

import pytest
from rich.table import Table

from cli import terminal

HOSTILE = "wk\x1b]0;PWNED\x07\x1b[31m\u202eevil\x9b2J\r"


@pytest.fixture
def screen(monkeypatch):
    """What a terminal gets of both streams."""
    screen = io.StringIO()
    monkeypatch.setenv("TERM", "xterm-256color")  # whatever runs the tests has
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("output", "errors"):
        console = terminal.PlainConsole(
            file=screen, force_terminal=True, highlight=False, markup=False, soft_wrap=True
        )
        monkeypatch.setattr(terminal, name, console)
    return screen


def test_a_line_is_only_text(screen):
    terminal.output.print(f"made by {HOSTILE}")
    assert screen.getvalue() == "made by wk ]0;PWNED  [31m evil 2J \n"


def test_a_cell_of_a_table_is_only_text(screen):
    table = Table("worker", box=None, show_header=False)
    table.add_row(HOSTILE)
    terminal.output.print(table)
    assert not {"\x1b]", "\x1b[31m", "\u202e", "\x9b", "\x07"} & set(screen.getvalue())
    assert "PWNED" in screen.getvalue()
    assert "\x1b]" not in screen.getvalue()


def test_the_line_that_changes_is_only_text(screen):
    with terminal.progress("asking") as show:
        show(f"being made by [bold]{HOSTILE}[/bold]")
    assert "\x1b]0" not in screen.getvalue()
    assert "\u202e" not in screen.getvalue()


def test_lines_stay_lines(screen):
    terminal.errors.print("one\n\ttwo é 🦊")
    assert "one\n" in screen.getvalue()
    assert "two é 🦊" in screen.getvalue()


def test_what_is_too_long_for_the_line_that_changes_goes_on_below(screen, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    with terminal.progress("asking") as show:
        show("no worker can make it; nobody offers a model named sunrise")
    lines = [line.rstrip() for line in screen.getvalue().splitlines()]
    assert any(line.endswith("nobody offers a") for line in lines)
    assert any(line.endswith("model named sunrise") for line in lines)


def test_the_bar_has_colours_and_the_words_beside_it_have_none(screen):
    with terminal.progress("asking") as show:
        show("being made")
        show.at(0.5)
    assert "\x1b[2m━━━━━━━━━━━━\x1b[0m  50% being made" in screen.getvalue()
    assert "\x1b[32m━━━━━━━━━━━━\x1b[0m" in screen.getvalue()


def test_a_table_that_is_no_terminals_has_a_line_for_each_row(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "output", terminal.PlainConsole(soft_wrap=True))
    wide = terminal.Column[str]("WORDS", lambda one: one, wraps=True)
    terminal.show(terminal.table(["fox " * 50, "owl"], wide, wide, nothing=""))
    lines = capsys.readouterr().out.splitlines()
    assert [line[:5] for line in lines] == ["WORDS", "fox f", "owl"[:5] + "  "]
