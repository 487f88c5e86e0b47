"""Giving kudos in a real Chromium."""

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_somebody_gives_kudos(site_page, site):
    giver = site.user("Giver", oauth_id="g_1", kudos=100)
    receiver = site.user("Receiver", oauth_id="g_2")
    await site_page.goto(f"/transfer?username={receiver.alias.replace('#', '%23')}")
    await site_page.get_by_role("button", name="Give").click()
    await expect(
        site_page.get_by_label("Kudos", exact=True)
    ).to_be_focused()  # the browser asks what is missing
    await site_page.get_by_label("Kudos", exact=True).fill("40")
    await site_page.get_by_label("Your API key").fill(giver.key)
    await site_page.get_by_role("button", name="Give").click()
    await expect(site_page.get_by_role("heading", level=1)).to_have_text(
        f"40 kudos are with {receiver.alias} now"
    )
    await site_page.reload()  # sends the form again
    async with site.client(receiver.key) as client:
        assert (await client.users.me()).kudos == 65


async def test_whoever_is_logged_in_needs_no_key(site_page, site):
    giver = site.user("Giver", oauth_id="g_3", kudos=100)
    await site_page.get_by_text("I have a key").click()
    await site_page.get_by_label("Your API key").fill(giver.key)
    await site_page.get_by_role("button", name="Log in").click()
    await site_page.get_by_role("link", name="Give kudos").click()
    await expect(site_page.get_by_text("100 kudos to give")).to_be_visible()
    await expect(site_page.get_by_label("Your API key")).to_have_count(0)
