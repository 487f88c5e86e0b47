"""Registering and the account in a real Chromium, with its cookies, policies and forms."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="module")

WINDOWS = [
    pytest.param({"viewport": {"width": 1280, "height": 860}}, id="desktop"),
    pytest.param(
        {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"},
        id="phone",
    ),
]


async def fits(page):
    wide = "document.documentElement.scrollWidth > innerWidth"
    return not await page.evaluate(wide)


async def test_somebody_logs_in_at_a_service_and_registers(site_page):
    await site_page.get_by_role("link", name="Continue with Google").click()
    await expect(site_page.get_by_text("What shall the horde call you?")).to_be_visible()
    await site_page.get_by_label("Name").fill("Ann")
    await site_page.get_by_role("button", name="Create account").click()
    await expect(site_page.locator("#key")).to_have_text(re.compile(r"^[\w-]{22}$"))
    key = await site_page.locator("#key").text_content()
    await site_page.get_by_role("link", name="I have kept it").click()
    await expect(site_page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^Ann#\d+$"))
    assert key not in await site_page.content()
    (cookie,) = await site_page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert await site_page.evaluate("document.cookie") == ""
    await site_page.get_by_role("button", name="Log out", exact=True).click()
    await site_page.get_by_role("link", name="Continue with Google").click()
    await expect(site_page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^Ann#\d+$"))


@pytest.mark.parametrize("window", WINDOWS)
async def test_somebody_registers_without_a_login(site_page):
    assert await fits(site_page)
    await site_page.get_by_label("Name").fill("Bob")
    await site_page.get_by_role("button", name="without a login").click()
    await expect(site_page.get_by_text("Keep it where you will find it again")).to_be_visible()
    assert await fits(site_page)
    await site_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    key = await site_page.locator("#key").text_content()
    await site_page.get_by_role("button", name="Copy").click()
    await expect(site_page.get_by_role("button", name="Copied")).to_be_visible()
    assert await site_page.evaluate("navigator.clipboard.readText()") == key
    await site_page.get_by_role("link", name="I have kept it").click()
    assert await fits(site_page)
    await site_page.get_by_role("button", name="Make a new key").click()
    await expect(site_page.locator("#key")).to_have_count(0)  # the browser asks for the tick first
    await site_page.get_by_label("My programs and workers").check()
    await site_page.get_by_role("button", name="Make a new key").click()
    await expect(site_page.locator("#key")).not_to_have_text(key)
    await site_page.goto("/register")
    await site_page.get_by_role("button", name="Show a code").click()
    await expect(site_page.locator("#code")).to_have_text(
        re.compile(r"^[A-Z]{4}-[A-Z]{4}-[A-Z]{4}$")
    )
    assert await fits(site_page)


@pytest.mark.parametrize("window", WINDOWS)
async def test_documents_fit_the_window(site_page):
    for path in ("/terms", "/privacy", "/sponsors", "/transfer"):
        await site_page.goto(path)
        assert await fits(site_page), path


WHO = """async ([url, credentials]) => {
  const ask = async (path, headers) => (await fetch(url + path, { credentials, headers })).json();
  try {
    const { csrf_token } = await ask("/api/v2/login/session");
    return (await ask("/api/v2/find_user", { "X-CSRF-Token": csrf_token })).username;
  } catch (error) {
    return "refused";
  }
}"""


async def test_our_own_scripts_act_for_who_is_logged_in_and_no_others(site_page, site):
    await site_page.get_by_label("Name").fill("Cat")
    await site_page.get_by_role("button", name="without a login").click()
    await site_page.goto("/")
    await expect(site_page.locator("#account-summary")).to_have_text(re.compile(r"^Cat#\d+ · 14"))
    assert (await site_page.evaluate(WHO, ["", "same-origin"])).startswith("Cat#")
    foreign = await site_page.context.new_page()
    await foreign.goto(site.url.replace("127.0.0.1", "localhost") + "/api/")
    assert await foreign.evaluate(WHO, [site.url, "include"]) == "refused"
    assert await foreign.evaluate(WHO, [site.url, "omit"]) is None
