"""`/register`: a name goes in, a key comes out, once; and what the registered may change."""

import contextlib
import html
import io

import pytest
import pytest_asyncio
from sqlalchemy import select

import serving
import visitors
from core import logs
from core.columns import Base
from core.moderation import modes

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def browser(site):
    async with visitors.visitor(site.app) as made:
        await made.open()
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def ann(browser):
    browser.key = await browser.register("Ann")
    await browser.open()
    return browser


async def name_of(site, key):
    answer = await site.get("/find_user", key=key)
    return answer.json()["username"].partition("#")[0] if answer.is_success else None


async def test_an_account_without_a_login_comes_with_a_warning(site, browser):
    page = (await browser.open()).text
    assert "Nobody can give you this account back" in page
    key = await browser.register("  A \t fox ")
    assert await name_of(site, key) == "A fox"
    assert "known by its key alone" in (await browser.open()).text


async def test_a_key_is_shown_once(site, browser):
    key = await browser.register("Once")
    for path in ("/register", "/transfer", "/"):
        assert key not in (await browser.open(path)).text


async def test_reloading_the_page_with_the_key_makes_no_other_account(site, browser):
    old = browser.csrf
    await browser.register("Reloaded")
    browser.csrf = old
    assert (await browser.send("/register", username="Reloaded")).status_code == 403


async def test_neither_logs_nor_rows_have_a_key(databases, tmp_path):
    lines = io.StringIO()
    with databases.fresh("sqlite") as url:
        async with (
            serving.in_process(url, tmp_path) as server,
            visitors.visitor(server.app) as browser,
        ):
            logs.configure(form="json", level="debug", stream=lines)
            await browser.open()
            secrets = [await browser.register("Ann"), browser.cookie]
            await browser.open()
            shown = (await browser.send("/login/code")).text
            code = visitors.CODE.search(shown)[1]
            secrets += [code, code.replace("-", "")]
            await server.post("/login/code", {"code": "wrong"})
            secrets.append((await server.post("/login/code", {"code": code})).json()["token"])
            stored = ""
            async with server.database.reading() as session:
                for each in Base.metadata.sorted_tables:
                    stored += str((await session.execute(select(each))).all())
    assert len(stored) > 1000
    for secret in secrets:
        assert secret not in lines.getvalue()
        assert secret not in stored


async def test_a_second_submit_changes_name_and_key(site, ann):
    former, csrf = ann.key, ann.csrf
    key = await ann.register("Bob")
    assert key != former
    assert await name_of(site, key) == "Bob"
    assert await name_of(site, former) is None
    ann.csrf = csrf
    assert (await ann.send("/register", username="Bob")).status_code == 403


async def test_a_name_can_be_changed_alone(site, ann):
    answer = await ann.send("/register", username="Carl", key="keep")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/register")
    assert await name_of(site, ann.key) == "Carl"


async def test_a_key_can_be_changed_alone(site, ann):
    key = await ann.register("")
    assert await name_of(site, key) == "Ann"
    assert await name_of(site, ann.key) is None


async def test_a_new_key_is_given_back_by_nobody_where_there_is_no_login(site, ann):
    shown = (await ann.send("/register", username="", key="new")).text
    assert "nobody can give it back" in shown
    assert "log in and make another" not in shown


async def test_who_had_the_former_key_is_logged_out(site, ann):
    async with visitors.visitor(site.app) as thief:
        await thief.open()
        await thief.send("/login", api_key=ann.key)
        await thief.open()
        code = visitors.CODE.search((await thief.send("/login/code")).text)[1]
        await ann.open()
        await ann.register("")
        assert "Register or log in" in (await thief.open()).text
        assert (await site.post("/login/code", {"code": code})).status_code == 401
    assert "Ann<" in (await ann.open()).text


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("name", ["x" * 31, "\u200b", "f.u.c.k you"])
async def test_a_name_that_does_not_do_is_said_beside_it(site, browser, name, is_known):
    if is_known:
        key = await browser.register("Ann")
        await browser.open()
    answer = await browser.send("/register", username=name, key="keep")
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    if is_known:
        assert await name_of(site, key) == "Ann"


async def test_a_name_is_shown_as_it_is_written(browser):
    await browser.register("<b>Ann</b>")
    page = (await browser.open()).text
    assert "<b>Ann" not in page
    assert html.escape("<b>Ann</b>") in page


@pytest.mark.parametrize("fields", [{"username": "x" * 101}, {"key": "other"}])
async def test_a_field_that_no_page_has_is_refused(ann, fields):
    assert (await ann.send("/register", **fields)).status_code == 400


async def test_in_a_raid_nobody_registers_without_a_login(site, browser):
    async with site.database.writing() as session:
        await modes.switch(session, raid=True)
    try:
        page = (await browser.open()).text
        answer = await browser.send("/register", username="Ann")
        told = await site.post("/register", {"username": "Ann"})
    finally:
        async with site.database.writing() as session:
            await modes.switch(session, raid=False)
    assert "under attack" in page
    assert "without a login</button>" not in page
    assert answer.status_code == 403
    assert told.json()["rc"] == "RegistrationClosed"


async def test_registration_can_be_closed(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with (
            serving.in_process(url, tmp_path, registration="closed") as server,
            visitors.visitor(server.app) as browser,
        ):
            known = await server.user("Known")
            assert "Registration is closed" in (await browser.open()).text
            assert (await browser.send("/register", username="Ann")).status_code == 403
            assert (await browser.send("/login", api_key=known.key)).status_code == 303


async def test_an_address_makes_five_accounts_an_hour_however(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with contextlib.AsyncExitStack() as running:
            app = serving.in_process(url, tmp_path, rate_limits="on")
            server = await running.enter_async_context(app)
            statuses = []
            for _ in "123":
                browser = await running.enter_async_context(visitors.visitor(server.app))
                await browser.open()
                statuses.append((await browser.send("/register", username="Ann")).status_code)
                made = await server.post("/register", {"username": "Ann"})
                statuses.append(made.status_code)
    assert statuses == [200, 201, 200, 201, 200, 429]
