"""The page in a real browser, against a real server."""

import base64
import json
import re

import httpx
import pytest
from playwright.async_api import expect

import pictures
from core.catalog import models

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.browser]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def ask(page, prompt, *, n=1):
    """Send a request; gives its card."""
    await page.get_by_label("Prompt").fill(prompt)
    await page.get_by_role("spinbutton", name="Pictures").fill(str(n))
    await page.get_by_label("Prompt").press("Control+Enter")
    card = page.get_by_role("article").first
    await expect(card.get_by_role("heading")).to_have_text(prompt)
    return card


def tiles(card, state):
    return card.locator(f".tile[data-state={state}]")


async def test_pictures_appear_one_by_one_as_they_are_finished(page, worker):
    card = await ask(page, "a lighthouse at dusk", n=2)
    await expect(card.locator(".state")).to_contain_text("Next in line")
    (first,) = await worker.take()
    await expect(tiles(card, "processing")).to_have_text(re.compile("Painter</b> is making it"))
    seed = await worker.deliver(first)

    await expect(card.get_by_role("img")).to_have_count(1)
    shown = card.get_by_role("img")
    await expect(shown).to_have_js_property("naturalWidth", 512)
    await expect(tiles(card, "waiting")).to_have_count(1)
    await expect(card.locator(".state")).to_contain_text("1 of 2 finished")
    about = card.locator("figcaption").first
    await expect(about).to_contain_text(f"Made by {worker.name}")
    await expect(about).to_contain_text("horde-tiny")
    await expect(about).to_contain_text(re.compile(r"\d+(\.\d)? kudos"))

    async with page.expect_download() as download:
        await card.get_by_role("link", name="Download").click()
    assert (await download.value).suggested_filename == f"a-lighthouse-at-dusk-{seed}.webp"

    (second,) = await worker.take()
    await worker.deliver(second)
    await expect(card.get_by_role("img")).to_have_count(2)
    await expect(card.locator(".state")).to_have_text(re.compile(r"2 pictures · .* kudos"))
    await expect(page).to_have_title("Stable Horde")

    await card.get_by_role("button", name=f"Use seed {seed}").click()
    await expect(page.get_by_label("Seed", exact=True)).to_have_value(str(seed))
    await expect(page.get_by_label("Prompt")).to_have_value("a lighthouse at dusk")


async def test_a_picture_is_seen_coming(page, worker):
    async def without_censorship(route):
        body = route.request.post_data_json | {"censor_nsfw": False}
        await route.continue_(post_data=json.dumps(body))

    await page.route("**/generate/async", without_censorship)
    card = await ask(page, "a fox in fog")
    (job,) = await worker.take()
    tile = tiles(card, "processing")
    await expect(tile).to_have_text(re.compile("is making it"))
    for step in (3, 4):  # of which the second tells it to who watches since the first
        await worker.tell(job, step, 9, preview=base64.b64encode(pictures.WEBP).decode())
        await expect(tile).to_contain_text(f"step {step} of 9")
    preview = card.locator("img.preview")
    await expect(preview).to_have_js_property("complete", value=True)
    assert await preview.evaluate("one => one.naturalWidth") > 0
    await worker.deliver(job)
    await expect(card.get_by_role("img")).to_have_count(1)
    await expect(preview).to_have_count(0)


async def test_the_place_in_line_is_shown(page, worker):
    await ask(page, "the first")
    second = await ask(page, "the second")
    await expect(second.locator(".state")).to_contain_text("2nd in line")


async def test_the_cost_is_said_before_sending(page):
    await expect(page.locator("#cost")).to_have_text(re.compile(r"^Costs \d+(\.\d)? kudos$"))
    before = await page.locator("#cost").text_content()
    await page.get_by_role("button", name="One picture more").click()
    await expect(page.locator("#cost")).not_to_have_text(before)


