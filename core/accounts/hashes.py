"""What is stored of tokens, states and codes, which are random and so need no slow hash."""

import hashlib

from core.users.keys import Keyring


def keyed(keyring: Keyring, purpose: str, text: str) -> str:
    """Keyed BLAKE2b-256 of a text, as 64 hex digits; the key is the purpose's own."""
    content = text.encode(errors="surrogatepass")  # a client may send any text
    return hashlib.blake2b(content, key=keyring.subkey(purpose), digest_size=32).hexdigest()
