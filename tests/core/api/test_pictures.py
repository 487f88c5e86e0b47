"""Signed links of the picture folder: who holds one may do this one thing, until it is over."""

import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio

import pictures
from core.db import now
from serving import PUBLIC_URL, offer

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 20 * 1024 * 1024


@pytest.fixture
def server(shared):
    return shared


@pytest_asyncio.fixture(loop_scope="module")
async def popped(shop):
    """A job, and with it a link to put its picture to."""
    await shop.ask()
    return await shop.pop()


@pytest.fixture
def link(popped):
    return popped["r2_upload"]


def put(server, url, content=pictures.WEBP, **headers):
    return server.http.put(url, content=content, headers=headers)


def assert_refused(answer, rc, status):
    assert (answer.status_code, answer.json().get("rc")) == (status, rc), answer.text


async def test_what_is_uploaded_can_be_fetched(server, shop, popped, link):
    uploaded = await put(server, link)
    assert (uploaded.status_code, uploaded.content) == (200, b"")
    submitted = await shop.submit(popped["id"])
    assert submitted.status_code == 200
    download = server.horde.store.download_url(f"{popped['id']}.webp")
    assert download.startswith(f"{PUBLIC_URL}/pictures/{popped['id']}.webp?")
    fetched = await server.http.get(download)
    assert fetched.content == pictures.WEBP
    assert fetched.headers["Content-Type"] == "image/webp"
    assert fetched.headers["Access-Control-Allow-Origin"] == "*"


async def test_an_upload_replaces_the_one_before(server, shop, popped, link):
    await put(server, link, pictures.picture(form="WEBP", colour=9))
    await put(server, link)
    await shop.submit(popped["id"])
    assert await server.horde.store.get(f"{popped['id']}.webp") == pictures.WEBP


async def test_an_upload_link_closes_with_its_job(server, shop, popped, link):
    await shop.deliver(popped)
    other = pictures.picture(form="WEBP", colour=9)
    assert_refused(await put(server, link, other), "UploadClosed", 409)
    assert await server.horde.store.get(f"{popped['id']}.webp") == pictures.WEBP


async def test_an_upload_link_closes_when_the_job_is_given_back(server, shop, popped, link):
    await shop.submit(popped["id"], state="faulted")
    assert_refused(await put(server, link), "UploadClosed", 409)
    assert await server.horde.store.received(f"{popped['id']}.webp") is None


async def test_an_upload_that_outlasts_its_job_changes_nothing(server, shop, popped, link):
    other = pictures.picture(form="WEBP", colour=9)
    begun, over = asyncio.Event(), asyncio.Event()

    async def slowly():
        yield other[:10]
        begun.set()
        await over.wait()
        yield other[10:]

    sending = asyncio.ensure_future(put(server, link, slowly()))
    await begun.wait()
    await shop.deliver(popped)
    over.set()
    assert_refused(await sending, "UploadClosed", 409)
    assert await server.horde.store.get(f"{popped['id']}.webp") == pictures.WEBP


async def test_a_link_serves_its_own_method_alone(server, popped, link):
    await put(server, link)
    assert_refused(await server.http.get(link), "BadSignature", 403)
    download = server.horde.store.download_url(f"{popped['id']}.webp")
    assert_refused(await put(server, download), "BadSignature", 403)
    assert (await server.http.delete(link)).status_code == 405


@pytest.mark.parametrize(
    "change",
    [
        lambda link: link.partition("?")[0],
        lambda link: f"{link}&x=1",
        lambda link: link.replace("max_bytes=", "max_bytes=9"),
        lambda link: link.replace("expires=1", "expires=2"),
        lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"),
        lambda link: link.replace("signature=", "signature=%00"),
    ],
)
async def test_a_link_that_was_changed_is_refused(server, popped, link, change):
    changed = change(link)
    assert changed != link
    assert_refused(await put(server, changed), "BadSignature", 403)
    assert await server.horde.store.received(f"{popped['id']}.webp") is None


async def test_a_link_does_not_lead_to_another_picture(server, shop, popped, link):
    await shop.ask()
    second = await shop.pop()
    elsewhere = link.replace(popped["id"], second["id"])
    assert_refused(await put(server, elsewhere), "BadSignature", 403)


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a_link_expires(server, popped, method):
    name = f"{popped['id']}.webp"
    signer = server.app.extensions["horde"].signer
    query = signer.sign(method, name, now() - timedelta(seconds=1), LIMIT)
    answer = await server.http.request(method, f"/pictures/{name}?{query}", content=pictures.WEBP)
    assert_refused(answer, "BadSignature", 403)


async def test_a_picture_that_is_gone_is_404(server, popped):
    download = server.horde.store.download_url(f"{popped['id']}.webp")
    assert_refused(await server.http.get(download), "PictureNotFound", 404)


@pytest.mark.parametrize("declared", [True, False])
async def test_an_upload_that_is_too_large_is_413(server, popped, link, declared):
    async def in_parts():
        for _ in range(21):
            yield bytes(1024 * 1024)

    content = bytes(LIMIT + 1) if declared else in_parts()
    answer = await put(server, link, content)
    assert answer.status_code == 413
    assert answer.json().keys() == {"message"}
    assert await server.horde.store.received(f"{popped['id']}.webp") is None


@pytest.mark.parametrize("content", [b"", b"no picture", pictures.bomb()])
async def test_an_upload_that_is_no_picture_is_refused(server, popped, link, content):
    answer = await put(server, link, content)
    assert answer.status_code == 400
    assert await server.horde.store.received(f"{popped['id']}.webp") is None


async def test_links_are_built_from_the_public_url_never_from_the_host(server, shop):
    await shop.ask()
    offered = offer(name=shop.name, models=[shop.name])
    answer = await server.post("/generate/pop", offered, key=shop.owner.key, Host="evil.example")
    assert answer.json()["r2_upload"].startswith(f"{PUBLIC_URL}/pictures/")
