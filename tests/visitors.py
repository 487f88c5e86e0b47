"""Browsers without a window: they keep cookies, send forms as they find them, and come back."""

import contextlib
import re

import httpx

from serving import PUBLIC_URL

CSRF = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')
KEY = re.compile(r'<code id="key">([\w-]{22})</code>')
CODE = re.compile(r'<code id="code">([A-Z-]{14})</code>')


class Visitor:
    """A browser at the horde's pages. person: who it is logged in as at the login services."""

    def __init__(self, app, person):
        self.person = person
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=("127.0.0.1", 50000)), base_url=PUBLIC_URL
        )
        self.csrf = ""

    @property
    def cookie(self):
        """The session cookie's value."""
        return self.http.cookies.get("__Host-horde")

    async def open(self, path="/register"):
        """The page, whose form is sent next."""
        return self._read(await self.http.get(path))

    async def send(self, path, **fields):
        """Send a form of the page that was opened last, as a browser does."""
        headers = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}
        data = {"csrf_token": self.csrf, **fields}
        return self._read(await self.http.post(path, data=data, headers=headers))

    async def register(self, username):
        """Fill in the form that is open; the key that the page shows."""
        answer = await self.send("/register", username=username)
        assert answer.status_code == 200, answer.text
        return KEY.search(answer.text)[1]

    async def set_out(self, provider, page="register"):
        """Go to a login service; the address that it sends the browser back to."""
        away = await self.http.get(f"/{provider}/{page}")
        assert away.status_code == 303, away.text
        async with httpx.AsyncClient(cookies={"person": self.person}) as elsewhere:
            answer = await elsewhere.get(away.headers["Location"])
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    async def log_in(self, provider, page="register"):
        """Make the round trip; where it ends."""
        back = await self.http.get(await self.set_out(provider, page))
        assert back.status_code == 303, back.text
        return self._read(await self.http.get(back.headers["Location"]))

    async def call(self, method, path, body=None, **headers):
        """Call the API as a script of our page does: with the cookie and its CSRF token."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {"X-CSRF-Token": self.csrf, "Sec-Fetch-Site": "same-origin"}
        return await self.http.request(method, f"/api/v2{path}", json=body, headers=usual | sent)

    def _read(self, answer):
        if found := CSRF.search(answer.text):
            self.csrf = found[1]
        return answer


@contextlib.asynccontextmanager
async def visitor(app, person="ann"):
    """A browser of its own."""
    visiting = Visitor(app, person)
    async with visiting.http:
        yield visiting
