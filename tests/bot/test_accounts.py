"""Logging in, kudos, gifts by reaction, roles, shared keys: at a real horde."""

import sqlite3

import httpx
import pytest

import visitors
from fake_discord.runs import text_of

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
HEART, DEAR = "heart:1234567890123456789", "dear:1234567890123456788"


async def balance(horde, person):
    async with horde.client(person.key) as client:
        return (await client.users.me()).kudos


async def test_a_key_logs_in_and_is_never_shown_or_stored_open(
    people, bot, anne, account, channel, log_in
):
    form = await people.slash("account login", user=anne, channel=channel)
    assert all(
        not one.get("value") for row in form.modal["components"] for one in row["components"]
    )
    answer = await people.submit(form, {"Or your API key": account.key})
    assert "You are logged in as" in answer.text
    assert account.key not in answer.text
    assert answer.said["flags"] & 64
    info = await people.slash("account info", user=anne, channel=channel)
    assert account.alias.split("#")[0] in info.text
    with sqlite3.connect(bot.folder / "bot.sqlite") as database:
        stored = "".join(map(str, database.execute("SELECT * FROM logins").fetchall()))
    assert stored
    assert account.key not in stored
    assert account.key not in "".join(bot.log)
    out = await people.slash("account logout", user=anne, channel=channel)
    assert "logged out" in out.text
    again = await people.slash("account info", user=anne, channel=channel)
    assert "not logged in" in again.text


async def test_a_wrong_key_and_a_wrong_code_are_refused_in_one_sentence(people, anne, log_in):
    wrong = await log_in(anne, "x" * 22)
    assert "does not know that key" in wrong.text
    form = await people.slash("account login", user=anne)
    code = await people.submit(form, {"Code from the horde's page": "ABCD-EFGH"})
    assert "code" in code.text
    form = await people.slash("account login", user=anne)
    nothing = await people.submit(form, {})
    assert "Type the code" in nothing.text
    anonymous = await log_in(anne, "0000000000")
    assert "anonymous key" in anonymous.text


