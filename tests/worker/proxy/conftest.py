"""Stand-ins for other programs, without the pauses that real ones are given."""

import contextlib

import pytest

from other_programs import Program
from worker.proxy import comfyui, renderers


@pytest.fixture
def start():
    with contextlib.ExitStack() as running:

        def started(handler, **how):
            return running.enter_context(Program(handler, **how))

        yield started


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(renderers, "WAIT_SECONDS", 0)
    monkeypatch.setattr("worker.proxy.calls.POLL_SECONDS", 0.02)
    monkeypatch.setattr(comfyui, "POLL_SECONDS", 0.02)
