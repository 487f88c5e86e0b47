"""`kill -9` of server, worker or engine at any moment: all requests end, no kudos come or go."""

import asyncio
import random

import pytest

import databases as clones
from chaos import VICTIMS, Chaos, rage

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(params=clones.ENGINES)
async def chaos_of(request, databases, tmp_path, free_port, tiny_model):
    """Makes the horde, on a database of each engine: `await chaos_of(light=False)`."""
    with databases.fresh(request.param) as url:
        made = []

        async def make(**options):
            place = (url, tmp_path, free_port, tiny_model)
            made.append(await asyncio.to_thread(Chaos, *place, **options))
            return made[-1]

        yield make
        for one in made:
            await one.close()


async def run(chaos, victims, chance):
    await asyncio.to_thread(chaos.start_worker)
    async with chaos.asking():
        await rage(chaos, victims, chance)
    await chaos.finish()
    await chaos.check_books()
    await chaos.check_over()
    await chaos.check_gone()


async def test_each_is_killed_once(chaos_of):
    chance = random.Random(seed := random.randrange(2**32))
    print(f"seed {seed}")  # noqa: T201 - pytest shows it with a failure
    await run(await chaos_of(), chance.sample(VICTIMS, len(VICTIMS)), chance)


@pytest.mark.long
@pytest.mark.timeout(1700)
@pytest.mark.parametrize("light", [True, False], ids=["light", "torch"])
async def test_they_are_killed_again_and_again(chaos_of, light):
    chance = random.Random(seed := random.randrange(2**32))
    print(f"seed {seed}")  # noqa: T201
    victims = chance.choices(VICTIMS, weights=(3, 1, 2), k=40 if light else 12)
    await run(await chaos_of(light=light), victims, chance)
