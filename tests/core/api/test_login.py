"""Logging in at a service: the round trip, against a real OAuth server on loopback."""

import contextlib
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select, update

import serving
import visitors
from core.accounts.tables import LoginAttempt, SignedIn
from core.db import now, table
from core.users.tables import UserRow
from oauth_server import CLIENT_ID, CLIENT_SECRET, OAuthServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROVIDERS = {"google": "g_1001", "discord": "d_1001", "github": "gh_1001"}
attempts, sessions, users = table(LoginAttempt), table(SignedIn), table(UserRow)


@pytest.fixture(scope="module")
def service():
    uris = [f"{serving.PUBLIC_URL}/finish_dance/{name}" for name in PROVIDERS]
    with OAuthServer(*uris) as running:
        yield running


def registered_at(service, *names):
    """Settings of a horde that is registered at these services."""
    settings = {"login_endpoints": dict.fromkeys(names, service.endpoints)}
    for name in names:
        settings[f"{name}_client_id"] = CLIENT_ID
        settings[f"{name}_client_secret"] = CLIENT_SECRET
    return settings


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def horde(databases, tmp_path_factory, service):
    with databases.fresh("sqlite") as url:
        settings = registered_at(service, *PROVIDERS)
        async with serving.in_process(url, tmp_path_factory.mktemp("login"), **settings) as server:
            yield server


@pytest_asyncio.fixture(loop_scope="module")
async def browsers(horde, service):
    """Makes browsers: `await browsers("ann")`. Each test has people of its own."""
    async with contextlib.AsyncExitStack() as running:

        async def make(person):
            return await running.enter_async_context(visitors.visitor(horde.app, person))

        yield make
    service.secret = CLIENT_SECRET
    service.refused.clear()


@pytest.fixture
def somebody(service, request):
    """A person that the service knows and the horde does not."""
    number = 5000 + len(service.people)
    service.people[request.node.name] = {"sub": str(number), "id": number, "email": "a@b.example"}
    return request.node.name


async def rows(horde, statement):
    async with horde.database.reading() as session:
        return (await session.execute(statement)).mappings().all()


async def change(horde, statement):
    async with horde.database.writing() as session:
        await session.execute(statement)


@pytest.mark.parametrize(("provider", "oauth_id"), PROVIDERS.items())
async def test_a_login_makes_an_account_and_finds_it_again(horde, browsers, provider, oauth_id):
    browser = await browsers("ann")
    page = await browser.log_in(provider)
    assert "What shall the horde call you?" in page.text
    assert not await rows(horde, select(users).where(users.c.oauth_id == oauth_id))
    key = await browser.register("Ann")
    (user,) = await rows(horde, select(users).where(users.c.oauth_id == oauth_id))
    found = (await horde.get("/find_user", key=key)).json()
    assert (found["id"], found["username"]) == (user["id"], f"Ann#{user['id']}")
    assert (found["kudos"], found["pseudonymous"]) == (25.0, False)
    elsewhere = await browsers("ann")
    page = await elsewhere.log_in(provider)
    assert f"#{user['id']}</span>" in page.text
    assert len(await rows(horde, select(users).where(users.c.oauth_id == oauth_id))) == 1


async def test_only_the_id_is_kept_of_a_person(horde, browsers, service, somebody):
    browser = await browsers(somebody)
    await browser.log_in("google")
    await browser.register("Chosen")
    (user,) = await rows(horde, select(users).where(users.c.username == "Chosen"))
    assert user["oauth_id"] == f"g_{service.people[somebody]['sub']}"
    told = str([await rows(horde, select(each)) for each in (users, sessions, attempts)])
    assert "a@b.example" not in told
    assert not any(token in told for token in service.tokens)


