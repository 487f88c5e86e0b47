"""A horde of revision 0001, in use, is upgraded in place: nothing is lost, and it goes on."""

import asyncio
import base64
from datetime import timedelta
from uuid import UUID

import alembic.command
import httpx
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import func, select

import factories
import old_state
import pictures
import serving
from core.db import now
from core.ledger import audit
from core.ledger.tables import Account, Hold
from core.queue.tables import RequestRow
from core.schema import alembic_config, migrate
from core.upkeep import steps
from core.users.tables import SharedKeyRow, UserRow
from old_state import FACTS

MODEL = "an old model"
WRITER = "KoboldCppEmbedWorker:1:none"
IMAGES = ("pictures", "faulted", "rich", "by_key", "styled", "abandoned", "crowded")
PAYER, OWNER, AUTHOR = (FACTS["people"][name] for name in ("payer", "owner", "author"))
PLAIN = {"width": 512, "height": 512, "steps": 20}
SKILLED = {
    "bridge_agent": factories.REGEN,
    "nsfw": True,
    "allow_img2img": True,
    "allow_lora": True,
    "allow_post_processing": True,
}


@pytest.fixture(params=["sqlite", "postgres"])
async def old(request, databases, tmp_path):
    """URL of the database as it was left; its pictures are in `tmp_path`."""
    with databases.fresh(request.param) as fresh:
        url = f"sqlite+aiosqlite:///{tmp_path / 'horde.sqlite'}"
        if request.param == "postgres":
            url = fresh
            await old_state.empty(url)
        await asyncio.to_thread(alembic.command.upgrade, alembic_config(url), old_state.REVISION)
        await old_state.load(url, tmp_path)
        yield url


@pytest.fixture
async def server(old, tmp_path):
    """Today's server on the database, after today's `migrate`."""
    await asyncio.to_thread(migrate, old)
    async with serving.in_process(old, tmp_path) as server:
        yield server


async def do(server, step, **later):
    async with server.database.writing() as session:
        left = await step(session, server.horde, now() + timedelta(**later))
    if left.after is not None:
        await left.after()


async def got(server, path, **kwargs):
    answer = await server.get(path, **kwargs)
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return answer.json()


async def posted(server, path, body, **kwargs):
    answer = await server.post(path, body, **kwargs)
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return answer.json()


async def holds(server):
    """What is held for each request, of a sound ledger."""
    async with server.database.reading() as session:
        assert (await audit.audit(session)).balanced
        return dict((await session.execute(select(Hold.key, Hold.amount))).all())


async def funds(server, person):
    """What somebody has, what of it is held, and what is in escrow."""
    async with server.database.reading() as session:
        user = await factories.row(session, UserRow, person["id"])
        spendable = await factories.row(session, Account, user.account_id)
        escrow = await session.scalar(select(Account.balance).where(Account.id == user.escrow_id))
        return spendable.balance, spendable.held, escrow


async def test_every_migration_keeps_every_row_up_and_down(old):
    columns = await old_state.columns(old)
    before = await old_state.rows(old)
    assert sum(map(len, before.values())) > 100
    await asyncio.to_thread(migrate, old)
    assert await old_state.rows(old, columns) == before
    script = ScriptDirectory.from_config(alembic_config(old))
    for revision in script.walk_revisions(old_state.REVISION, "head"):
        if revision.revision == old_state.REVISION:
            break
        down = revision.down_revision
        await asyncio.to_thread(alembic.command.downgrade, alembic_config(old), down)
        assert await old_state.rows(old, columns) == before, revision.revision
    assert await old_state.columns(old) == columns
    await asyncio.to_thread(migrate, old)
    assert await old_state.rows(old, columns) == before


