"""Webhooks, from the request to the receiver, which verifies them as docs/api.md says."""

import asyncio
import hashlib
import hmac
import json
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import func, select, update

import pictures
import serving
from core.api.v2 import webhooks
from core.outbox.tables import LetterRow
from core.queue.tables import RequestRow
from core.upkeep.courier import Courier
from outsiders import certificate, outsider

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERY = {"id", "request", "worker_id", "worker_name", "kudos"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tls(tmp_path_factory):
    context, trusted = certificate(tmp_path_factory.mktemp("tls"), "localhost")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(trusted))
        yield context


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(databases, tmp_path_factory, tls):
    with databases.fresh("sqlite") as url:
        folder = tmp_path_factory.mktemp("site")
        async with serving.in_process(url, folder, outside_allowed=["localhost"]) as server:
            yield server


@pytest_asyncio.fixture(loop_scope="module")
async def shop(site):
    return await serving.open_shop(site)


@pytest_asyncio.fixture(loop_scope="module")
async def receiver(tls):
    async with outsider(tls=tls) as server:
        yield server


async def delivered(site):
    """Do what the server's courier does."""
    parts = site.app.extensions["horde"]
    courier = Courier(site.database, parts.outside, parts.keyring.subkey(webhooks.PURPOSE))
    await asyncio.gather(*await courier.turn())


async def waiting(site):
    async with site.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(LetterRow))


async def test_a_picture_is_told_as_it_is_finished(shop, site, receiver):
    hook = receiver.url("/pictures")
    params = {**serving.SMALL, "n": 2}
    request_id = await shop.ask(key=shop.owner.key, webhook=hook, params=params)
    popped = await shop.pop()
    said = [{"type": "lora", "value": "download_failed", "ref": "a"}]
    await site.http.put(popped["r2_upload"], content=pictures.WEBP)
    await shop.submit(popped["id"], seed=7, gen_metadata=said)
    await delivered(site)
    (call,) = receiver.calls
    body = json.loads(call.body)
    assert (call.path, call.headers["content-type"]) == ("/pictures", "application/json")
    assert body.keys() == EVERY | {"img", "seed", "model", "censored", "gen_metadata"}
    assert (body["id"], body["request"]) == (popped["id"], request_id)
    assert (body["seed"], body["model"], body["worker_name"]) == (7, shop.name, shop.name)
    assert (body["censored"], body["gen_metadata"]) == (False, said)
    assert body["kudos"] > 0
    assert (await site.http.get(body["img"])).content == pictures.WEBP
    await shop.deliver(await shop.pop())
    await delivered(site)
    assert len(receiver.calls) == 2


async def test_a_receiver_verifies_with_the_requesters_key(shop, site, receiver):
    await shop.ask(key=shop.owner.key, webhook=receiver.url())
    await shop.deliver(await shop.pop())
    await delivered(site)
    (call,) = receiver.calls
    key = (await site.get("/webhooks/key", key=shop.owner.key)).json()["key"]
    said = dict(part.split("=") for part in call.headers["horde-signature"].split(","))
    signed = f"{said['t']}.".encode() + call.body
    assert said["v1"] == hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


async def test_only_who_has_a_key_of_their_own_can_verify(site):
    for key, status, rc in (
        (serving.ANONYMOUS, 403, "AnonForbidden"),
        ("an unknown key", 401, "InvalidAPIKey"),
    ):
        answer = await site.get("/webhooks/key", key=key)
        assert (answer.status_code, answer.json()["rc"]) == (status, rc)


async def test_neither_faults_nor_fake_jobs_are_told(shop, site, receiver):
    await shop.ask(webhook=receiver.url())
    await shop.submit((await shop.pop())["id"], state="faulted")
    assert await waiting(site) == 0


async def test_a_text_is_told(site, receiver):
    writer = await site.user("writer", oauth_id="g_writer")
    wanted = {"prompt": "once", "models": ["prose"], "webhook": receiver.url()}
    wanted["params"] = {"max_length": 80, "max_context_length": 1024}
    asked = (await site.post("/generate/text/async", wanted, key=writer.key)).json()
    offered = {"name": "writer", "models": ["prose"], "bridge_agent": "KoboldCppEmbedWorker:1:none"}
    popped = (await site.post("/generate/text/pop", offered, key=writer.key)).json()
    result = {"id": popped["id"], "generation": "there was a fox", "seed": 3}
    await site.post("/generate/text/submit", result, key=writer.key)
    await delivered(site)
    body = json.loads(receiver.calls[0].body)
    assert body.keys() == EVERY | {"text", "seed", "model", "state", "gen_metadata"}
    assert (body["text"], body["seed"], body["state"]) == ("there was a fox", 3, "ok")
    assert body["request"] == asked["id"]


async def test_a_form_is_told_and_what_was_made_is_a_link(site, receiver):
    alchemist = await site.user("alchemist", oauth_id="g_alchemist")
    forms = [{"name": "caption"}, {"name": "RealESRGAN_x2plus"}]
    wanted = {"forms": forms, "source_image": pictures.SOURCE, "webhook": receiver.url()}
    await site.post("/interrogate/async", wanted, key=alchemist.key)
    offered = {"name": "alchemist", "forms": [form["name"] for form in forms], "amount": 2}
    offered["bridge_agent"] = "AI Horde Worker reGen:13:x"
    popped = (await site.post("/interrogate/pop", offered, key=alchemist.key)).json()["forms"]
    results = {"caption": {"caption": "a fox"}, "RealESRGAN_x2plus": {"RealESRGAN_x2plus": "R2"}}
    for form in popped:
        if form.get("r2_upload"):
            await site.http.put(form["r2_upload"], content=pictures.WEBP)
        result = {"id": form["id"], "result": results[form["form"]]}
        await site.post("/interrogate/submit", result, key=alchemist.key)
    await delivered(site)
    told = {body["form"]: body for body in (json.loads(call.body) for call in receiver.calls)}
    assert told["caption"].keys() == EVERY | {"form", "state", "result"}
    assert told["caption"]["result"] == {"caption": "a fox"}
    assert told["caption"]["state"] == "done"
    link = told["RealESRGAN_x2plus"]["result"]["RealESRGAN_x2plus"]
    assert (await site.http.get(link)).content == pictures.WEBP


async def test_a_webhook_into_a_private_network_is_never_called(shop, site, receiver):
    request_id = await shop.ask(webhook="https://example.org/hook")
    private = receiver.url(host="127.0.0.1")  # such as is refused by now, but was not always
    wanted = update(RequestRow).where(RequestRow.id == UUID(request_id)).values(webhook=private)
    async with site.database.writing() as session:
        await session.execute(wanted)
    await shop.deliver(await shop.pop())
    assert await waiting(site) == 1
    await delivered(site)
    assert await waiting(site) == 0
    assert receiver.connections == 0


async def test_the_server_delivers_by_itself(databases, tmp_path, receiver):
    settings = {"outside_allowed": ["localhost"], "upkeep": "on"}
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, **settings) as server:
            shop = await serving.open_shop(server)
            await shop.ask(webhook=receiver.url())
            await shop.deliver(await shop.pop())
            await receiver.heard.wait()
    assert len(receiver.calls) == 1
