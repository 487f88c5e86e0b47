"""Pictures go to and come from anywhere, without the key and never without a limit."""

import base64

import pytest

from core.client import Forbidden, TooLarge, UnexpectedAnswer

PICTURE = b"RIFF\0\0\0\0WEBP" * 100
SIGNED = "/pictures/a%2Fb.webp?expires=1&max=20&signature=a+b/c%3D%3d~_-."


async def test_an_upload_is_the_url_to_the_letter_and_nothing_else(server, elsewhere, client, key):
    elsewhere.will(elsewhere.answer(200))
    await client.upload(elsewhere.url + SIGNED, PICTURE)
    [asked] = elsewhere.asked
    assert (asked.method, asked.target, asked.body) == ("PUT", SIGNED, PICTURE)
    assert "content-type" not in asked.headers
    assert "apikey" not in asked.headers
    assert "client-agent" not in asked.headers
    assert key not in str(asked)


async def test_an_upload_to_the_horde_itself_has_no_key_either(server, client):
    server.will(server.answer(200))
    await client.upload(server.url + SIGNED, PICTURE)
    assert "apikey" not in server.asked[0].headers


async def test_an_upload_that_is_refused_is_an_error(server, client):
    server.will(server.answer(403, {"message": "expired", "rc": "BadSignature"}))
    with pytest.raises(Forbidden, match="expired") as caught:
        await client.upload(server.url + SIGNED, PICTURE)
    assert "signature" not in repr(caught.value)
    assert len(server.asked) == 1


async def test_a_download_has_no_key_on_its_whole_way(server, elsewhere, client):
    server.will(server.answer(302, Location=elsewhere.url + SIGNED))
    elsewhere.will(elsewhere.answer(200, PICTURE))
    assert await client.download(f"{server.url}/pictures/1.webp") == PICTURE
    assert elsewhere.asked[0].target == SIGNED
    for asked in (server.asked[0], elsewhere.asked[0]):
        assert "apikey" not in asked.headers


async def test_a_download_that_is_too_large_is_not_read_to_its_end(server, client):
    server.will(server.stream(b"x" * 1000, b"x", ends=False))
    assert_left = server.left
    with pytest.raises(TooLarge, match="1000 bytes"):
        await client.download(f"{server.url}/x", max_bytes=1000)
    await assert_left.wait()
    assert len(server.asked) == 1


async def test_a_download_may_be_as_large_as_its_limit(server, client):
    server.will(server.stream(b"x" * 999, b"x"))
    assert len(await client.download(f"{server.url}/x", max_bytes=1000)) == 1000


async def test_a_picture_may_be_base64(client):
    assert await client.download(base64.b64encode(PICTURE).decode()) == PICTURE


@pytest.mark.parametrize("size", [999, 1000, 1001, 1002, 1003])
async def test_base64_is_limited_too(client, size):
    text = base64.b64encode(b"x" * size).decode()
    if size <= 1000:
        assert len(await client.download(text, max_bytes=1000)) == size
    else:
        with pytest.raises(TooLarge):
            await client.download(text, max_bytes=1000)


@pytest.mark.parametrize("text", ["not base64!", "ftp://host/x", "é", "abc", "http://[::1/x"])
async def test_what_is_neither(client, text):
    with pytest.raises(UnexpectedAnswer):
        await client.download(text)
