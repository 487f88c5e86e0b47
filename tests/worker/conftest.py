"""What tests of the worker share: a horde of theirs, and a worker that serves it meanwhile."""

import asyncio
import contextlib
import warnings

import pytest

import tiny_random
from core.client import HordeClient, Retries
from fake_renderers import BROKEN, TINY, ThreadEngine
from stub_horde import KEY, StubHorde
from worker import bytecode
from worker.idling import Habits
from worker.image.kind import Pictures
from worker.loop import Worker
from worker.offers import image_offer
from worker.settings import Settings

bytecode.keep("torch")  # or every test process compiles all of the libraries anew

SOON = Retries(attempts=3, first_seconds=0.01, longest_seconds=0.01)


@pytest.fixture(autouse=True)
def no_packages(monkeypatch):
    """What this environment has beyond what the worker needs decides no test by itself."""
    monkeypatch.setattr("worker.lookup.find_spec", lambda name: None)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The folder of a model of random weights. Do not change it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing the libraries is full of them
        tiny_random.build(folder)
    return folder


@pytest.fixture(scope="session")
def one_thread():
    """torch keeps to one thread: several that wait for each other are slow on busy cores."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
    torch.set_num_threads(1)


class Display:
    def __init__(self):
        self.said, self.ended, self.steps = [], [], []
        self.settlements = []
        self.stepped = asyncio.Event()

    def begin(self, batch):
        pass

    def step(self, batch, step, steps):
        self.steps.append((step, steps))
        self.stepped.set()

    def settled(self, batch, kudos, lost):
        self.settlements.append((kudos, lost))

    def end(self, batch, outcome):
        self.ended.append(outcome)

    def say(self, sentence):
        self.said.append(sentence)

    def close(self):
        pass


class Serving:
    """A worker at work. `until` waits in a thread, as the horde is one."""

    def __init__(self, horde, worker, display):
        self.horde, self.display = horde, display
        self.stop = asyncio.Event()
        self.task = asyncio.ensure_future(worker.run(self.stop))

    async def until(self, happened, seconds=30):
        assert await asyncio.to_thread(self.horde.until, happened, seconds)

    async def ends(self, error=None):
        """Wait until the worker ends by itself, for this reason."""
        task, self.task = self.task, None
        with pytest.raises(error) if error else contextlib.nullcontext():
            await asyncio.wait_for(task, 30)

    async def submitted(self, job):
        await self.until(lambda: self.horde.submitted(job))
        return self.horde.submitted(job)


@pytest.fixture
def horde():
    with StubHorde() as running:
        yield running


@pytest.fixture
def serve(horde):
    """Start a worker for `async with`; its run must end by itself or at the end of the block."""

    @contextlib.asynccontextmanager
    async def start(
        engine=None,
        *,
        kind=None,
        models=None,
        key=KEY,
        wait=0.05,
        batch=0,
        journal=None,
        **habits,
    ):
        settings = Settings(url=horde.url, name="tester", wait_seconds=wait)
        display = Display()
        async with HordeClient(horde.url, key, retries=SOON) as client:
            worker = Worker(
                kind(client) if kind else Pictures(client, image_offer(settings), batch=batch),
                engine or ThreadEngine(),
                display,
                models=models or {"tiny": TINY},
                habits=Habits(**{"idle_seconds": 0, "ahead_seconds": 0, "max_deaths": 3} | habits),
                journal=journal,
            )
            serving = Serving(horde, worker, display)
            try:
                yield serving
            finally:
                serving.stop.set()
                if serving.task is not None:
                    await asyncio.wait_for(serving.task, 30)

    return start


@pytest.fixture
def both_models():
    return {"broken": BROKEN, "tiny": TINY}
