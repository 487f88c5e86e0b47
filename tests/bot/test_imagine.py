"""From a slash command to uploaded pictures, and what can be done with them then."""

import io

import pytest
from PIL import Image

import pictures
from fake_discord.limits import components
from fake_discord.runs import text_of

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]
TINY = {"prompt": "a red fox", "size": "tiny square"}
NOBODYS = {**TINY, "model": "nobody has it"}


def labels(message):
    return [one.get("label") for one in components(message["components"]) if one["type"] == 2]


async def test_a_slash_command_becomes_uploaded_pictures(fake, people, anne, channel, pictures_of):
    run = await people.slash("imagine", {**TINY, "count": 2}, user=anne, channel=channel)
    files = await pictures_of(run, 2)
    assert [one["filename"] for one in files] == ["1.webp", "2.webp"]
    with Image.open(io.BytesIO(fake.world.blobs[files[0]["id"]])) as picture:
        assert picture.size == (128, 128)
    assert "a red fox" in run.text
    assert "A light worker" in run.text
    assert labels(run.original) == [
        "Re-roll", "Edit", "Rate", "Info", "Delete", "Vary 1", "Vary 2", "Upscale 1", "Upscale 2",
    ]  # fmt: skip


async def test_a_gallery_has_ten(people, anne, channel, pictures_of):
    run = await people.slash("imagine", {**TINY, "count": 10}, user=anne, channel=channel)
    assert len(await pictures_of(run, 10)) == 10
    assert any(one["type"] == 3 for one in components(run.original["components"]))


async def test_a_picture_is_made_from_an_attached_one(fake, people, anne, channel, pictures_of):
    source = fake.world.attachment("in.png", pictures.picture((128, 128)))
    asked = {**TINY, "image": source, "strength": 50}
    run = await people.slash("imagine", asked, user=anne, channel=channel)
    await pictures_of(run)
    assert "source.png" in [one["filename"] for one in run.original["attachments"]]
    again = await people.click(run.original, "Re-roll", user=anne)
    await pictures_of(again)
    assert "source.png" in [one["filename"] for one in again.original["attachments"]]


async def test_the_buttons_of_a_result_ask_again(fake, people, anne, channel, pictures_of, said):
    run = await people.slash("imagine", TINY, user=anne, channel=channel)
    await pictures_of(run)
    other = fake.world.add_user("other")
    again = await people.click(run.original, "Re-roll", user=other)
    await pictures_of(again)
    varied = await people.click(run.original, "Vary", user=anne)
    await pictures_of(varied, 2)
    form = await people.click(run.original, "Edit", user=anne)
    edited = await people.submit(form, {"Prompt": "a blue whale"})
    await pictures_of(edited)
    assert "a blue whale" in edited.text
    info = await people.click(run.original, "Info", user=other)
    assert "a red fox" in info.text
    gone = await people.click(run.original, "Delete", user=anne)
    await fake.world.until(lambda: run.original.get("deleted"), what="a deleted message")
    assert gone.is_answered


async def test_only_who_asked_or_a_moderator_cancels(fake, people, anne, channel, said):
    run = await people.slash("imagine", NOBODYS, user=anne, channel=channel)
    await said(run, "No worker that is online can do this")
    stranger = fake.world.add_user("stranger")
    refused = await people.click(run.original, "Cancel", user=stranger, permissions=0)
    await said(refused, "Only the one who asked")
    await people.click(run.original, "Cancel", user=anne)
    await said(run, "Cancelled")
    other = await people.slash("imagine", NOBODYS, user=anne, channel=channel)
    await said(other, "No worker that is online can do this")
    await people.click(other.original, "Cancel", user=stranger)  # has all permissions
    await said(other, "Cancelled")


async def test_a_text_is_written_and_goes_on(people, anne, channel, said, fake):
    run = await people.slash("text", {"prompt": "Once upon a time"}, user=anne, channel=channel)
    await fake.world.until(lambda: "Continue" in labels(run.original), 60, "a text")
    assert "Once upon a time" in run.text
    more = await people.click(run.original, "Continue", user=anne)
    await fake.world.until(lambda: "Continue" in labels(more.original), 60, "more text")
    first = run.text.partition("…")[2].partition("\n")[0]
    assert f"Once upon a time{first}" in more.text
    form = await people.click(more.original, "Reply", user=anne)
    answer = await people.submit(form, {"What you say": "And then?"})
    await fake.world.until(lambda: "Continue" in labels(answer.original), 60, "an answer")
    assert f"{first}" in answer.text
    assert "And then?" in answer.text


async def test_a_picture_is_described_and_enlarged(fake, people, anne, channel, said, pictures_of):
    image = fake.world.attachment("in.png", pictures.picture((64, 64)))
    run = await people.slash(
        "describe", {"image": image, "how": "palette"}, user=anne, channel=channel
    )
    await said(run, "palette")
    larger = await people.slash("upscale", {"image": image}, user=anne, channel=channel)
    assert larger.is_answered


async def test_a_message_s_picture_is_taken_from_its_menu(fake, people, anne, channel, said):
    message = fake.api.messages.blank(channel["id"]) | {
        "attachments": [fake.world.attachment("in.png", pictures.picture((64, 64)))]
    }
    run = await people.context_menu("Rework picture", message, user=anne, channel=channel)
    assert run.modal["title"] == "Make something of this picture"
    empty = await people.context_menu(
        "Describe picture", {**message, "attachments": []}, user=anne, channel=channel
    )
    assert "no picture" in empty.text


async def test_hidden_pictures_are_spoilers(people, anne, channel, pictures_of):
    run = await people.slash("imagine", {**TINY, "spoiler": True}, user=anne, channel=channel)
    assert [one["filename"] for one in await pictures_of(run)] == ["SPOILER_1.webp"]
    varied = await people.click(run.original, "Vary", user=anne)
    assert all(one["filename"].startswith("SPOILER_") for one in await pictures_of(varied, 2))


async def test_nobody_is_pinged_by_what_others_wrote(people, anne, channel, said):
    run = await people.slash(
        "imagine", {**NOBODYS, "prompt": "@everyone <@1> **loud**"}, user=anne, channel=channel
    )
    await said(run, "No worker")
    assert "@everyone" not in run.text
    assert run.original["allowed_mentions"] == {"parse": []}
    await people.click(run.original, "Cancel", user=anne)


async def test_suggestions_come_from_the_horde(people, anne):
    found = await people.autocomplete("imagine", "model", "horde", {"prompt": "x"}, user=anne)
    assert "horde-tiny" in [one["value"] for one in found]
    assert text_of({"content": found[0]["name"]}).startswith("horde-tiny (")
