"""Sessions of browsers: cookies, CSRF, what they may do at the API, and how they end."""

import contextlib
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import update

import serving
import visitors
from core.accounts.tables import SignedIn
from core.db import now, table
from core.users.tables import ANONYMOUS_KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVIL = "https://evil.example"


@pytest_asyncio.fixture(loop_scope="module")
async def browsers(site):
    """Makes browsers."""
    async with contextlib.AsyncExitStack() as running:

        async def make():
            return await running.enter_async_context(visitors.visitor(site.app))

        yield make


@pytest_asyncio.fixture(loop_scope="module")
async def ann(browsers):
    """A browser that is logged in."""
    browser = await browsers()
    await browser.open()
    browser.key = await browser.register("Ann")
    await browser.open()
    return browser


async def who(browser, **headers):
    answer = await browser.call("GET", "/find_user", **headers)
    return answer.json()["username"].partition("#")[0] if answer.is_success else answer.status_code


async def test_the_cookie_is_out_of_reach(browsers):
    browser = await browsers()
    first = (await browser.open()).headers["Set-Cookie"]
    assert first.startswith("__Host-horde=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} == set(first.split("; ")[1:])
    answer = await browser.send("/register", username="Ann")
    second = answer.headers["Set-Cookie"]
    assert f"Max-Age={30 * 86400}" in second
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} < set(second.split("; "))
    assert second.partition(";")[0] != first.partition(";")[0]
    assert "Set-Cookie" not in (await browser.open()).headers


async def test_without_https_the_cookie_says_so(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, public_url="http://horde.test") as server:
            cookie = (await server.http.get("/register")).headers["Set-Cookie"]
    assert cookie.startswith("horde=")
    assert "Secure" not in cookie
    assert {"HttpOnly", "SameSite=Lax"} < set(cookie.split("; "))


async def test_pages_are_not_kept_and_load_nothing_from_elsewhere(ann):
    answer = await ann.open()
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


FORMS = [
    ("/register", {"username": "Eve", "key": "new"}),
    ("/login", {"api_key": ANONYMOUS_KEY}),
    ("/login/code", {}),
    ("/logout", {}),
    ("/logout/all", {}),
    ("/transfer", {"username": "Eve#1", "amount": "1", "once": "x"}),
]


@pytest.mark.parametrize(("path", "fields"), FORMS, ids=[path for path, _ in FORMS])
async def test_a_form_that_is_not_ours_does_nothing(ann, browsers, path, fields):
    stranger = await browsers()
    await stranger.open()
    ours = {"csrf_token": ann.csrf}
    for data, headers in (
        (fields, {}),
        (fields | {"csrf_token": ""}, {}),
        (fields | {"csrf_token": "0" * 64}, {}),
        (fields | {"csrf_token": "ä"}, {}),
        (fields | {"csrf_token": stranger.csrf}, {}),
        (fields | ours, {"Origin": EVIL}),
        (fields | ours, {"Origin": "null"}),
        (fields | ours, {"Sec-Fetch-Site": "cross-site"}),
        (fields | ours, {"Sec-Fetch-Site": "same-site"}),
    ):
        answer = await ann.http.post(path, data=data, headers=headers)
        assert answer.status_code == 403
        assert "made for another visit" in answer.text
    assert await who(ann) == "Ann"
    assert await who(ann, apikey=ann.key) == "Ann"


async def test_a_page_of_ours_acts_for_who_is_logged_in(site, ann):
    assert await who(ann) == "Ann"
    asked = {"prompt": "a red fox", "models": [], "params": serving.SMALL}
    answer = await ann.call("POST", "/generate/async", asked)
    assert answer.status_code == 202, answer.text
    me = (await ann.call("GET", "/find_user")).json()
    assert me["active_generations"]["image"] == [answer.json()["id"]]
    sent = await ann.call("GET", "/find_user", apikey=ANONYMOUS_KEY)
    assert sent.json()["username"] == "Anonymous#0", "a key that is sent counts"


