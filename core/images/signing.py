"""Links that carry their own permission: whoever holds one may do one thing until it expires.

The query of such a link is `expires=<unix seconds>&max_bytes=<n>&signature=<hex>`; the signature is
an HMAC-SHA256 over method, name, expiry and size, so none of them can be changed.
"""

import hmac
import json
import re
from datetime import datetime
from typing import Final

from core.db import now
from core.errors import Forbidden

_QUERY: Final = re.compile(
    r"expires=(?P<expires>[0-9]{1,12})&max_bytes=(?P<max_bytes>[0-9]{1,12})"
    r"&signature=(?P<signature>[0-9a-f]{64})"
)


class BadSignature(Forbidden):
    """The link is forged, changed, meant for something else, or expired."""

    code = "BadSignature"


class Signer:
    """Signs and verifies links.

    key: secret, the same in every process that serves the links.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, method: str, name: str, expires: datetime, max_bytes: int = 0) -> str:
        """Permit `method` on the picture `name` until `expires`. Returns the link's query.

        max_bytes: the most that may be sent; 0 for a download.
        """
        until = int(expires.timestamp())
        signature = self._signature(method, name, until, max_bytes)
        return f"expires={until}&max_bytes={max_bytes}&signature={signature}"

    def verify(self, method: str, name: str, query: str) -> int:
        """Check a link's query, which must be unchanged. Returns the most bytes that may be sent.

        Raises BadSignature.
        """
        parts = _QUERY.fullmatch(query)
        if parts is None:
            raise BadSignature("The link's signature is missing or malformed.")
        until, max_bytes = int(parts["expires"]), int(parts["max_bytes"])
        signature = self._signature(method, name, until, max_bytes)
        if not hmac.compare_digest(signature, parts["signature"]):
            raise BadSignature("The link's signature does not fit.")
        if until <= now().timestamp():
            raise BadSignature("The link has expired.")
        return max_bytes

    def _signature(self, method: str, name: str, until: int, max_bytes: int) -> str:
        text = json.dumps(
            [method, name, until, max_bytes]
        )  # keeps the parts apart, whatever is in them
        return hmac.digest(self._key, text.encode(), "sha256").hex()
