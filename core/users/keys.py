"""API keys and the secrets they are hashed with. A key is shown once and stored nowhere."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence


class Keyring:
    """The master secret and its predecessors; every other secret is derived from it.

    master: the present secret, any length above zero.
    old: former secrets. Keys hashed with them still verify; `directory.rehash` renews the hash.
    """

    def __init__(self, master: bytes, old: Sequence[bytes] = ()) -> None:
        self._master = _Secret(master)
        self._old = [_Secret(secret) for secret in old]

    def new(self) -> str:
        """A new API key: 22 URL-safe characters, 128 random bits."""
        return secrets.token_urlsafe(16)

    def hash(self, key: str) -> str:
        """The stored form of a key: `<secret's id>:<hex of its keyed BLAKE2b-256>`."""
        return self._master.hash(key)

    def candidates(self, key: str) -> list[str]:
        """All possible stored forms of a key, that under the present secret first."""
        return [secret.hash(key) for secret in (self._master, *self._old)]

    def is_current(self, stored: str | None) -> bool:
        """Whether a stored hash was made with the present secret."""
        return stored is not None and stored.startswith(f"{self._master.id}:")

    def subkey(self, purpose: str) -> bytes:
        """A secret of 32 bytes for one purpose; it reveals neither another one nor the master."""
        return self._master.subkey(purpose)

    def keyed(self, purpose: str, text: str) -> str:
        """The stored form of a token, state or code: these are random, so no slow hash is needed.

        Returns the BLAKE2b-256 of the text under the purpose's own key, as 64 hex digits.
        """
        content = text.encode(errors="surrogatepass")  # a client may send any text
        return hashlib.blake2b(content, key=self.subkey(purpose), digest_size=32).hexdigest()


class _Secret:
    def __init__(self, secret: bytes) -> None:
        if not secret:
            raise ValueError("the master secret is empty")
        self._root = hashlib.sha512(secret).digest()  # any length in, 64 bytes out
        self.id = self.subkey("id").hex()[:8]
        self._api_key = self.subkey("api-key")

    def subkey(self, purpose: str) -> bytes:
        return hmac.digest(self._root, f"stable-horde:{purpose}".encode(), "sha256")

    def hash(self, key: str) -> str:
        # A client may send any text, even surrogates that no encoding has.
        text = key.encode(errors="surrogatepass")
        digest = hashlib.blake2b(text, key=self._api_key, digest_size=32)
        return f"{self.id}:{digest.hexdigest()}"