async def test_each_request_of_before_is_told_of(server):
    for name in IMAGES:
        told = await got(server, f"/generate/check/{FACTS[name]}")
        is_first = name == "pictures"
        expected = (1, 1, 1) if is_first else (0, 0, 1)
        assert (told["finished"], told["processing"], told["waiting"]) == expected, name
        assert not told["faulted"]
    (made,) = (await got(server, f"/generate/status/{FACTS['pictures']}"))["generations"]
    assert (made["worker_name"], made["state"]) == ("a worker", "ok")
    picture = await server.http.get(made["img"])
    (kept,) = [
        old_state.STATE["files"][name]
        for name in old_state.STATE["files"]
        if name.startswith("pictures") and made["id"] in name
    ]
    assert picture.content == base64.b64decode(kept)
    told = await got(server, f"/generate/text/status/{FACTS['text']}")
    assert (told["processing"], told["waiting"], told["finished"]) == (1, 0, 0)
    told = await got(server, f"/generate/text/status/{FACTS['texts']}")
    assert (told["processing"], told["waiting"], told["finished"]) == (0, 1, 0)
    told = await got(server, f"/interrogate/status/{FACTS['alchemy']}")
    assert [(form["form"], form["state"]) for form in told["forms"]] == [
        ("caption", "done"),
        ("nsfw", "processing"),
        ("GFPGAN", "waiting"),
    ]
    for path in ("/workers", "/teams", "/users", "/status/performance", "/status/models"):
        assert await got(server, path)
    assert (await got(server, "/find_user", key=PAYER["key"]))["username"] == PAYER["alias"]
    async with server.database.reading() as session:
        words = dict((await session.execute(select(RequestRow.id, RequestRow.words))).all())
    assert words[UUID(FACTS["texts"])] == "a second äpfel"


async def test_what_was_being_made_is_taken_and_paid(server):
    before = await holds(server)
    _, _, escrow = await funds(server, OWNER)
    told = await server.submit(OWNER["key"], FACTS["picture_made"])
    assert told.json() == {"reward": 6.61}
    form = {"id": FACTS["form_made"], "result": {"nsfw": False}}
    assert await posted(server, "/interrogate/submit", form, key=OWNER["key"]) == {"reward": 1.0}
    text = {"id": FACTS["text_made"], "generation": "there was a fox"}
    assert (await posted(server, "/generate/text/submit", text, key=OWNER["key"]))["reward"] > 0
    after = await holds(server)
    assert after.keys() == before.keys() - {f"request:{FACTS['text']}"}
    assert after[f"request:{FACTS['pictures']}"] == before[f"request:{FACTS['pictures']}"] / 2
    assert (await funds(server, OWNER))[2] > escrow + 330


async def serve(server, *models):
    """Make all images that wait for these models; what was popped.

    The worker's owner is trusted: nobody else is believed to be as fast as a test.
    """
    made = []
    for _ in range(10):
        popped = await server.pop(AUTHOR["key"], name="another", models=models, **SKILLED)
        if not popped["id"]:
            break
        made.append(popped)
        await server.deliver(AUTHOR["key"], popped)
    return made


async def test_what_waited_is_found_made_and_settled(server):
    await server.submit(OWNER["key"], FACTS["picture_made"])
    made = await serve(server, MODEL)
    assert len(made) == 5
    (rich,) = [popped for popped in made if popped["source_image"]]
    payload = rich["payload"]
    assert (payload["width"], payload["height"], payload["ddim_steps"]) == (576, 512, 12)
    assert payload["post_processing"] == ["GFPGAN", "RealESRGAN_x2plus"]
    assert (payload["loras"][0]["name"], payload["tis"][0]["name"]) == ("red", "12345")
    assert len(await serve(server, f"{MODEL} that fails")) == 1
    await _forms_and_texts(server)
    for name in set(IMAGES) - {"abandoned"}:
        told = await got(server, f"/generate/status/{FACTS[name]}")
        assert told["done"], name
        assert all(result["img"] for result in told["generations"]), name
    assert (await holds(server)).keys() == {f"request:{FACTS['abandoned']}"}
    async with server.database.reading() as session:
        assert await session.scalar(select(SharedKeyRow.held)) == 0
        assert await session.scalar(select(SharedKeyRow.utilized)) > 100
    await do(server, steps.count_styles)
    assert (await got(server, f"/styles/image/{FACTS['style']}"))["use_count"] == 1
    await do(server, steps.count)
    await do(server, steps.expire, minutes=21)
    assert await holds(server) == {}
    assert (await funds(server, PAYER))[1] == 0
    gone = await server.get(f"/generate/check/{FACTS['abandoned']}")
    assert gone.status_code == 404