async def test_two_people_who_log_in_at_once_do_not_get_mixed(browsers, service):
    service.people |= {"cat": {"sub": "3001"}, "dan": {"sub": "3002"}}
    cat, dan = await browsers("cat"), await browsers("dan")
    to_register = await cat.set_out("google", "register")
    to_transfer = await dan.set_out("google", "transfer")
    second = await dan.http.get(to_transfer)
    first = await cat.http.get(to_register)
    assert (first.headers["Location"], second.headers["Location"]) == ("/register", "/transfer")
    for browser, name in ((cat, "Cat"), (dan, "Dan")):
        await browser.open()
        await browser.register(name)
        assert f"<h1>{name}<" in (await browser.open()).text


async def test_a_login_in_two_tabs_ends_in_each(browsers, somebody):
    browser = await browsers(somebody)
    first, second = [await browser.set_out("google") for _ in "12"]
    assert (await browser.http.get(second)).status_code == 303
    # The first tab's login belongs to the browser as it was before: it has to begin again.
    assert (await browser.http.get(first)).status_code == 403


async def test_nobody_is_logged_in_by_the_link_of_another(browsers, somebody):
    attacker, victim = await browsers(somebody), await browsers("ann")
    await victim.open()
    link = await attacker.set_out("google")
    before = victim.cookie
    answer = await victim.http.get(link)
    assert answer.status_code == 403
    assert "began in another browser" in answer.text
    assert victim.cookie == before
    assert "Continue with Google" in (await victim.open()).text
    assert (await attacker.http.get(link)).status_code == 303


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("state=", "state=x"),
        ("state=", "status="),
        ("/google", "/discord"),
    ],
)
async def test_a_wrong_state_is_refused(browsers, somebody, service, old, new):
    browser = await browsers(somebody)
    link = await browser.set_out("google")
    answer = await browser.http.get(link.replace(old, new, 1))
    assert answer.status_code == 403
    assert "Continue with Google" in (await browser.open()).text


async def test_a_state_is_good_once(browsers, somebody):
    browser = await browsers(somebody)
    link = await browser.set_out("google")
    assert (await browser.http.get(link)).status_code == 303
    assert (await browser.http.get(link)).status_code == 403


async def test_a_login_that_takes_too_long_is_refused(horde, browsers, somebody):
    browser = await browsers(somebody)
    link = await browser.set_out("google")
    await change(horde, update(attempts).values(expires_at=now() - timedelta(seconds=1)))
    assert (await browser.http.get(link)).status_code == 403


async def test_who_says_no_at_the_service_is_not_logged_in(browsers):
    browser = await browsers("nobody")
    answer = await browser.http.get(await browser.set_out("google"))
    assert answer.status_code == 403
    assert "Google did not log you in" in answer.text


async def test_another_verifier_is_refused_by_the_service(horde, browsers, service, somebody):
    browser = await browsers(somebody)
    link = await browser.set_out("google")
    await change(horde, update(attempts).values(verifier="x" * 64))
    answer = await browser.http.get(link)
    assert answer.status_code == 403
    assert service.refused == ["invalid_grant"]
    assert "did not confirm" in answer.text


async def test_a_used_code_is_refused_by_the_service(browsers, service, somebody):
    thief, owner = await browsers(somebody), await browsers(somebody)
    code = (await owner.set_out("google")).partition("code=")[2].partition("&")[0]
    service.codes[code]["token"] = "given already"
    link = await thief.set_out("google")
    mine = link.partition("code=")[2].partition("&")[0]
    answer = await thief.http.get(link.replace(mine, code))
    assert answer.status_code == 403
    assert service.refused == ["code used twice"]


async def test_a_stolen_code_is_refused_by_the_service(browsers, service, somebody):
    """PKCE: a code that came by another login is worth nothing, though its state is not known."""
    thief, owner = await browsers("ann"), await browsers(somebody)
    stolen = (await owner.set_out("google")).partition("code=")[2].partition("&")[0]
    link = await thief.set_out("google")
    mine = link.partition("code=")[2].partition("&")[0]
    assert (await thief.http.get(link.replace(mine, stolen))).status_code == 403
    assert service.refused == ["invalid_grant"]


async def test_a_wrong_secret_is_refused_by_the_service(browsers, service, somebody):
    browser = await browsers(somebody)
    service.secret = "another"
    answer = await browser.http.get(await browser.set_out("google"))
    assert answer.status_code == 403
    assert service.refused == ["invalid_client"]


