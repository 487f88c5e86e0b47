"""What is kept of pictures where something goes wrong: races, odd files, a full disk."""

import asyncio
import base64
from contextlib import asynccontextmanager
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select
from structlog.testing import capture_logs

import bombs
import pictures
from core.users.tables import Reason, Suspicion
from serving import SMALL

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = pictures.picture(form="WEBP", colour=9)
SCRIPT = b"<html><script>alert(document.domain)</script></html>"


@pytest.fixture
def server(shared):
    return shared


async def delivered(shop, popped):
    """The picture that who asked for it gets."""
    return await shop.server.horde.store.get(f"{popped['id']}.webp")


async def begun(shop):
    await shop.ask()
    return await shop.pop()


def held(monkeypatch, store, method):
    """Let the next call of a method of the store wait; the events of its begin and its going on."""
    there, go = asyncio.Event(), asyncio.Event()
    original = getattr(store, method)

    async def wait(*arguments):
        monkeypatch.setattr(store, method, original)
        there.set()
        await go.wait()
        return await original(*arguments)

    monkeypatch.setattr(store, method, wait)
    return there, go


async def test_an_upload_that_lands_after_its_submission_changes_nothing(server, shop, monkeypatch):
    popped = await begun(shop)
    await server.http.put(popped["r2_upload"], content=pictures.WEBP)
    there, go = held(monkeypatch, server.horde.store, "receive")
    late = asyncio.ensure_future(server.http.put(popped["r2_upload"], content=OTHER))
    await there.wait()  # its job was looked at, and was open
    assert (await shop.submit(popped["id"])).status_code == 200
    go.set()
    await late
    assert await delivered(shop, popped) == pictures.WEBP


async def test_a_submission_that_loses_a_race_does_not_change_the_picture(
    server, shop, monkeypatch
):
    popped = await begun(shop)
    await server.http.put(popped["r2_upload"], content=pictures.WEBP)
    there, go = held(monkeypatch, server.horde.store, "receive")
    second = asyncio.ensure_future(shop.submit(popped["id"], generation=pictures.encoded(OTHER)))
    await there.wait()
    assert (await shop.submit(popped["id"])).status_code == 200
    go.set()
    assert (await second).json()["rc"] == "DuplicateGen"
    assert await delivered(shop, popped) == pictures.WEBP


async def test_uploads_and_submissions_in_any_order_leave_what_was_settled(server, shop):
    for _ in range(5):
        popped = await begun(shop)
        await server.http.put(popped["r2_upload"], content=pictures.WEBP)
        calls = [server.http.put(popped["r2_upload"], content=OTHER) for _ in range(4)]
        calls.insert(2, shop.submit(popped["id"]))
        answers = await asyncio.gather(*calls)
        assert answers[2].status_code == 200
        settled = await delivered(shop, popped)
        await server.http.put(popped["r2_upload"], content=OTHER)
        assert await delivered(shop, popped) == settled


@pytest.mark.parametrize("form", ["WEBP", "PNG", "GIF", "JPEG"])
@pytest.mark.parametrize("way", ["upload", "base64"])
async def test_no_file_that_is_also_a_page_is_kept(server, shop, form, way):
    file = BytesIO()
    Image.effect_noise((32, 32), 60).convert("RGB").save(file, form, exif=exif())
    popped, odd = await begun(shop), file.getvalue() + SCRIPT
    if way == "upload":
        assert (await server.http.put(popped["r2_upload"], content=odd)).status_code == 200
        submitted = await shop.submit(popped["id"])
    else:
        submitted = await shop.submit(popped["id"], generation=pictures.encoded(odd))
    assert submitted.status_code == 200
    kept = await delivered(shop, popped)
    assert b"<script>" not in kept
    assert kept[:4] + kept[8:12] == b"RIFFWEBP"
    assert Image.open(BytesIO(kept)).size == (32, 32)


def exif():
    made = Image.Exif()
    made[0x010E] = "<script>"
    return made


