"""How a receiver can tell that a webhook comes from this server, for one of its own requests.

Every user has a key of their own, derived from the server's secret, so nothing is stored and no key
reveals another. docs/api.md tells receivers how to verify.
"""

import hmac
from typing import Final

SIGNATURE: Final = "Horde-Signature"
DELIVERY: Final = "Horde-Delivery"


def key_of(secret: bytes, user_id: int) -> str:
    """The user's key: 64 hexadecimal digits. secret: the server's, for webhooks alone."""
    return hmac.digest(secret, f"user:{user_id}".encode(), "sha256").hex()


def signature(key: str, *, at: int, content: bytes) -> str:
    """The header's value: `t=<unix seconds>,v1=<hex of HMAC-SHA256 over "<t>.<content>">`.

    The moment is signed too, so that a receiver can refuse a replay.
    """
    digest = hmac.digest(key.encode(), b"%d." % at + content, "sha256").hex()
    return f"t={at},v1={digest}"