@pytest.mark.parametrize(
    "headers",
    [
        {"X_CSRF_Token": ""},
        {"X_CSRF_Token": "0" * 64},
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "https://horde.test.evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
async def test_a_page_from_elsewhere_is_nobody(ann, headers):
    assert await who(ann, **headers) == 401
    asked = {"prompt": "a red fox", "models": [], "params": serving.SMALL}
    answer = await ann.call("POST", "/generate/async", asked, **headers)
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {"apikey"}


async def test_a_page_of_ours_may_be_at_any_name_of_the_host(ann):
    """Where nobody set a public URL, the page may be at localhost or 127.0.0.1."""
    assert await who(ann, Origin="https://horde.test") == "Ann"
    headers = {"X-CSRF-Token": ann.csrf, "Cookie": f"__Host-horde={ann.cookie}"}
    there = {"Host": "localhost:7001", "Origin": "http://localhost:7001"}
    answer = await ann.http.get("/api/v2/find_user", headers=headers | there)
    assert answer.status_code == 200


async def test_a_browsers_token_is_no_key(site, ann):
    assert (await site.get("/find_user", key=ann.cookie)).status_code == 404
    assert (await site.get("/users/0", key=ann.cookie)).status_code == 401


async def test_a_script_learns_who_is_logged_in(ann, browsers):
    told = (await ann.call("GET", "/login/session")).json()
    assert told["username"].startswith("Ann#")
    assert told["csrf_token"] == ann.csrf
    stranger = await browsers()
    assert (await stranger.call("GET", "/login/session")).json() == {"csrf_token": ""}
    for headers in ({"Origin": EVIL}, {"Sec_Fetch_Site": "cross-site"}):
        answer = await ann.call("GET", "/login/session", **headers)
        assert (answer.status_code, answer.json()["rc"]) == (403, "NotSameOrigin")


async def test_a_session_ends_with_its_time(site, ann):
    async with site.database.writing() as session:
        past = now() - timedelta(seconds=1)
        await session.execute(update(table(SignedIn)).values(expires_at=past))
    assert await who(ann) == 404
    page = await ann.open()
    assert "Register or log in" in page.text


async def test_who_logs_out_is_nobody(ann):
    former, csrf = ann.cookie, ann.csrf
    assert (await ann.send("/logout")).status_code == 303
    assert "Register or log in" in (await ann.open()).text
    headers = {"X-CSRF-Token": csrf, "Cookie": f"__Host-horde={former}"}
    assert (await ann.http.get("/api/v2/find_user", headers=headers)).status_code == 404


async def test_another_login_takes_the_place_of_the_former(ann):
    former, csrf = ann.cookie, ann.csrf
    assert (await ann.send("/login", api_key=ann.key)).status_code == 303
    assert ann.cookie != former
    headers = {"X-CSRF-Token": csrf, "Cookie": f"__Host-horde={former}"}
    assert (await ann.http.get("/api/v2/find_user", headers=headers)).status_code == 404


async def test_logging_out_everywhere_ends_programs_too(site, ann, browsers):
    other = await browsers()
    await other.open()
    assert (await other.send("/login", api_key=f" {ann.key} ")).status_code == 303
    await other.open()
    assert await who(other) == "Ann"
    code = visitors.CODE.search((await ann.send("/login/code")).text)[1]
    program = (await site.post("/login/code", {"code": code})).json()
    assert (await site.get("/find_user", key=program["token"])).status_code == 200
    await ann.send("/logout/all")
    assert await who(other) == 404
    assert (await site.get("/find_user", key=program["token"])).status_code == 404
    assert (await site.get("/find_user", key=ann.key)).status_code == 200


@pytest.mark.parametrize(
    ("key", "status"), [(ANONYMOUS_KEY, 403), ("x" * 22, 401), ("", 400), ("x" * 101, 400)]
)
async def test_not_everybody_logs_in_by_key(browsers, key, status):
    browser = await browsers()
    await browser.open()
    assert (await browser.send("/login", api_key=key)).status_code == status
    assert "Register or log in" in (await browser.open()).text


async def test_a_code_logs_a_program_in_once(site, ann):
    page = await ann.send("/login/code")
    assert page.headers["Cache-Control"] == "no-store"
    code = visitors.CODE.search(page.text)[1]
    told = await site.post("/login/code", {"code": code.lower()})
    assert told.status_code == 200
    found = (await site.get("/find_user", key=told.json()["token"])).json()
    assert (found["id"], found["username"]) == (told.json()["id"], told.json()["username"])
    assert "1 program logged in" in (await ann.open()).text
    again = await site.post("/login/code", {"code": code})
    assert (again.status_code, again.json()["rc"]) == (401, "InvalidLoginCode")


async def test_a_wrong_code_is_counted(site, ann):
    code = visitors.CODE.search((await ann.send("/login/code")).text)[1]
    wrong = f"{code[:5]}{'BBBB' if code[5:9] != 'BBBB' else 'CCCC'}{code[9:]}"
    for _ in range(5):
        assert (await site.post("/login/code", {"code": wrong})).status_code == 401
    assert (await site.post("/login/code", {"code": code})).status_code == 401


async def test_nobody_gets_a_code_without_being_logged_in(browsers):
    browser = await browsers()
    await browser.open()
    assert (await browser.send("/login/code")).status_code == 401


async def test_guessing_codes_is_limited(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, rate_limits="on") as server:
            for _ in range(10):
                assert (await server.post("/login/code", {"code": "x"})).status_code == 401
            assert (await server.post("/login/code", {"code": "x"})).status_code == 429
