"""From a slash command to uploaded pictures: sockets, server, worker and bot are real."""

import io

import pytest
from PIL import Image

from fake_discord.runs import text_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]
SECONDS = 60


async def test_a_slash_command_becomes_an_uploaded_picture(fake, start, horde, worker):
    await start(horde.url)
    run = await fake.people.slash(
        "imagine", {"prompt": "a red fox", "size": "tiny square", "count": 2}
    )
    await fake.world.until(lambda: run.original["attachments"], SECONDS, "pictures")
    assert [one["filename"] for one in run.original["attachments"]] == ["1.webp", "2.webp"]
    content = fake.world.blobs[run.original["attachments"][0]["id"]]
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (128, 128)
    assert "a red fox" in text_of(run.original)
    assert "A light worker" in text_of(run.original)
    assert run.latency < 1
    assert len({text_of(state) for state in run.history}) >= 3
    assert fake.world.problems == []
