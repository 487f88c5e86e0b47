"""The bot's messages as people see them: the pictures in docs/discord.md are made here.

`DISCORD_PICTURES=docs/images` writes them there instead of nowhere.
"""

import asyncio
import contextlib
import io
import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import async_playwright

import botting
import serving
import working
from fake_discord import page
from fake_discord.runs import text_of
from fake_discord.server import running

pytestmark = [
    pytest.mark.long,
    pytest.mark.model,
    pytest.mark.asyncio(loop_scope="function"),
    pytest.mark.timeout(1200),
]
PROMPT = "a red fox"
SECONDS = 300


async def test_messages_are_drawn_from_what_the_bot_sent(chromium_path, tmp_path, monkeypatch):
    monkeypatch.setattr(working, "START_SECONDS", SECONDS * 2)
    target = Path(os.environ.get("DISCORD_PICTURES") or tmp_path)
    with contextlib.ExitStack() as started:
        enter = started.enter_context
        making = serving.process(tmp_path / "horde", default_models="[]")
        server = await asyncio.to_thread(enter, making)
        owner = server.user("Owner", oauth_id="g_owner", trusted=True, kudos=5000)
        making = working.process(
            server.url, owner.key, name="The fox den", kinds='["image", "alchemy"]'
        )
        await asyncio.to_thread(enter, making)
        async with running() as fake:
            making = botting.process(fake, server.url, tmp_path / "bot")
            await botting.entered(started, making)
            scenes = await _scenes(fake, owner)
    async with async_playwright() as driver:
        args = ["--no-sandbox", "--disable-dev-shm-usage"]
        chromium = await driver.chromium.launch(executable_path=chromium_path, args=args)
        for name, content in scenes.items():
            tab = await chromium.new_page(viewport={"width": 672, "height": 200})
            await tab.set_content(content)
            await tab.screenshot(path=target / f"discord-{name}.png", full_page=True)
        await chromium.close()
    assert all((target / f"discord-{name}.png").stat().st_size > 5000 for name in scenes)


def previewed(run):
    """The states of a message that had a preview."""
    return [one for one in run.history if "▰" in text_of(one) and one["attachments"]]


async def _scenes(fake, owner):
    people, world = fake.people, fake.world
    form = await people.slash("account login")
    login = page.page(page.form(form.modal))
    logged_in = await people.submit(form, {"Or your API key": owner.key})
    panel = await people.slash("settings")
    form = await people.click(panel.original, "More …")
    await people.submit(form, {"Steps (1-500)": "60"})
    here = {"channel": world.lewd}
    asked = {"prompt": PROMPT, "count": 4, "size": "tiny square"}
    run = await people.slash("imagine", asked, **here)
    await world.until(lambda: previewed(run), SECONDS, "a preview")
    live = page.message(world, previewed(run)[-1], "@anne used /imagine")
    await world.until(lambda: len(run.original["attachments"]) == 4, SECONDS, "pictures")
    result = page.page(live, page.message(world, run.original, "@anne used /imagine"))
    varied = await people.click(run.original, "Vary 1", **here)
    await world.until(lambda: len(varied.original["attachments"]) == 5, SECONDS, "others")
    others = page.message(world, varied.original, "@anne used Vary 1")
    large = await people.click(run.original, "Upscale 1", **here)
    await world.until(lambda: len(large.original["attachments"]) == 2, SECONDS, "a larger one")
    (file,) = [one for one in large.original["attachments"] if "source" not in one["filename"]]
    with Image.open(io.BytesIO(world.blobs[file["id"]])) as picture:
        assert picture.size == (512, 512)
    larger = page.message(world, large.original, "@anne used Upscale 1")
    whale = await people.slash("imagine", {"prompt": "a blue whale", "size": "tiny square"})
    await world.until(lambda: whale.original["attachments"], SECONDS, "a whale")
    past = await people.slash("history")
    settings = await people.slash("settings")
    settings = await people.click(settings.original, "Sampler", values=["k_euler"])
    status = await people.slash("horde status")
    await world.until(lambda: status.original["embeds"], 30, "the status")
    return {
        "imagine": result,
        "login": login,
        "others": page.page(
            others, larger, page.message(world, past.original, "@anne used /history")
        ),
        "settings": page.page(page.message(world, settings.original, "@anne used /settings")),
        "more": page.page(
            page.message(world, logged_in.said),
            page.message(world, status.original, "@anne used /horde status"),
        ),
    }
