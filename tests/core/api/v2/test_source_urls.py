"""Source pictures by URL, from real servers on loopback, which is allowed here."""

import pytest
import pytest_asyncio

import pictures
import serving
from core.images import fetched
from outsiders import answer, outsider

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE = pictures.picture(size=(96, 64))
DAMAGED = PICTURE[:60]
REGEN = "AI Horde Worker reGen:13:x"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(databases, tmp_path_factory):
    with databases.fresh("sqlite") as url:
        folder = tmp_path_factory.mktemp("site")
        async with serving.in_process(url, folder, outside_allowed=["localhost"]) as server:
            yield server


@pytest_asyncio.fixture(loop_scope="module")
async def shop(site):
    return await serving.open_shop(site)


async def ask(shop, **body):
    wanted = {"prompt": "x", "models": [shop.name], "params": serving.SMALL, "nsfw": False, **body}
    return await shop.server.post("/generate/async", wanted, key=shop.owner.key)


async def test_the_picture_is_fetched_once_and_kept_as_webp(shop):
    async with outsider(answer(body=PICTURE)) as server:
        assert (await ask(shop, source_image=server.url("/fox.png"))).status_code == 202
        popped = await shop.pop(bridge_agent=REGEN)
        assert len(server.calls) == 1
    source = (await shop.server.http.get(popped["source_image"])).content
    assert source[8:12] == b"WEBP"


async def test_masks_and_further_pictures_too(shop):
    async with outsider(answer(body=PICTURE)) as server:
        link = server.url()
        masked = {"source_image": link, "source_mask": link, "source_processing": "inpainting"}
        assert (await ask(shop, **masked)).status_code == 202
        remix = {"source_image": link, "source_processing": "remix"}
        remix |= {"models": ["Stable Cascade 1.0"], "extra_source_images": [{"image": link}]}
        assert (await ask(shop, **remix)).status_code == 202
        assert len(server.calls) == 4


@pytest.mark.parametrize(
    ("said", "rc"),
    [
        (answer(body=b"<html>no picture</html>"), "SourceImageUrlInvalid"),
        (answer(302, Location="http://127.0.0.1/"), "SourceImageUrlInvalid"),
        (answer(302, Location="file:///etc/passwd"), "SourceImageUrlInvalid"),
        (answer(body=DAMAGED), "SourceImageUnreadable"),
        (answer(body=b"x" * (fetched.MAX_BYTES + 1)), "SourceImageSizeExceeded"),
        (answer(body=pictures.bomb()), "SourceImageResolutionExceeded"),
        (
            answer(body=pictures.picture(size=(3073, 3072), mode="1")),
            "SourceImageResolutionExceeded",
        ),
        (answer(404), "ImageValidationFailed"),
        (b"no HTTP\r\n\r\n", "ImageValidationFailed"),
    ],
    ids=[
        "html",
        "redirected inwards",
        "redirected to a file",
        "damaged",
        "5 MB",
        "bomb",
        "pixels",
        "404",
        "garbage",
    ],
)
async def test_what_is_wrong_with_it_is_told(shop, said, rc):
    async with outsider(said) as server:
        refused = await ask(shop, source_image=server.url())
    assert (refused.status_code, refused.json()["rc"]) == (400, rc)
    assert "Image validation failed" in refused.json()["message"]
    assert (await shop.pop(bridge_agent=REGEN))["id"] is None


async def test_who_answers_too_slowly_is_not_waited_for(shop, monkeypatch):
    monkeypatch.setattr(fetched, "SECONDS", 0.05)
    async with outsider() as server:
        server.open.clear()
        refused = await ask(shop, source_image=server.url())
    assert refused.json()["rc"] == "ImageValidationFailed"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "10.0.0.1", "0"])
async def test_nothing_is_fetched_from_inside(shop, host):
    async with outsider() as server:
        refused = await ask(shop, source_image=server.url(host=host))
        assert server.connections == 0
    assert (refused.status_code, refused.json()["rc"]) == (400, "SourceImageUrlInvalid")


async def test_nothing_is_fetched_for_who_may_not_ask(shop):
    async with outsider(answer(body=PICTURE)) as server:
        body = {"prompt": "x", "source_image": server.url()}
        refused = await shop.server.post("/generate/async", body, key="an unknown key")
        assert server.connections == 0
    assert refused.json()["rc"] == "InvalidAPIKey"


async def test_a_price_needs_no_picture(shop):
    async with outsider(answer(body=PICTURE)) as server:
        priced = await ask(shop, source_image=server.url(), dry_run=True)
        assert server.connections == 0
    assert priced.json().keys() == {"kudos", "kudos_exact"}