async def test_a_code_of_the_page_logs_in_until_its_user_logs_out_everywhere(
    people, anne, channel, horde, fake, log_in
):
    origin = {"Origin": horde.url, "Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(base_url=horde.url, headers=origin) as page:

        async def send(path, **fields):
            csrf = visitors.CSRF.search((await page.get("/register")).text)[1]
            return await page.post(path, data={"csrf_token": csrf, **fields})

        await send("/register", username="Anne of the page")
        code = visitors.CODE.search((await send("/login/code")).text)[1]
        form = await people.slash("account login", user=anne)
        answer = await people.submit(form, {"Code from the horde's page": code})
        assert "You are logged in as Anne of the page" in answer.text
        again = await people.slash("account login", user=fake.world.add_user("thief"))
        used = await people.submit(again, {"Code from the horde's page": code})
        assert "not known, used or too old" in used.text
        await send("/logout/all")
    history = await people.slash("kudos history", user=anne, channel=channel)
    assert "Log in again" in history.text
    run = await people.slash("imagine", {"prompt": "a red fox"}, user=anne, channel=channel)
    await fake.world.until(lambda: run.followups, what="a sentence")
    assert "Log in again" in run.text


async def test_who_is_logged_in_pays_with_their_own_kudos(
    people, anne, account, channel, log_in, pictures_of, horde
):
    await log_in(anne, account.key)
    before = await balance(horde, account)
    run = await people.slash(
        "imagine", {"prompt": "a red fox", "size": "tiny square"}, user=anne, channel=channel
    )
    await pictures_of(run)
    assert await balance(horde, account) < before


async def test_kudos_are_given_by_command_menu_and_form(
    fake, people, anne, account, log_in, horde, owner
):
    bob = fake.world.add_user("bob")
    await log_in(anne, account.key)
    missing = await people.slash("kudos give", {"amount": 5, "user": bob}, user=anne)
    assert "not logged in" in missing.text
    await log_in(bob, owner.key)
    before = await balance(horde, owner)
    given = await people.slash("kudos give", {"amount": 5, "user": bob}, user=anne)
    assert "You gave 5 kudos" in given.text
    form = await people.context_menu("Give kudos", bob, user=anne)
    menu = await people.submit(form, {"How many?": "7"})
    assert "You gave 7 kudos" in menu.text
    assert await balance(horde, owner) == before + 12
    assert "gave you 5 kudos" in text_of(fake.world.dms(bob)[0])
    poor = await people.slash("kudos give", {"amount": 9_000_000, "user": bob}, user=anne)
    assert "refuses" in poor.text
    form = await people.context_menu("Give kudos", bob, user=anne)
    assert "whole number" in (await people.submit(form, {"How many?": "many"})).text


async def test_a_reaction_gives_kudos_once_and_waits_for_a_login(
    fake, people, anne, account, channel, log_in, horde, pictures_of
):
    set_to = await people.slash("admin emoji", {"emoji": f"<:{HEART}>", "kudos": 3})
    assert "gives 3 kudos" in set_to.text
    author = fake.world.add_user("author")
    run = await people.slash(
        "imagine", {"prompt": "a fox", "size": "tiny square"}, user=author, channel=channel
    )
    await pictures_of(run)
    await people.react(run.original, HEART, user=anne)  # not logged in
    await fake.world.until(lambda: fake.world.dms(anne), what="a direct message")
    assert "log in first" in text_of(fake.world.dms(anne)[0])
    assert run.original["removed_reactions"] == [(HEART, anne["id"])]
    await log_in(anne, account.key)
    before = await balance(horde, account)
    await people.react(run.original, HEART, user=anne)
    await fake.world.until(lambda: len(fake.world.dms(anne)) == 2, what="a direct message")
    assert "as soon as they log in" in text_of(fake.world.dms(anne)[1])
    receiver = horde.user("Receiver", oauth_id="g_receiver")
    await log_in(author, receiver.key)
    await fake.world.until(lambda: fake.world.dms(author), what="a direct message")
    assert "3 kudos waited for you" in text_of(fake.world.dms(author)[0])
    await people.react(run.original, HEART, user=anne)  # the same gift again
    fake.world.closed_dms.add(anne["id"])
    await people.react(run.original, "star:1234567890123456780", user=anne)  # gives nothing
    await people.react(run.original, HEART, user=author)  # to oneself
    await people.react(fake.api.messages.blank(channel["id"]), HEART, user=anne)  # to the bot
    await people.slash("help", user=anne)
    assert await balance(horde, account) == before - 3
    fake.world.closed_dms.clear()
    await people.slash("admin emoji", {"emoji": f"<:{DEAR}>", "kudos": 900_000})
    told = len(fake.world.dms(anne))
    await people.react(run.original, DEAR, user=anne)  # more than there are
    await fake.world.until(lambda: len(fake.world.dms(anne)) > told, what="a direct message")
    assert "refuses this" in text_of(fake.world.dms(anne)[-1])


async def test_who_takes_no_direct_messages_is_told_in_the_channel(
    fake, people, anne, channel, pictures_of
):
    await people.slash("admin emoji", {"emoji": f"<:{HEART}>", "kudos": 3})
    author = fake.world.add_user("author")
    run = await people.slash(
        "imagine", {"prompt": "a fox", "size": "tiny square"}, user=author, channel=channel
    )
    await pictures_of(run)
    fake.world.closed_dms.add(anne["id"])

    def told():
        messages = list(fake.world.messages.values())
        return [one for one in messages if "log in first" in one["content"]]

    before = len(told())
    await people.react(run.original, HEART, user=anne)
    await fake.world.until(lambda: len(told()) > before, what="a message in the channel")
    assert told()[-1]["channel_id"] == channel["id"]
    fake.world.closed_dms.clear()
    del fake.world.problems[:]


async def test_an_account_brings_roles(fake, people, anne, owner, log_in):
    role = fake.world.add_role("has a worker")
    await people.slash("admin role", {"to": "worker", "role": role})
    await log_in(anne, owner.key)
    await fake.world.until(lambda: role["id"] in fake.world.roles[anne["id"]], what="a role")
    await people.slash("account logout", user=anne)
    await fake.world.until(lambda: role["id"] not in fake.world.roles[anne["id"]], what="no role")
    await people.slash("admin role", {"to": "worker"})


async def test_shared_keys_are_made_listed_and_revoked(people, anne, account, log_in):
    await log_in(anne, account.key)
    made = await people.slash("account keys create", {"kudos": 50, "name": "mine"}, user=anne)
    key = made.text.split("`")[1]
    listed = await people.slash("account keys list", user=anne)
    assert key[-6:] in listed.text
    assert key not in listed.text
    gone = await people.slash("account keys revoke", {"key": key[-6:]}, user=anne)
    assert "gone" in gone.text
    assert "no shared keys" in (await people.slash("account keys list", user=anne)).text


async def test_one_s_own_worker_is_paused_and_renamed(
    people, anne, owner, log_in, worker, channel, said
):
    await log_in(anne, owner.key)
    listed = await people.slash("worker list", user=anne)
    assert "A light worker" in listed.text
    name = {"worker": "A light worker"}
    paused = await people.slash("worker pause", name, user=anne, channel=channel)
    assert "takes no jobs" in paused.text
    info = await people.slash("worker info", name, user=anne, channel=channel)
    await said(info, "in maintenance")
    back = await people.slash("worker unpause", name, user=anne, channel=channel)
    assert "takes jobs again" in back.text
    stranger = await people.slash("worker pause", name, channel=channel)
    assert "not logged in" in stranger.text
    nothing = await people.slash("worker edit", name, user=anne)
    assert "Say what to change" in nothing.text
    edited = await people.slash("worker edit", {**name, "about": "**bold** @everyone"}, user=anne)
    assert "is changed" in edited.text
    info = await people.slash("worker info", name, user=anne, channel=channel)
    await said(info, "bold")
    assert "**bold**" not in info.text
    assert "@everyone" not in info.text


async def test_a_worker_of_somebody_else_stays_as_it_is(people, anne, account, log_in, worker):
    await log_in(anne, account.key)
    for command in ("worker pause", "worker unpause"):
        refused = await people.slash(command, {"worker": "A light worker"}, user=anne)
        assert "refuses this" in refused.text


async def test_a_team_is_founded_joined_and_left(
    people, anne, owner, account, fake, log_in, worker, said
):
    await log_in(anne, owner.key)
    founded = await people.slash("team create", {"name": "Foxes", "about": "We run."}, user=anne)
    assert "The team Foxes is founded" in founded.text
    mine = {"worker": "A light worker"}
    joined = await people.slash("worker team", {**mine, "team": "Foxes"}, user=anne)
    assert "is in that team now" in joined.text
    info = await people.slash("team info", {"team": "Foxes"}, user=anne)
    await said(info, "We run.")
    fields = {one["name"]: one["value"] for one in info.original["embeds"][0]["fields"]}
    assert fields["Workers"] == "1"
    left = await people.slash("worker team", mine, user=anne)
    assert "is in no team now" in left.text
    other = fake.world.add_user("other")
    await log_in(other, account.key)
    refused = await people.slash("team create", {"name": "Others"}, user=other)
    assert "refuses this" in refused.text
    unknown = await people.slash("worker team", {**mine, "team": "nobody's"}, user=anne)
    assert "refuses this" in unknown.text or "no such thing" in unknown.text
