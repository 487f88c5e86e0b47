"""A fake Discord, a real horde with a worker, and the bot as a process of its own.

They are started once for all tests of the bot; each test has users and channels of its own. All
run on one event loop: on one that stands still the fake answers no heartbeat, and the bot leaves.
"""

import contextlib
import itertools
import re

import pytest
import pytest_asyncio

import botting
import serving
import working
from fake_discord.server import running

NUMBERS = itertools.count(1)
SOURCES = re.compile(r"(SPOILER_)?(source|mask|making)")


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def fake():
    async with running() as fake:
        fake.api.buckets.calls = 50  # one test has Discord's own number
        yield fake


@pytest.fixture(scope="session")
def documents(tmp_path_factory):
    """The folder in which the horde finds its own news."""
    return tmp_path_factory.mktemp("documents")


@pytest.fixture(scope="session")
def horde(tmp_path_factory, documents):
    folder = tmp_path_factory.mktemp("horde")
    with serving.process(folder, default_models="[]", documents_dir=documents) as server:
        yield server


@pytest.fixture(scope="session")
def owner(horde):
    return horde.user("Owner", oauth_id="g_owner", trusted=True)


@pytest.fixture(scope="session")
def worker(horde, owner):
    """A worker that makes plain pictures and more, without torch."""
    settings = {"name": "A light worker", "kinds": '["image", "text", "alchemy"]'}
    with working.process(horde.url, owner.key, light=True, **settings) as worker:
        yield worker


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def bot(fake, horde, worker, tmp_path_factory):
    """The bot of that horde."""
    with contextlib.ExitStack() as started:
        making = botting.process(fake, horde.url, tmp_path_factory.mktemp("bot"))
        yield await botting.entered(started, making)


@pytest.fixture
def people(fake, bot):
    """What users can do, once the bot is there."""
    return fake.people


@pytest.fixture
def anne(fake):
    """A user of Discord, not logged in."""
    return fake.world.add_user(f"anne{next(NUMBERS)}")


@pytest.fixture
def channel(fake):
    return fake.world.add_channel(f"channel{next(NUMBERS)}")


@pytest.fixture
def account(horde):
    """A user of the horde with kudos."""
    number = next(NUMBERS)
    return horde.user(f"Anne {number}", oauth_id=f"g_anne{number}", kudos=1000)


@pytest.fixture
def log_in(people):
    """Logs users of Discord in."""

    async def log_in(user, key, **how):
        form = await people.slash("account login", user=user, **how)
        return await people.submit(form, {"Or your API key": key}, **how)

    return log_in


@pytest.fixture
def pictures_of(fake):
    """Waits for a run's pictures, without those that they were made from."""

    async def pictures_of(run, count=1):
        def there():
            files = run.said["attachments"] if run.said else []
            return [one for one in files if not SOURCES.match(one["filename"])]

        await fake.world.until(lambda: len(there()) >= count, 60, f"{count} pictures")
        return there()

    return pictures_of


@pytest.fixture
def said(fake):
    """Waits for a run's last message to say something."""

    async def said(run, words, seconds=30):
        await fake.world.until(
            lambda: run.said is not None and words in run.text, seconds, f"{words!r}"
        )
        return run.text

    return said


@pytest.fixture(autouse=True)
def no_problems(request, fake):
    """Discord refuses nothing of what the bot does, unless a test says that it does."""
    before = len(fake.world.problems)
    yield
    if "bot" in request.fixturenames:
        print("".join(request.getfixturevalue("bot").log))  # noqa: T201 - shown with a failure
    if request.node.get_closest_marker("problems") is None:
        assert fake.world.problems[before:] == []
