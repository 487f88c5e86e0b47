"""What becomes of results: too large, censored, rated, asked for again."""

import pytest

from fake_discord.limits import components

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
TINY = {"prompt": "a red fox", "size": "tiny square"}


RESERVE = 64 * 1024
"""What the bot leaves of the room for files."""


async def test_pictures_that_do_not_fit_are_links(
    fake, people, anne, channel, monkeypatch, pictures_of, said
):
    first = await people.slash("imagine", {**TINY, "seed": "1"}, user=anne, channel=channel)
    (file,) = await pictures_of(first)
    monkeypatch.setattr(fake.world, "size_limit", RESERVE + file["size"] * 3 // 2)
    run = await people.slash("imagine", {**TINY, "count": 2}, user=anne, channel=channel)
    await said(run, "[Picture 2 is too large for Discord](http")
    assert [one["filename"] for one in run.original["attachments"]] == ["1.webp"]
    refused = await people.click(run.original, "Upscale 2", user=anne)
    await said(refused, "use its link")


async def test_a_censored_picture_says_so(people, anne, channel, said):
    asked = {**TINY, "prompt": "nude", "count": 2}
    run = await people.slash("imagine", asked, user=anne, channel=channel)
    await said(run, "A worker found a picture unsafe and replaced it")
    assert len(run.original["attachments"]) == 2
    info = await people.click(run.original, "Info", user=anne)
    assert "censored True" in info.text


async def test_shared_pictures_are_rated_by_who_asked_and_by_others(
    fake, people, anne, account, log_in, pictures_of, horde
):
    await log_in(anne, account.key)
    asked = {**TINY, "share": True, "count": 2}
    run = await people.slash("imagine", asked, user=anne)
    await pictures_of(run, 2)
    which = await people.click(run.original, "Rate", user=anne)
    stars = await people.click(which.original, "Picture", values=["1"], user=anne)
    thanks = await people.click(stars.original, "Stars", values=["10"], user=anne)
    assert "kudos for your rating" in thanks.text
    other = fake.world.add_user("other")
    await log_in(other, horde.user("Rater", oauth_id="g_rater").key)
    shown = await people.slash("rate", user=other)
    assert shown.said["embeds"][0]["image"]["url"].startswith(horde.url)
    for number in range(10):
        if "nothing left to rate" in shown.text:
            break
        shown = await people.click(shown.said, "Stars", values=[str(number + 1)], user=other)
        assert "kudos for you" in shown.text
    assert number, "the picture, at least"


async def test_what_is_not_shared_is_not_rated(people, anne, channel, pictures_of):
    run = await people.slash("imagine", TINY, user=anne, channel=channel)
    await pictures_of(run)
    refused = await people.click(run.original, "Rate", user=anne)
    assert "Only shared pictures" in refused.text


async def test_what_was_asked_for_is_asked_again(people, anne, channel, pictures_of):
    nothing = await people.slash("history", user=anne)
    assert "not asked for anything" in nothing.text
    for prompt in ("a red fox", "a *blue* whale", "a red fox"):
        run = await people.slash("imagine", {**TINY, "prompt": prompt}, user=anne, channel=channel)
        await pictures_of(run)
    found = await people.autocomplete("imagine", "prompt", "FOX", user=anne)
    assert [one["value"] for one in found] == ["a red fox"]
    past = await people.slash("history", user=anne)
    (select,) = [one for one in components(past.original["components"]) if one["type"] == 3]
    labels = [one["label"] for one in select["options"]]
    assert labels == ["a red fox", "a *blue* whale"]
    chosen = [select["options"][1]["value"]]
    form = await people.click(past.original, "Ask again …", values=chosen, user=anne)
    run = await people.submit(form, {})
    await pictures_of(run)
    assert "blue" in run.text


async def test_nobody_asks_again_for_what_others_asked(fake, people, anne, channel, pictures_of):
    run = await people.slash("imagine", TINY, user=anne, channel=channel)
    await pictures_of(run)
    past = await people.slash("history", user=anne)
    refused = await people.click(
        past.original, "Ask again …", values=["1"], user=fake.world.add_user("thief")
    )
    assert "Only the one who asked" in refused.text
    foreign = await people.click(past.original, "Ask again …", values=["1"], user=anne)
    assert "no longer remember" in foreign.text
