"""A prompt goes in, a text comes out, kudos move; and what a picture's colours are."""

import contextlib
import warnings

import pytest

import pictures
import serving
import tiny_llama
import working
from core.client import HordeClient, TimedOut
from core.db import Database
from core.ledger import audit
from core.wire.alchemy import ModelInterrogationInputStable
from core.wire.text import GenerationInputKobold

MODEL = "SmolLM2-135M-Instruct"
SECONDS = 100
RED = pictures.picture(colour="red")

pytestmark = pytest.mark.timeout(400)  # the first test waits for torch, which takes its time


@pytest.fixture(scope="module")
def horde(databases, tmp_path_factory):
    """A server, its database's URL, and a worker of text and alchemy with random weights."""
    model = tmp_path_factory.mktemp("models") / "llama"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing the libraries is full of them
        tiny_llama.build(model)
    with contextlib.ExitStack() as running:
        database_url = running.enter_context(databases.fresh("sqlite"))
        server = running.enter_context(
            serving.process(tmp_path_factory.mktemp("horde"), database_url=database_url)
        )
        owner = server.user("Owner", oauth_id="g_owner", trusted=True)
        worker = working.process(
            server.url,
            owner.key,
            name="host",
            kinds='["text", "alchemy"]',
            text_models=f'["{MODEL}={model}"]',
        )
        running.enter_context(worker)
        yield server, database_url, owner


@pytest.fixture
async def requester(horde):
    server, *_ = horde
    person = server.user("Requester", oauth_id="g_asker", kudos=1000)
    async with HordeClient(server.url, person.key) as client:
        yield client


async def sound(database_url):
    """Whether no kudos came from nowhere."""
    database = Database(database_url)
    async with database.reading() as session:
        found = (await audit.audit(session)).balanced
    await database.close()
    return found


async def kudos_of(server, person):
    async with HordeClient(server.url, person.key) as client:
        return (await client.users.me()).kudos


async def test_a_prompt_becomes_a_text_and_kudos_move(horde, requester):
    server, database_url, owner = horde
    asker_had = (await requester.users.me()).kudos
    owner_had = await kudos_of(server, owner)
    ask = {
        "prompt": "A fox",
        "params": {"n": 2, "max_length": 32, "max_context_length": 128, "temperature": 0.7},
    }
    wanted = GenerationInputKobold.model_validate(ask)
    assert await requester.text.price(wanted) > 0
    asked = await requester.text.generate(wanted)
    status = await requester.text.wait_for(asked.id, SECONDS)
    assert (status.finished, status.faulted) == (2, False)
    first, second = status.generations
    assert {(one.model, one.worker_name, one.state) for one in status.generations} == {
        (MODEL, "host text", "ok")
    }
    assert first.text != second.text  # each with a seed of its own
    assert (await requester.users.me()).kudos < asker_had
    assert await kudos_of(server, owner) > owner_had
    assert await sound(database_url)


async def test_a_text_that_nobody_can_write_is_cancelled(requester):
    ask = {"prompt": "A fox", "models": ["another"]}
    asked = await requester.text.generate(GenerationInputKobold.model_validate(ask))
    with pytest.raises(TimedOut):
        await requester.text.wait_for(asked.id, 0.5)
    assert (await requester.text.cancel(asked.id)).waiting == 1
    assert (await requester.text.wait_for(asked.id, SECONDS)).finished == 0


async def test_a_form_is_answered(horde, requester):
    _, database_url, _ = horde
    ask = {"forms": [{"name": "palette"}], "source_image": pictures.encoded(RED)}
    asked = await requester.alchemy.ask(ModelInterrogationInputStable.model_validate(ask))
    (form,) = (await requester.alchemy.wait_for(asked.id, SECONDS)).forms
    assert (form.form, form.state) == ("palette", "done")
    main, *_ = form.result["palette"]
    red, green, blue = bytes.fromhex(main["colour"].removeprefix("#"))
    assert red > 200
    assert max(green, blue) < 60
    assert main["share"] > 0.5
    assert await sound(database_url)
