"""`/transfer`: giving kudos by a form."""

import itertools
import re

import pytest
import pytest_asyncio

import serving
import visitors

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBERS = itertools.count(1)
ONCE = re.compile(r'name="once" value="([0-9a-f]{32})"')


@pytest_asyncio.fixture(loop_scope="module")
async def giver(site):
    return await site.user("Giver", oauth_id=f"g_{next(NUMBERS)}", kudos=100)


@pytest_asyncio.fixture(loop_scope="module")
async def receiver(site):
    return await site.user("Receiver", oauth_id=f"d_{next(NUMBERS)}")


@pytest_asyncio.fixture(loop_scope="module")
async def browser(site):
    async with visitors.visitor(site.app) as made:
        await made.open("/transfer")
        yield made


async def kudos(site, person):
    return (await site.get("/find_user", key=person.key)).json()["kudos"]


async def give(browser, receiver, **fields):
    """Open the form and send it."""
    once = ONCE.search((await browser.open("/transfer")).text)[1]
    return await browser.send(
        "/transfer", **{"username": receiver.alias, "amount": "10", "once": once, **fields}
    )


async def test_who_is_logged_in_gives_without_a_key(site, browser, giver, receiver):
    await browser.open()
    await browser.send("/login", api_key=giver.key)
    page = (await browser.open("/transfer")).text
    assert "and have 100 kudos to give" in page
    assert "src_api_key" not in page
    answer = await give(browser, receiver)
    assert answer.status_code == 200
    assert f"10 kudos are with {receiver.alias} now" in answer.text
    assert [await kudos(site, giver), await kudos(site, receiver)] == [115.0, 35.0]


async def test_who_is_not_gives_by_key(site, browser, giver, receiver):
    answer = await give(browser, receiver, src_api_key=giver.key)
    assert answer.status_code == 200
    assert giver.key not in answer.text
    assert [await kudos(site, giver), await kudos(site, receiver)] == [115.0, 35.0]


async def test_a_form_that_is_sent_twice_gives_once(site, browser, giver, receiver):
    for _ in "12":
        answer = await give(browser, receiver, src_api_key=giver.key, once="the same")
        assert answer.status_code == 200
    assert [await kudos(site, giver), await kudos(site, receiver)] == [115.0, 35.0]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"username": "Nobody#999"}, 400, "There is no user"),
        ({"amount": "101"}, 400, "You don&#39;t have 101.00 kudos"),
        ({"amount": str(10**30)}, 400, "Nobody has so many"),
        ({"src_api_key": ""}, 401, "No user matching"),
        ({"src_api_key": serving.ANONYMOUS}, 400, "anonymous user cannot"),
    ],
    ids=["nobody", "too much", "huge", "no key", "anonymous"],
)
async def test_why_not_is_said_on_the_form(site, browser, giver, receiver, fields, status, said):
    answer = await give(browser, receiver, **{"src_api_key": giver.key, **fields})
    assert answer.status_code == status
    assert said in answer.text
    assert f'value="{fields.get("username", receiver.alias)}"' in answer.text
    assert giver.key not in answer.text
    assert await kudos(site, giver) == 125.0


@pytest.mark.parametrize("fields", [{"amount": "0"}, {"amount": "1.5"}, {"username": ""}])
async def test_what_no_form_sends_is_refused(browser, giver, receiver, fields):
    answer = await give(browser, receiver, **{"src_api_key": giver.key, **fields})
    assert answer.status_code == 400


async def test_a_link_fills_in_the_receiver(browser):
    page = (await browser.open("/transfer?username=%22%3E%3Cb%3E%231")).text
    assert 'value="&#34;&gt;&lt;b&gt;#1"' in page


async def test_giving_is_limited(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with (
            serving.in_process(url, tmp_path, rate_limits="on") as server,
            visitors.visitor(server.app) as browser,
        ):
            person = serving.Person(1, "Nobody#1", "")
            assert (await give(browser, person)).status_code in (401, 429)
            assert (await give(browser, person)).status_code == 429
