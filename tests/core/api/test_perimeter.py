"""A private horde answers its own machine alone; a URL has a length."""

import http.server
import json
import threading

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

import serving

LOCAL = "localhost:7001"
FOREIGN = "https://evil.example"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def private(databases, tmp_path_factory):
    """A horde whose public address is a loopback one, and which a UI elsewhere may call."""
    settings = {
        "public_url": "http://127.0.0.1:7001",
        "allowed_origins": ["https://UI.example/", "null"],
        "allowed_hosts": ["horde.internal"],
    }
    with databases.fresh("sqlite") as url:
        folder = tmp_path_factory.mktemp("private")
        async with serving.in_process(url, folder, **settings) as server:
            server.http.headers["Host"] = LOCAL
            yield server


module = pytest.mark.asyncio(loop_scope="module")

EVERYWHERE = [
    ("GET", "/api/v2/users"),
    ("POST", "/api/v2/register"),
    ("POST", "/api/v2/generate/pop"),
    ("OPTIONS", "/api/v2/generate/async"),
    ("GET", f"/api/v2/generate/events/{NOBODY}"),
    ("GET", "/api/v1/servers"),
    ("GET", "/v2/status/heartbeat"),
    ("GET", "/register"),
    ("GET", "/pictures/x.webp"),
    ("GET", "/nothing"),
]


@module
@pytest.mark.parametrize(("method", "path"), EVERYWHERE)
@pytest.mark.parametrize(
    ("headers", "rc"),
    [
        ({"Origin": FOREIGN}, "ForeignOrigin"),
        ({"Origin": "http://localhost.evil.example"}, "ForeignOrigin"),
        ({"Origin": "file://"}, "ForeignOrigin"),
        ({"Host": "evil.example"}, "ForeignHost"),
        ({"Host": "127.0.0.1.evil.example:7001"}, "ForeignHost"),
        ({"Host": "192.168.0.5:7001"}, "ForeignHost"),
        ({"Host": "[::1"}, "ForeignHost"),
        ({"Host": "evil.example@localhost"}, "ForeignHost"),
        ({"Host": "localhost#.evil.example"}, "ForeignHost"),
        ([("Host", LOCAL), ("Host", "evil.example")], "ForeignHost"),
        ({"Origin": "http://evil.example@127.0.0.1"}, "ForeignOrigin"),
        ([("Origin", f"http://{LOCAL}"), ("Origin", FOREIGN)], "ForeignOrigin"),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, "ForeignHost"),
    ],
)
async def test_what_is_foreign_gets_nothing(private, method, path, headers, rc):
    answer = await private.http.request(method, path, headers=headers)
    assert answer.status_code == 403
    assert answer.json().keys() == {"message", "rc"}
    assert answer.json()["rc"] == rc
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "Access-Control-Allow-Origin" not in answer.headers


@module
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "LOCALHOST:7001"},
        {"Host": "localhost."},
        {"Host": "127.3.2.1"},
        {"Host": "[::1]:7001"},
        {"Host": "horde.internal:80"},
        {"Sec-Fetch-Site": "cross-site"},  # a link on another page leads here
    ],
)
async def test_programs_and_links_get_their_answers(private, headers):
    answer = await private.http.get("/api/v2/users", headers=headers)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


@module
@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3000",
        "http://127.0.0.1:7001",
        "http://[::1]:5173",
        "http://horde.internal:80",
        "https://ui.example",
        "null",
    ],
)
async def test_pages_of_this_machine_and_of_the_list_may_call(private, origin):
    answer = await private.http.get("/api/v2/users", headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    asked = await private.http.options("/api/v2/generate/async", headers={"Origin": origin})
    assert asked.status_code == 200
    assert "apikey" in asked.headers["Access-Control-Allow-Headers"]


@module
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Origin": "http://localhost:7001", "Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "http://127.0.0.1:7001"}, 201),
        ({"Origin": "http://localhost:3000"}, 403),
        ({"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://ui.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_only_its_own_page_and_programs_register(private, headers, status):
    body = {"username": "fox"}
    answer = await private.http.post("/api/v2/register", json=body, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["rc"] == "NotSameOrigin"


@module
@pytest.mark.parametrize("headers", [{"Origin": FOREIGN}, {"Host": "any.example"}])
async def test_a_public_horde_answers_everybody(site, headers):
    answer = await site.http.get("/api/v2/users", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    body = {"username": "fox"}
    made = await site.http.post("/api/v2/register", json=body, headers=headers)
    assert made.status_code == 201


@module
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v2/users/" + "x" * 2000, 404),
        ("/api/v2/users/" + "x" * 2100, 414),
        ("/v2/users?page=" + "1" * 2100, 414),
        ("/" + "x" * 2100, 414),
        ("/api/v2/users/" + "%F0%9F%98%80" * 400, 414),
        ("/api/v1/users?x=" + "x" * 8000, 200),  # its arguments may stand there
        ("/api/v1/users?x=" + "x" * 17000, 414),
        ("/api/v1/users/" + "x" * 2100, 414),
    ],
)
async def test_a_url_has_a_length(site, path, status):
    answer = await site.http.get(path)
    assert answer.status_code == status
    if status == 414:
        assert answer.json() == {"message": "The URL is too long."}


PAGE = """<!doctype html><script>
const call = (method, path, body, key) => fetch("%s/api/v2" + path, {
  method, body: body && JSON.stringify(body),
  headers: {"Content-Type": "application/json", ...(key ? {apikey: key} : {})},
}).then(answer => answer.json());
const tried = calls => Promise.all(calls.map(each => call(...each).catch(error => "failed")));
tried([
  ["POST", "/register", {username: "a page"}],
  ["GET", "/users"],
  ["GET", "/status/heartbeat"],
  ["POST", "/generate/async", {prompt: "a fox"}, "0000000000"],
]).then(answers => { document.title = JSON.stringify(answers) });
</script>"""


class ForeignPage(http.server.BaseHTTPRequestHandler):
    """Serves the page of somebody else."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.server.page.encode())

    def log_message(self, *_):
        pass


async def test_a_page_from_elsewhere_reads_nothing_of_a_private_horde(chromium_path, tmp_path):
    with (
        serving.process(tmp_path) as horde,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), ForeignPage) as foreign,
    ):
        foreign.page = PAGE % horde.url
        threading.Thread(target=foreign.serve_forever, daemon=True).start()
        try:
            names = (
                f"http://evil.example:{foreign.server_port}",
                f"http://localhost:{foreign.server_port}",
            )
            told = [await titles(chromium_path, address) for address in names]
        finally:
            foreign.shutdown()
    assert told[0] == ["failed"] * 4
    registered, users, heartbeat, asked = told[1]  # the same page, of this machine
    assert registered["rc"] == "NotSameOrigin"
    assert users == []
    assert heartbeat["message"] == "OK"
    assert "id" in asked


async def titles(chromium_path, address):
    """What the page at this address wrote into its title."""
    mapped = "--host-resolver-rules=MAP evil.example 127.0.0.1"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path, args=["--no-sandbox", mapped]
        )
        try:
            page = await browser.new_page()
            await page.goto(address)
            await page.wait_for_function("document.title !== ''")
            return json.loads(await page.title())
        finally:
            await browser.close()
