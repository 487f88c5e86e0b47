"""A real server with its page, a worker that does what a test says, and a real Chromium."""

import base64
import contextlib
import io
import json
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import async_playwright, expect

import serving
from core.client import HordeClient
from core.wire.pop import PopInputStable
from core.wire.progress import JobAtWork, ProgressInput
from core.wire.submit import SubmitInputStable
from oauth_server import CLIENT_ID, CLIENT_SECRET, OAuthServer

AGENT = "Stable Horde Worker:1:https://github.com/stable-horde/stable-horde"
MODEL = "horde-tiny"
PLUGINS = '["web.blueprint"]'
MAX_MS = 20_000
module_scoped = pytest_asyncio.fixture(scope="module", loop_scope="module")


@module_scoped
async def horde(databases, tmp_path_factory):
    """A running server with its page, on a database of its own."""
    settings = {"default_models": "[]", "log_level": "warning", "plugins": PLUGINS}
    with databases.fresh("sqlite") as database_url:
        folder = tmp_path_factory.mktemp("horde")
        with serving.process(folder, database_url=database_url, **settings) as horde:
            yield horde


@module_scoped
async def horde_url(horde):
    """Its address."""
    return horde.url


class ScriptedWorker:
    """Takes and delivers jobs when a test says so. Its pictures are of one colour."""

    def __init__(self, client, name):
        self._client = client
        self.name = name

    def other(self, name):
        """Another worker of the same owner."""
        return ScriptedWorker(self._client, name)

    async def check_in(self):
        """Be online, without taking anything."""
        assert (await self._client.pop(self._offer())).id is None

    async def take(self, *, most=1):
        """The next jobs' ids, as (id, upload URL or None, payload)."""
        job = await self._client.pop(self._offer(amount=most, wait=10.0))
        assert job.id is not None, job.skipped
        uploads = job.r2_uploads or [None] * len(job.ids)
        return [(one, upload, job.payload) for one, upload in zip(job.ids, uploads, strict=True)]

    def _offer(self, **more):
        return PopInputStable(
            name=self.name, models=[MODEL], bridge_agent=AGENT, max_pixels=1024 * 1024, **more
        )

    async def deliver(self, job, colour="seagreen"):
        job_id, upload, payload = job
        file = io.BytesIO()
        Image.new("RGB", (payload.width, payload.height), colour).save(file, "WEBP", lossless=True)
        result = base64.b64encode(file.getvalue()).decode()
        if upload is not None:
            await self._client.upload(upload, file.getvalue())
            result = "R2"
        seed = int(payload.seed)
        await self._client.submit(SubmitInputStable(id=job_id, generation=result, seed=seed))
        return seed

    async def tell(self, job, step, steps, **shown):
        """Say how far a job is."""
        at_work = [JobAtWork(id=job[0], **shown)]
        return await self._client.progress(ProgressInput(jobs=at_work, step=step, steps=steps))

    async def fault(self, job, reason=None):
        job_id, _, payload = job
        note = {"type": "information", "value": "see_ref", "ref": reason}
        await self._client.submit(
            SubmitInputStable(
                id=job_id,
                generation="faulted",
                state="faulted",
                seed=int(payload.seed),
                gen_metadata=[note] if reason else [],
            )
        )


@module_scoped
async def worker(horde):
    # Trusted: it delivers so fast that it would come under suspicion.
    owner = horde.user("painter", oauth_id="g_painter", trusted=True)
    async with horde.client(owner.key) as client:
        painter = ScriptedWorker(client, "Attic <b>Painter</b>")
        await painter.check_in()
        yield painter


@module_scoped
async def chromium(chromium_path):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path, args=["--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


class Watched:
    """What a page did that it must not do."""

    def __init__(self, page, home):
        self.faults = []
        self._home = urlsplit(home).netloc
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", self._on_console)
        page.on("request", self._on_request)
        page.on("response", self._on_response)

    def _on_console(self, message):
        # The browser says that of each refused call; what the page makes of them is tested.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.faults.append(f"console: {message.text}")

    def _on_request(self, request):
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.netloc != self._home:
            self.faults.append(f"asked elsewhere: {request.url}")

    def _on_response(self, response):
        if not urlsplit(response.url).path.startswith("/api/") and response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")


@pytest.fixture
def window():
    """Options of the browser's window."""
    return {"viewport": {"width": 1280, "height": 860}}


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium, horde_url, window):
    """The page, opened; fails the test that makes it complain or look elsewhere."""
    context = await chromium.new_context(**window)
    context.set_default_timeout(MAX_MS)
    expect.set_options(timeout=MAX_MS)
    page = await context.new_page()
    watched = Watched(page, horde_url)
    await page.goto(horde_url)
    yield page
    asked = await page.evaluate("JSON.parse(sessionStorage.getItem('horde.requests') ?? '[]')")
    await context.close()
    async with HordeClient(horde_url) as client:
        for request in asked:  # the queue is the module's
            await client.cancel(request["id"])
    assert watched.faults == []


@pytest.fixture(scope="module")
def site(databases, tmp_path_factory):
    """A running server where people can log in at Google, which is at another site."""
    with contextlib.ExitStack() as running:
        service = running.enter_context(OAuthServer())
        elsewhere = service.url.replace("127.0.0.1", "localhost")
        google = {**service.endpoints, "authorize": f"{elsewhere}/authorize"}
        horde = serving.process(
            tmp_path_factory.mktemp("site"),
            database_url=running.enter_context(databases.fresh("sqlite")),
            plugins='["web.blueprint"]',
            google_client_id=CLIENT_ID,
            google_client_secret=CLIENT_SECRET,
            login_endpoints=json.dumps({"google": google}),
        )
        process = running.enter_context(horde)
        service.redirect_uris = (f"{process.url}/finish_dance/google",)
        yield process


@pytest_asyncio.fixture(loop_scope="module")
async def site_page(chromium, site, window):
    """The page of registering; fails the test where the browser complains."""
    context = await chromium.new_context(base_url=site.url, **window)
    context.set_default_timeout(MAX_MS)
    expect.set_options(timeout=MAX_MS)
    page = await context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto("/register")
    yield page
    await context.close()
    assert complaints == []
