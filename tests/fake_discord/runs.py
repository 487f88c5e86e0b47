"""One interaction, and everything that the bot did with its token."""

import copy
import time
from typing import Any


class Run:
    """original: the reply, or the message that a component edited. history: its states so far."""

    def __init__(self, payload: dict) -> None:
        self.payload = payload
        self.id, self.token = payload["id"], payload["token"]
        self.started = time.monotonic()
        self.callback_type: int | None = None
        self.modal: dict | None = None
        self.choices: list[dict] | None = None
        self.original: dict | None = None
        self.followups: list[dict] = []
        self.history: list[dict] = []
        self.latency = float("inf")  # seconds from the event to the first response

    @property
    def is_answered(self) -> bool:
        return self.callback_type is not None

    @property
    def who(self) -> dict:
        return self.payload.get("member", {}).get("user") or self.payload["user"]

    @property
    def said(self) -> dict:
        """The last message that came of it."""
        return self.followups[-1] if self.followups else self.original

    @property
    def text(self) -> str:
        """All texts of that message."""
        return text_of(self.said or {})

    def answer(self, kind: int) -> None:
        self.callback_type, self.latency = kind, time.monotonic() - self.started

    def note(self, message: dict) -> None:
        self.history.append(copy.deepcopy(message))


def text_of(message: dict[str, Any]) -> str:
    parts = [message.get("content") or ""]
    for embed in message.get("embeds") or []:
        parts += [embed.get("title") or "", embed.get("description") or ""]
        for field in embed.get("fields") or []:
            parts += [field["name"], field["value"]]
        parts.append((embed.get("footer") or {}).get("text") or "")
    return "\n".join(part for part in parts if part)
