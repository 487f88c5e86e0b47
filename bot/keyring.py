"""API keys at rest: sealed with authenticated encryption (Fernet), opened only to be used."""

import os
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

NAME: Final = "secret"


class WrongSecret(ValueError):
    """The secret is no Fernet key, or another one than what was sealed with."""


class Keyring:
    """Seals and opens keys with one secret."""

    def __init__(self, secret: str) -> None:
        try:
            self._fernet = Fernet(secret.encode())
        except ValueError as error:
            raise WrongSecret(
                "BOT_SECRET is no Fernet key: 32 bytes as URL-safe base64 are needed."
            ) from error

    def seal(self, key: str) -> str:
        """Encrypt a key."""
        return self._fernet.encrypt(key.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt a key. Raises WrongSecret."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise WrongSecret("stored with another BOT_SECRET") from error


def of_folder(folder: Path) -> str:
    """The secret in a folder; one that only its owner can read is made where there is none."""
    path = folder / NAME
    if not path.exists():
        unfinished = path.with_suffix(".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    return path.read_text().strip()