async def test_lanes_of_size_classes_hand_nothing_to_who_cannot_make_it(server):
    """The lower ends of the classes would fit: the jobs themselves do not."""
    offered = {"name": "another", "models": [MODEL], **SKILLED}
    for refusal in ({"max_pixels": 448 * 448}, {"blacklist": ["RED f"]}):
        assert (await server.pop(AUTHOR["key"], **offered | refusal))["id"] is None, refusal
    offered = {"name": "a writer too", "models": [MODEL], "bridge_agent": WRITER}
    shorter = offered | {"max_length": 70}
    popped = await posted(server, "/generate/text/pop", shorter, key=AUTHOR["key"])
    assert popped["id"] is None
    popped = await posted(server, "/generate/text/pop", offered, key=AUTHOR["key"])
    assert popped["payload"]["prompt"] == "a second ÄPFEL"


async def test_new_requests_join_the_old_ones(server):
    new = await server.ask(key=PAYER["key"], models=[MODEL], params=PLAIN)
    made = await serve(server, MODEL)
    assert len(made) == 6
    assert (await got(server, f"/generate/check/{new}"))["done"]
    assert f"request:{new}" not in await holds(server)


async def _forms_and_texts(server):
    offered = {"name": "an alchemist", "forms": ["GFPGAN", "nsfw", "caption"]}
    (form,) = (await posted(server, "/interrogate/pop", offered, key=OWNER["key"]))["forms"]
    put = await server.http.put(form["r2_upload"], content=pictures.picture(form="WEBP"))
    assert put.status_code == 200
    for said in (
        {"id": form["id"], "result": {"GFPGAN": "R2"}},
        {"id": FACTS["form_made"], "result": {"nsfw": False}},
    ):
        await posted(server, "/interrogate/submit", said, key=OWNER["key"])
    assert (await got(server, f"/interrogate/status/{FACTS['alchemy']}"))["state"] == "done"
    offered = {"name": "a writer", "models": [MODEL], "bridge_agent": WRITER}
    popped = await posted(server, "/generate/text/pop", offered, key=OWNER["key"])
    for job_id in (popped["id"], FACTS["text_made"]):
        said = {"id": job_id, "generation": "there was a fox"}
        await posted(server, "/generate/text/submit", said, key=OWNER["key"])
    for name in ("text", "texts"):
        assert (await got(server, f"/generate/text/status/{FACTS[name]}"))["done"]


async def test_what_was_being_made_too_long_waits_again_and_all_expires(server):
    balance, held, _ = await funds(server, PAYER)
    assert held
    await do(server, steps.abort_stale, minutes=10)
    told = await got(server, f"/generate/check/{FACTS['pictures']}")
    assert (told["finished"], told["processing"], told["waiting"]) == (1, 0, 2)
    await do(server, steps.expire, minutes=21)
    assert await holds(server) == {}
    assert (await funds(server, PAYER))[:2] == (balance, 0)
    async with server.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(RequestRow)) == 0


@pytest.mark.parametrize("old", ["sqlite"], indirect=True)
async def test_a_server_that_is_started_upgrades_its_data_folder(old, tmp_path):
    def start():
        with serving.process(tmp_path) as server:
            path = f"{server.url}/api/v2/generate/status/{FACTS['pictures']}"
            return httpx.get(path).raise_for_status().json()

    told = await asyncio.to_thread(start)
    assert (told["finished"], told["processing"], told["waiting"]) == (1, 1, 1)