@pytest.mark.parametrize(
    "told", [{}, {"sub": None}, {"sub": True}, {"sub": "x" * 41}, {"sub": ""}, []]
)
async def test_a_service_that_does_not_say_who_it_is(browsers, service, somebody, told):
    service.people[somebody] = told
    browser = await browsers(somebody)
    answer = await browser.http.get(await browser.set_out("google"))
    assert answer.status_code == 503
    assert "did not say who this is" in answer.text


async def test_a_service_that_is_away(databases, tmp_path):
    with OAuthServer(f"{serving.PUBLIC_URL}/finish_dance/google") as mortal:
        settings = registered_at(mortal, "google")
        with databases.fresh("sqlite") as url:
            async with (
                serving.in_process(url, tmp_path, **settings) as server,
                visitors.visitor(server.app) as browser,
            ):
                link = await browser.set_out("google")
                mortal.__exit__()
                answer = await browser.http.get(link)
    assert answer.status_code == 503
    assert "Google does not answer" in answer.text


async def test_the_service_knows_where_it_may_send_browsers(databases, tmp_path, service):
    settings = registered_at(service, "google")
    with databases.fresh("sqlite") as url:
        async with serving.in_process(
            url, tmp_path, **settings, public_url="https://other.test"
        ) as server:
            away = await server.http.get("/google/register", headers={"Host": "horde.test"})
    assert (
        "redirect_uri=https%3A%2F%2Fother.test%2Ffinish_dance%2Fgoogle" in away.headers["Location"]
    )
    service.refused.clear()


async def test_a_service_without_id_and_secret_is_not_there(databases, tmp_path, service):
    settings = registered_at(service, "github") | {"google_client_id": "no secret"}
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, **settings) as server:
            page = (await server.http.get("/register")).text
            assert "Continue with GitHub" in page
            assert "Google" not in page
            assert "Discord" not in page
            for path in ("/google/register", "/discord/register", "/finish_dance/google"):
                assert (await server.http.get(path)).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/google/https:%2F%2Fevil.example",
        "/google/%2F%2Fevil.example",
        "/google/evil.example",
        "/google/register/..%2F..%2Fevil",
        "/google//evil.example",
        "/evil/register",
    ],
)
async def test_a_login_leads_to_our_pages_alone(browsers, path):
    browser = await browsers("ann")
    answer = await browser.http.get(path)
    assert answer.status_code in (404, 308)
    assert "evil" not in answer.headers.get("Location", "").partition("horde.test")[0]


async def test_arguments_do_not_change_where_a_login_leads(browsers, somebody):
    browser = await browsers(somebody)
    link = await browser.set_out("google", "register?next=https://evil.example&redirect=//evil")
    answer = await browser.http.get(f"{link}&next=https://evil.example")
    assert answer.headers["Location"] == "/register"


async def test_a_login_gives_the_browser_another_cookie(browsers, somebody):
    """Or whoever had planted the cookie before would be logged in with it."""
    browser = await browsers(somebody)
    await browser.open()
    planted = browser.cookie
    await browser.log_in("google")
    assert browser.cookie != planted
    async with visitors.visitor(browser.http._transport.app) as attacker:
        attacker.http.cookies.set("__Host-horde", planted, domain="horde.test")
        assert "Continue with Google" in (await attacker.open()).text


async def test_an_attempt_keeps_no_secret(horde, browsers, somebody):
    browser = await browsers(somebody)
    link = await browser.set_out("google")
    state = link.partition("state=")[2].partition("&")[0]
    told = str(await rows(horde, select(attempts)))
    assert state not in told
    assert browser.cookie not in told


async def test_logins_are_counted(databases, tmp_path, service):
    settings = registered_at(service, "google") | {"rate_limits": "on"}
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, **settings) as server:
            for _ in range(20):
                assert (await server.http.get("/google/register")).status_code == 303
            answer = await server.http.get("/google/register")
    assert answer.status_code == 429
    assert "20 per 1 minute" in answer.text