async def test_an_unknown_key_is_refused_beside_its_field(page):
    await page.get_by_text("API key").click()
    await page.get_by_label("Your key").fill("nobody-has-this-key-22")
    await page.get_by_label("Prompt").fill("a boat")
    await page.get_by_role("button", name="Make picture").click()
    await expect(page.locator("#apikey-error")).to_contain_text("No user matching sent API Key")
    await expect(page.get_by_label("Your key")).to_be_focused()
    await expect(page.get_by_role("article")).to_have_count(0)


async def test_what_the_server_finds_wrong_stands_beside_its_field(page):
    await page.evaluate("document.getElementById('steps').max = 600")
    await page.get_by_label("Steps").fill("501")
    await page.get_by_label("Prompt").fill("a boat")
    await page.get_by_role("button", name="Make picture").click()
    await expect(page.locator("#steps-error")).to_have_text(
        "501 is greater than the maximum of 500"
    )
    await expect(page.get_by_label("Prompt")).to_have_value("a boat")


async def test_an_empty_prompt_is_not_sent(page):
    await page.get_by_role("button", name="Make picture").click()
    await expect(page.locator("#prompt-error")).to_be_visible()
    await expect(page.get_by_label("Prompt")).to_be_focused()


async def test_sizes_snap_to_what_the_horde_makes(page):
    await page.get_by_label("Width", exact=True).fill("700")
    await page.get_by_label("Width", exact=True).blur()
    await expect(page.get_by_label("Width", exact=True)).to_have_value("704")
    await page.get_by_role("radio", name="Square").check()
    await expect(page.get_by_label("Width", exact=True)).to_have_value("576")
    await expect(page.get_by_label("Height", exact=True)).to_have_value("576")


async def test_cancel(page):
    card = await ask(page, "never to be", n=2)
    await card.get_by_role("button", name="Cancel").click()
    await expect(card.locator(".state")).to_contain_text("Cancelled. 0 of 2 finished")
    await expect(tiles(card, "cancelled")).to_have_count(2)
    await card.get_by_role("button", name="Remove").click()
    await expect(page.get_by_role("article")).to_have_count(0)


async def test_a_reload_finds_running_and_finished_requests_again(page, worker):
    done = await ask(page, "the finished one")
    await worker.deliver((await worker.take())[0])
    await expect(done.get_by_role("img")).to_have_count(1)
    await ask(page, "the running one")
    (job,) = await worker.take()

    await page.reload()
    running, finished = await page.get_by_role("article").all()
    await expect(running.get_by_role("heading")).to_have_text("the running one")
    await expect(finished.get_by_role("img")).to_have_count(1)
    await expect(tiles(running, "processing")).to_have_count(1)
    await worker.deliver(job)
    await expect(running.get_by_role("img")).to_have_count(1)


async def test_without_the_event_stream_the_page_polls(page, worker):
    await page.route("**/generate/events/**", lambda route: route.abort())
    card = await ask(page, "by polling")
    await expect(card.locator(".state")).to_contain_text("Next in line")
    await worker.deliver((await worker.take())[0])
    await expect(card.get_by_role("img")).to_have_count(1)
    await expect(card.locator(".state")).to_contain_text("1 picture")


async def test_that_nobody_can_make_it_is_said_once_and_while_it_is_so(page, worker):
    async def by_its_own_model(route):
        body = route.request.post_data_json | {"models": ["horde-tiny-2"]}
        await route.continue_(post_data=json.dumps(body))

    await page.route("**/generate/async", by_its_own_model)
    card = await ask(page, "for nobody yet")
    await expect(card.locator(".state")).to_contain_text("No worker")
    await expect(card.locator(".notice")).to_be_hidden()


async def test_why_a_worker_failed_is_said(page, worker):
    card = await ask(page, "too hard for one")
    await worker.fault((await worker.take())[0], "<b>its mask</b> cannot be read")
    why = "It failed once: <b>its mask</b> cannot be read."
    await expect(card.locator(".why")).to_have_text(why)


async def test_what_workers_fail_at_is_said(page, worker):
    card = await ask(page, "too hard")
    for number in range(3):  # what a worker failed at is for others first
        other = worker.other(f"Cellar {number}")
        await other.fault((await other.take())[0])
    await expect(card.locator(".state")).to_contain_text("Workers failed at this")
    await expect(tiles(card, "faulted")).to_have_count(1)


