"""Texts on a terminal: they are written as they grow, and what is written is not written again."""

import asyncio
import os
import pty
import subprocess
import sys
import threading

import pytest

import serving
from cli import streaming, terminal
from core.client import HordeClient
from core.wire.progress import ProgressInput
from core.wire.text import PopInputKobold, SubmitInputKobold

pytestmark = pytest.mark.timeout(200)


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        (" Hello", "Hello"),
        ("Hello \n", "Hello"),
        ("Hello\nUse", "Hello"),
        ("Hello\nUser: and then?", "Hello"),
        ("Hello\nUseful", "Hello\nUseful"),
    ],
)
def test_what_may_still_be_cut_off_is_not_written_yet(text, stays):
    assert streaming.settled(text, "User:") == stays
    assert streaming.settled(text) == text.strip()


def test_news_are_written_once_and_what_begins_anew_on_a_line_of_its_own(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "output", terminal.PlainConsole(soft_wrap=True))
    stream = streaming.Stream("User:")
    for text in ("", "One", "One two", "One", "One two \x1b[31mthree", "Other", "Other\nUser"):
        stream.so_far(text)
    stream.end("Other words")
    assert capsys.readouterr().out == "One two  [31mthree\n\nOther words\n"


class Screen:
    """A terminal, on which a command runs. text: what it has shown so far."""

    def __init__(self, town, *arguments):
        here, there = pty.openpty()
        self.text, self._here, self._more = "", here, threading.Condition()
        environment = {**town.environment(), "TERM": "xterm-256color"}
        self.command = subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=there,
            stderr=there,
            env=environment,
        )
        os.close(there)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def shows(self, words, seconds=60):
        with self._more:
            assert self._more.wait_for(lambda: words in self.text, seconds), self.text

    def end(self):
        status = self.command.wait(60)
        self._reader.join(60)
        os.close(self._here)
        return status

    def _read(self):
        while some := self._some():
            with self._more:
                self.text += some
                self._more.notify_all()

    def _some(self):
        try:
            return os.read(self._here, 65536).decode(errors="replace")
        except OSError:
            return ""  # the command has ended


def test_a_text_comes_word_by_word(town):
    """The second word is written once the first one is on the screen."""
    first = threading.Event()

    async def write():
        async with HordeClient(town.server.url, town.owner.key) as client:
            offer = serving.offer(name="Writer", models=["story"], max_length=512)
            offer |= {"max_context_length": 4096, "wait": 30}
            job = await client.text.pop(PopInputKobold.model_validate(offer))
            said = {"jobs": [{"id": job.id, "text": "Once upon"}], "step": 2, "steps": 16}
            while not first.is_set():  # whoever connects later is not told again
                await client.progress(ProgressInput.model_validate(said))
                await asyncio.to_thread(first.wait, 0.6)
            await client.text.submit(SubmitInputKobold(id=job.id, generation="Once upon a time."))

    writer = threading.Thread(target=asyncio.run, args=(write(),))
    writer.start()
    screen = Screen(town, "text", "Tell me", "-m", "story", "-l", "16")
    try:
        screen.shows("Once upon")
        assert "kudos" not in screen.text
    finally:
        first.set()
        writer.join(60)
        status = screen.end()
    assert status == 0, screen.text
    assert screen.text.count("Once") == 1
    assert "Once upon a time.\r\n" in screen.text
    assert "written by Writer" in screen.text
