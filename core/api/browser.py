"""What a browser sends along: the session cookie, the CSRF token, and the origin of the page.

The cookie holds a token of ours even before anybody logs in: a form's CSRF token is derived from
it, so a form is valid only in the browser that it was made for.
"""

import hmac
from urllib.parse import urlsplit

from quart import Response, request

from core.errors import Forbidden
from core.users.keys import Keyring

CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"


class NotSameOrigin(Forbidden):
    """A foreign page calls what only our own pages may call."""

    code = "NotSameOrigin"


class Cookie:
    """The session cookie of a server.

    base_url: what browsers call the server. Over https the cookie is bound to exactly this host:
    `__Host-` lets no neighbouring host set it.
    """

    def __init__(self, base_url: str) -> None:
        self._is_secure = base_url.startswith("https:")
        self.name = "__Host-horde" if self._is_secure else "horde"

    def token(self) -> str:
        """The token that the browser sent, or an empty string."""
        return request.cookies.get(self.name, "")

    def give(self, response: Response, token: str, *, seconds: int | None) -> None:
        """Let the browser keep a token for some time; None: until it is closed."""
        response.set_cookie(
            self.name,
            token,
            max_age=seconds,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="Lax",  # Strict would not come back with the browser from a login service
        )


def csrf_token(keyring: Keyring, token: str) -> str:
    """The CSRF token that belongs to a cookie."""
    return hmac.digest(keyring.subkey("csrf"), token.encode(), "sha256").hex()


def is_ours(keyring: Keyring, *, token: str, csrf: str, base_url: str) -> bool:
    """Whether one of our own pages sent this call: same origin, and the cookie's CSRF token."""
    expected = csrf_token(keyring, token)
    return (
        bool(token)
        and hmac.compare_digest(expected.encode(), csrf.encode(errors="replace"))
        and is_same_origin(base_url)
    )


def is_same_origin(base_url: str) -> bool:
    """Whether nothing shows that a foreign page asks.

    Browsers send Sec-Fetch-Site where they can (https, localhost) and Origin with calls that may
    change something; programs send neither. The Host counts as ours beside the public URL: cookies
    are bound to it, so a foreign name for this machine brings none.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    _, _, place = origin.partition("://")  # "null", what some pages send, has none
    return bool(place) and place in (urlsplit(base_url).netloc, request.host)