async def test_answers_with_pictures_let_a_browser_run_nothing(server, shop):
    popped = await begun(shop)
    await shop.deliver(popped)
    download = server.horde.store.download_url(f"{popped['id']}.webp")
    headers = (await server.http.get(download)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


async def test_a_source_of_a_thousand_scans_is_refused(server, shop):
    bomb = pictures.encoded(bombs.scans(3072, 3072, 1000))
    wanted = {"prompt": "a fox", "models": [shop.name], "source_image": bomb}
    answer = await server.post("/generate/async", wanted, key=shop.owner.key)
    assert answer.status_code == 400
    assert "more than 100 scans" in answer.json()["message"]


async def test_a_full_disk_is_said_and_leaves_nothing_half_done(server, shop, full_disk):
    popped = await begun(shop)
    sources = {"source_image": pictures.SOURCE, "source_processing": "img2img"}
    wanted = {"prompt": "a fox", "models": [shop.name], **sources}
    for call in (
        lambda: server.http.put(popped["r2_upload"], content=pictures.WEBP),
        lambda: shop.submit(popped["id"], generation=pictures.RESULT),
        lambda: server.post("/generate/async", wanted, key=shop.owner.key),
    ):
        with full_disk(), capture_logs() as said:
            answer = await call()
        assert (answer.status_code, answer.json()["rc"]) == (503, "StorageFailed")
        assert [(line["log_level"], line["error"]) for line in said] == [
            ("error", "No space left on device")
        ]
    assert await server.horde.store.received(f"{popped['id']}.webp") is None
    assert (await shop.pop())["id"] is None  # nothing was asked for
    await shop.deliver(popped)  # there is room again


async def test_a_request_whose_commit_nobody_saw_the_end_of_keeps_its_pictures(
    server, shop, monkeypatch
):
    writing = server.database.writing

    @asynccontextmanager
    async def lost():
        async with writing() as session:
            yield session
        raise ConnectionResetError("after the commit")

    sources = {"source_image": pictures.SOURCE, "source_processing": "img2img"}
    with monkeypatch.context() as patched:
        patched.setattr(server.database, "writing", lost)
        wanted = {"prompt": "a fox", "models": [shop.name], **sources}
        answer = await server.post("/generate/async", wanted, key=shop.owner.key)
    assert answer.status_code == 500
    popped = await shop.pop()
    assert popped["id"]
    source = await server.http.get(popped["source_image"])
    assert source.status_code == 200


async def test_a_request_that_is_refused_keeps_no_pictures(server, shop, monkeypatch):
    put = []
    store = server.horde.store
    original = store.put

    async def noted(name, content):
        put.append(name)
        await original(name, content)

    monkeypatch.setattr(store, "put", noted)
    monkeypatch.setattr(
        "core.generation.ask.ask", lambda *_: (_ for _ in ()).throw(ValueError("a defect"))
    )
    sources = {"source_image": pictures.SOURCE, "source_processing": "img2img"}
    wanted = {"prompt": "a fox", "models": [shop.name], **sources}
    assert (await server.post("/generate/async", wanted, key=shop.owner.key)).status_code == 500
    assert len(put) == 1
    assert not await store.exists(put[0])


async def test_a_picture_far_smaller_than_ordered_is_hardly_paid_and_noted(server, shop):
    rewards = []
    for side in (512, 8):
        asked = await shop.ask(params={"width": 512, "height": 512, "steps": 10})
        rewards += await shop.deliver(await shop.pop(), pictures.picture((side, side), form="WEBP"))
    assert rewards[0] > 1
    assert rewards[1] == 0
    (made,) = (await shop.status(asked))["generations"]
    (note,) = made["gen_metadata"]
    assert note["ref"].startswith("The picture has 8 x 8 pixels")
    async with server.database.reading() as session:
        found = await session.scalars(
            select(Suspicion.times).where(
                Suspicion.user_id == shop.owner.id, Suspicion.reason == Reason.RESULT_TOO_SMALL
            )
        )
    assert list(found) == [1]


async def test_a_picture_that_is_swapped_while_it_is_submitted_is_not_taken(
    server, shop, monkeypatch
):
    popped = await begun(shop)
    await server.http.put(popped["r2_upload"], content=pictures.WEBP)
    there, go = held(monkeypatch, server.horde.store, "accept")
    submission = asyncio.ensure_future(shop.submit(popped["id"]))
    await there.wait()
    await server.http.put(popped["r2_upload"], content=pictures.picture((8, 8), form="WEBP"))
    go.set()
    assert (await submission).status_code == 400
    await server.http.put(popped["r2_upload"], content=pictures.WEBP)
    assert (await shop.submit(popped["id"])).status_code == 200
    assert await delivered(shop, popped) == pictures.WEBP


async def test_pictures_in_a_status_are_never_whole_in_memory(server, shop, monkeypatch):
    """However many there are: what is read at once is a piece of one of them."""
    asked = await shop.ask(r2=False, params={**SMALL, "n": 2})
    large = pictures.WEBP + bytes(3_000_000)
    names = []
    for _ in range(2):
        popped = await shop.pop()
        await shop.deliver(popped)
        names.append(f"{popped['id']}.webp")
        await server.horde.store.put(names[-1], large)

    async def whole(_name):
        raise AssertionError("a picture was read as a whole")

    monkeypatch.setattr(server.horde.store, "get", whole)
    made = (await shop.status(asked))["generations"]
    assert [base64.b64decode(one["img"]) == large for one in made] == [True, True]
    await server.horde.store.delete(names[0])
    made = (await shop.status(asked))["generations"]
    assert sorted(one["img"][:3] for one in made) == ["N/A", "Ukl"]


async def test_nobody_gets_a_picture_into_an_answer_by_a_text_in_it(server, shop):
    asked = await shop.ask()
    popped = await shop.pop()
    await server.http.put(popped["r2_upload"], content=pictures.WEBP)
    note = {"type": "information", "value": "see_ref", "ref": f"{'0' * 32}{popped['id']}.webp"}
    await shop.submit(popped["id"], gen_metadata=[note])
    (made,) = (await shop.status(asked))["generations"]
    assert made["gen_metadata"] == [note]