async def test_a_picture_opens_large_and_closes_by_keyboard(page, worker):
    card = await ask(page, "worth a closer look")
    await worker.deliver((await worker.take())[0])
    await card.get_by_role("button", name="Show large").press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(card.get_by_role("button", name="Show large")).to_be_focused()


async def test_what_others_wrote_is_only_text(page, worker):
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    card = await ask(page, hostile)  # the worker's name is hostile, too
    await worker.deliver((await worker.take())[0])
    await expect(card.get_by_role("img")).to_have_count(1)
    await expect(card.get_by_role("img")).to_have_attribute("alt", hostile)
    assert await card.locator("b, script").count() == 0


@pytest.mark.parametrize("window", [PHONE])
async def test_a_phone_needs_no_sideways_scrolling(page, worker):
    async def width():
        return await page.evaluate("document.documentElement.scrollWidth")

    await page.get_by_text("More settings").click()
    assert await width() == PHONE["viewport"]["width"]
    card = await ask(page, "averylongwordwithoutanyplacetobreakit" * 3, n=3)
    for _ in range(3):
        await worker.deliver((await worker.take())[0])
    await expect(card.get_by_role("img")).to_have_count(3)
    assert await width() == PHONE["viewport"]["width"]
    await expect(card).to_be_in_viewport()


async def test_the_policy_lets_scripts_and_calls_go_nowhere_else(horde_url):
    async with httpx.AsyncClient() as http:
        answer = await http.get(horde_url)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "unsafe" not in policy


async def test_a_page_that_cannot_start_says_so_and_sends_nothing(chromium, horde_url):
    context = await chromium.new_context(viewport={"width": 1280, "height": 860})
    page = await context.new_page()
    await page.route("**/form.js", lambda route: route.abort())
    await page.goto(horde_url)
    await expect(page.get_by_text("The page did not start.")).to_be_visible()
    await expect(page.locator("#submit")).to_be_disabled()
    await page.get_by_label("Prompt").fill("a secret")
    await page.get_by_role("spinbutton", name="Width").press("Enter")
    assert page.url == f"{horde_url}/"
    await context.close()


async def test_without_scripts_the_page_says_what_it_needs(chromium, horde_url):
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(horde_url)
    told = page.locator("noscript p")
    await expect(told).to_contain_text("This page talks to the horde by JavaScript")
    await expect(told).to_be_in_viewport()
    assert await page.locator("form").get_attribute("method") == "post"
    assert await page.locator("#apikey").get_attribute("name") is None
    await context.close()


async def test_the_form_takes_the_defaults_and_the_words_of_the_only_model_online(page, worker):
    # The worker offers itself as it takes a job.
    await ask(page, "a cat")
    await worker.take()
    await page.reload()
    await expect(page.locator("#steps-value")).to_have_text("12")
    await expect(page.locator("#cfg_scale-value")).to_have_text("4")
    await expect(page.locator("#cost")).to_have_text("Costs 7.6 kudos")  # 7.57, of 12 steps
    samples = page.locator("[data-example]")
    await expect(samples).to_have_count(3)
    told = page.locator("#prompt-hint")
    await page.get_by_label("Prompt").fill("a red fox on a blue background, masterpiece, 4k")
    await expect(told).to_be_hidden()
    await page.get_by_label("Prompt").fill("greyhounds flying over a chandelier")
    await expect(told).to_have_text(
        "horde-tiny draws dog for greyhounds; does not know chandelier."
    )


async def test_the_examples_are_samples_of_the_shipped_model(page):
    async with httpx.AsyncClient() as http:
        at_first = re.findall('data-example="(.+?)"', (await http.get(page.url)).text)
    shown = await page.locator("[data-example]").all_text_contents()
    assert at_first
    assert shown
    assert {*at_first, *shown} <= set(models.image_model("horde-tiny").samples)
