"""Bad input ends in one clear sentence to the one who sent it."""

import struct
import zlib

import pytest

import pictures

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
NOBODYS = {"prompt": "a red fox", "size": "tiny square", "model": "nobody has it"}
MEGABYTE = 1024 * 1024


def animated_png():
    """A PNG with an animation's chunk before its first frame."""
    plain, body = pictures.picture(), struct.pack(">II", 2, 0)
    chunk = struct.pack(">I", len(body)) + b"acTL" + body
    chunk += struct.pack(">I", zlib.crc32(b"acTL" + body))
    head = 8 + 25  # the signature and IHDR
    return plain[:head] + chunk + plain[head:]


@pytest.mark.parametrize(
    ("content", "size", "words"),
    [
        (b"MZ this is a program", None, "no picture that I know"),
        (b"<svg onload=alert(1)>", None, "no picture that I know"),
        (b"GIF89a...", None, "animated or a GIF"),
        (animated_png(), None, "animated or a GIF"),
        (b"", None, "no picture that I know"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8X", None, "refuses this"),
        (pictures.picture(), 60 * MEGABYTE, "has 60 MB"),
    ],
    ids=["program", "svg", "gif", "apng", "empty", "cut webp", "60 MB"],
)
async def test_what_is_no_still_picture_is_refused(
    fake, people, anne, channel, content, size, words, said
):
    more = {} if size is None else {"size": size}
    file = fake.world.attachment("@everyone.png", content, **more)
    run = await people.slash("imagine", {**NOBODYS, "image": file}, user=anne, channel=channel)
    await fake.world.until(lambda: run.followups or "No worker" in run.text, 30, "a sentence")
    if run.followups:
        assert words in run.text
        assert "@everyone" not in run.text
        assert run.said["flags"] & 64
        assert run.original["deleted"], "nobody else sees a bot that thinks for ever"
    else:
        await people.click(run.original, "Cancel", user=anne)


async def test_a_prompt_of_6000_characters_is_taken_and_shown_cut(people, anne, channel, said):
    prompt = "*fox* " * 1000
    run = await people.slash("imagine", {**NOBODYS, "prompt": prompt}, user=anne, channel=channel)
    await said(run, "No worker")
    await people.click(run.original, "Cancel", user=anne)
    await said(run, "Cancelled")
    asked = await people.click(run.original, "Ask again", user=anne)
    await said(asked, "No worker")
    await people.click(asked.original, "Cancel", user=anne)


async def test_unsafe_pictures_are_for_age_restricted_channels(fake, people, anne, channel, said):
    world = fake.world
    await people.slash("account adult", {"allowed": False}, user=anne)
    places = {
        "no": [channel, world.add_thread("a thread", channel), world.dm_of(anne["id"])],
        "yes": [world.lewd, world.add_thread("a thread", world.lewd)],
    }
    for thread in (places["no"][1], places["yes"][1]):
        await fake.gateway.dispatch("THREAD_CREATE", thread)
    for answer, channels in places.items():
        for place in channels:
            assert await _is_unsafe_there(people, anne, place, said) == (answer == "yes")
    await people.slash("account adult", {"allowed": True}, user=anne)
    assert await _is_unsafe_there(people, anne, world.dm_of(anne["id"]), said)


async def _is_unsafe_there(people, anne, place, said):
    run = await people.slash("imagine", NOBODYS, user=anne, channel=place)
    await said(run, "No worker")
    await people.click(run.original, "Cancel", user=anne)
    await said(run, "Cancelled")
    return "nsfw" in (await people.click(run.original, "Info", user=anne)).text


async def test_a_guild_s_rules_are_kept(fake, people, channel, said):
    member = fake.world.add_user("member", roles=[(role := fake.world.add_role("guests"))["id"]])
    await fake.gateway.dispatch(
        "GUILD_ROLE_CREATE", {"guild_id": fake.world.guild["id"], "role": role}
    )
    limits = {"role": role, "at_once": 1, "pictures": 2, "pixels": 65536, "steps": 10}
    await people.slash("admin limits", limits)
    await people.slash("admin block", {"what": "words", "value": "squid"})
    await people.slash("admin block", {"what": "patterns", "value": "blue +whale"})
    await people.slash("admin block", {"what": "models", "value": "Bad Model"})
    bad = await people.slash("admin block", {"what": "patterns", "value": "(a"})
    assert "no regular expression" in bad.text
    shown = await people.slash("admin show")
    assert "squid" in shown.text
    refused = {
        "a word of that prompt": {"prompt": "A SQUID!"},
        "such prompts": {"prompt": "one blue  whale"},
        "does not allow the model": {"model": "bad model"},
        "2 at once": {"count": 3},
        "take a smaller size": {"size": "square"},
    }
    for words, options in refused.items():
        run = await people.slash("imagine", {**NOBODYS, **options}, user=member, channel=channel)
        await said(run, words)
        assert run.said["flags"] & 64
    first = await people.slash("imagine", NOBODYS, user=member, channel=channel)
    await said(first, "No worker")
    second = await people.slash("imagine", NOBODYS, user=member, channel=channel)
    await said(second, "1 request running")
    await people.click(first.original, "Cancel", user=member)
    await people.slash("admin limits", {"role": role, "hourly": 1, "steps": 10})
    often = await people.slash("imagine", NOBODYS, user=member, channel=channel)
    await said(often, "1 time in an hour")
    for what, value in (("words", "squid"), ("patterns", "blue +whale"), ("models", "Bad Model")):
        await people.slash("admin unblock", {"what": what, "value": value})
    audit = await people.slash("admin audit", {"user": member})
    (file,) = audit.said["attachments"]
    assert "a red fox" in fake.world.blobs[file["id"]].decode()


async def test_only_who_manages_a_guild_sets_its_rules(people, anne):
    for command in ("admin show", "admin audit"):
        run = await people.slash(command, user=anne, permissions=0)
        assert "Only who may manage" in run.text


async def test_logins_may_be_needed(people, anne, channel, said):
    await people.slash("admin rules", {"login": True})
    run = await people.slash("imagine", NOBODYS, user=anne, channel=channel)
    await said(run, "has to be logged in")
    await people.slash("admin rules", {"login": False})


async def test_settings_are_kept_as_presets(fake, people, anne, channel, said):
    panel = await people.slash("settings", user=anne)
    panel = await people.click(panel.original, "Sampler", values=["k_heun"], user=anne)
    panel = await people.click(panel.original, "Karras", user=anne)
    form = await people.click(panel.original, "More …", user=anne)
    more = await people.submit(
        form, {"Steps (1-500)": "7", "LoRAs, as name or name:strength, by comma": "a:0.5, b"}
    )
    assert "7" in more.text
    form = await people.click(panel.original, "More …", user=anne)
    wrong = await people.submit(form, {"Steps (1-500)": "many"})
    assert "a number from 1 to 500" in wrong.text
    assert "Saved" in (await people.slash("preset save", {"name": "mine"}, user=anne)).text
    run = await people.slash(
        "imagine", {"prompt": "x", "model": "nobody has it"}, user=anne, channel=channel
    )
    await said(run, "No worker")
    await people.click(run.original, "Cancel", user=anne)
    await said(run, "Cancelled")
    info = await people.click(run.original, "Info", user=anne)
    assert "heun" in info.text
    assert "mine" in (await people.slash("preset list", user=anne)).text
    found = await people.autocomplete("preset use", "name", "mi", user=anne)
    assert [one["value"] for one in found] == ["mine"]
    used = await people.slash("preset use", {"name": "mine"}, user=anne)
    assert "k_heun" in used.text
    assert "deleted" in (await people.slash("preset delete", {"name": "mine"}, user=anne)).text


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("horde status", {}, "Pictures"),
        ("horde models", {}, "horde-tiny"),
        ("horde workers", {}, "A light worker"),
        ("horde news", {}, ""),
        ("horde leaderboard", {}, "kudos"),
        ("worker info", {"worker": "no such worker"}, "There is no worker"),
        ("style list", {}, ""),
        ("style info", {"style": "no such style"}, "no such thing"),
        ("team list", {}, ""),
        ("team info", {"team": "no such team"}, "There is no team"),
        ("team create", {"name": "a team"}, "not logged in"),
        ("kudos history", {}, "not logged in"),
        ("worker list", {}, "not logged in"),
        ("rate", {}, "not logged in"),
        ("party info", {}, "no party here"),
        ("help", {}, "/imagine"),
    ],
)
async def test_each_command_answers_who_is_not_logged_in(
    people, anne, channel, command, options, words, said
):
    run = await people.slash(command, options, user=anne, channel=channel)
    await said(run, words)
    assert run.text
