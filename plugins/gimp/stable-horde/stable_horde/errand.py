"""One request, from asking to the last result, in a thread: GIMP's own thread never waits for it.

The thread puts what it hears into a queue, which GIMP's thread empties whenever it likes.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from time import monotonic
from typing import Any, Final

from stable_horde.errors import (
    Cancelled,
    Later,
    NotMade,
    Refused,
    TookTooLong,
    Trouble,
    Unreachable,
    WrongContract,
)
from stable_horde.events import Event
from stable_horde.kinds import PICTURES, Kind
from stable_horde.progress import Progress, why_not
from stable_horde.transport import Json
from stable_horde.wire import Horde, kudos
from stable_horde.words import _

POLL_SECONDS: Final = 2.0
TRIES: Final = 6
PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 60.0
DEFAULT_LIMIT_SECONDS: Final = 45 * 60.0


@dataclass(frozen=True)
class Picture:
    """A finished one. content: WebP, PNG or JPEG."""

    content: bytes
    seed: str
    model: str
    worker: str


@dataclass(frozen=True)
class Asked:
    """The request is queued. kudos: of one picture. warnings: why it may not turn out well."""

    id: str
    kudos: float
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """How far it is."""

    words: str
    fraction: float


@dataclass
class Outcome:
    """What came of it.

    said: by form, what is said about a picture. censored: how many pictures workers replaced.
    note: why some are missing.
    """

    pictures: list[Picture] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    censored: int = 0
    note: str = ""


News = Asked | Standing | Outcome | Trouble
"""An Outcome or a Trouble is the last."""


class Errand:
    """Follows a request. Start it once; `news` has what happens.

    body: what to ask for; None: it is queued already, by `request_id`. total: how many results
        were asked for.
    """

    def __init__(
        self,
        horde: Horde,
        body: Json | None = None,
        *,
        kind: Kind = PICTURES,
        request_id: str = "",
        total: int = 1,
        limit_seconds: float = DEFAULT_LIMIT_SECONDS,
    ) -> None:
        self.news: Final[SimpleQueue[News]] = SimpleQueue()
        self.request_id = request_id
        self._horde = horde
        self._kind = kind
        self._body = body
        self._ends = monotonic() + limit_seconds
        self._stopped = threading.Event()
        self._progress = Progress(total)
        self._outcome = Outcome()
        self._seen: set[str] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Cancel the request at the horde, in a thread; Cancelled is the last of the news."""
        self._stopped.set()
        threading.Thread(target=self._cancel, daemon=True).start()

    def leave(self) -> None:
        """Follow it no more; the horde goes on with it. Later is the last of the news."""
        self._stopped.set()
        self.news.put(Later(_("It runs on: “Status” fetches the results later.")))

    def _cancel(self) -> None:
        try:
            if self.request_id:
                self._kind.cancel(self._horde, self.request_id)
        except Trouble as trouble:
            self.news.put(
                Cancelled(
                    _("Cancelled here; the horde did not hear of it: {why}").format(why=trouble)
                )
            )
        else:
            self.news.put(Cancelled(_("Cancelled.")))

    def _run(self) -> None:
        try:
            if not self.request_id:
                self._ask()
            if not self._stopped.is_set():
                end = self._follow()
                self.news.put(self._finished(end))
        except Trouble as trouble:
            if not self._stopped.is_set():
                self.news.put(trouble)
        except Exception as error:  # noqa: BLE001 - the last resort of a thread: nobody else would hear of it
            self.news.put(NotMade(f"{type(error).__name__}: {error}"))

    def _ask(self) -> None:
        assert self._body is not None  # noqa: S101 - how it was made
        answer = self._kind.ask(self._horde, self._body)
        self.request_id = answer["id"]
        if self._stopped.is_set():  # cancelled while it was on its way
            self._kind.cancel(self._horde, self.request_id)
            return
        warnings = [each for each in answer.get("warnings") or [] if isinstance(each, dict)]
        self.news.put(
            Asked(
                self.request_id,
                kudos(answer),
                tuple(
                    str(each.get("message"))
                    for each in warnings
                    if each.get("code") != "NoAvailableWorker"  # shown for as long as it is so
                ),
            )
        )

    def _follow(self) -> Json:
        """Follow the request to its end, by its events or by polling; what the end said."""
        failures = 0
        broken: Trouble
        while failures < TRIES:
            try:
                for event in self._horde.events(self.request_id):
                    failures = 0
                    if (end := self._hear(event)) is not None:
                        return end if self._kind is PICTURES else {**end, **self._collect()}
            except WrongContract:
                break  # a horde without a stream
            except (Unreachable, Refused) as trouble:
                if isinstance(trouble, Refused) and trouble.code == "RequestNotFound":
                    raise
                broken = trouble
            else:
                broken = Unreachable(_("The horde's event stream broke off."))
            failures += 1
            self._pause(failures, broken)
        return self._poll()

    def _poll(self) -> Json:
        failures = 0
        while True:
            try:
                said = self._kind.check(self._horde, self.request_id)
                failures = 0
                self._hear(Event("status", said))
                if said.get("done"):
                    return self._collect()
                self._wait(POLL_SECONDS)
            except (Unreachable, Refused) as trouble:
                failures += 1
                if failures == TRIES or (isinstance(trouble, Refused) and trouble.status < 429):  # noqa: PLR2004 - HTTP's "not now" and worse are waited for
                    raise
                self._pause(failures, trouble)

    def _collect(self) -> Json:
        end, results = self._kind.results(self._horde, self.request_id)
        for result in results:
            self._take(result)
        return end

    def _hear(self, event: Event) -> Json | None:
        """Take in an event; what it said, if it is the end."""
        self._check_limits()
        if event.name == "generation":
            self._take(event.said)
        else:
            self._progress.hear(event)
        if event.name != "end":
            self.news.put(Standing(self._progress.words, self._progress.fraction))
            return None
        return event.said

    def _take(self, said: Json) -> None:
        if (known := str(said.get("id"))) in self._seen:
            return
        if said.get("censored"):
            self._outcome.censored += 1
        elif "said" in said:
            self._outcome.said[known] = said["said"]
        else:
            content = self._again(lambda: self._horde.download(str(said.get("img"))))
            self._outcome.pictures.append(
                Picture(
                    content,
                    *(str(said.get(name, "")) for name in ("seed", "model", "worker_name")),
                )
            )
        self._seen.add(known)

    def _again(self, call: Callable[[], bytes]) -> bytes:
        """Make a call that may be repeated; a few times, if the network stumbles."""
        for failures in range(1, TRIES):
            try:
                return call()
            except Unreachable as trouble:
                self._pause(failures, trouble)
        return call()

    def _finished(self, end: Json) -> News:
        outcome = self._outcome
        if outcome.pictures or outcome.said:
            if end.get("faulted") or end.get("faults"):
                missing = self._progress.total - len(self._seen)
                outcome.note = why_not(end) if missing > 0 else ""
            return outcome
        if outcome.censored:
            return NotMade(
                _("The worker's safety check censored the picture. Change the prompt, or allow it.")
            )
        return NotMade(why_not(end))

    def _pause(self, failures: int, trouble: Trouble) -> None:
        seconds = PAUSE_SECONDS * 2 ** (failures - 1)
        if isinstance(trouble, Refused) and trouble.retry_after is not None:
            seconds = max(seconds, trouble.retry_after)
        self._wait(min(seconds, MAX_PAUSE_SECONDS))

    def _wait(self, seconds: float) -> None:
        self._stopped.wait(seconds)
        self._check_limits()

    def _check_limits(self) -> None:
        if self._stopped.is_set():
            raise Cancelled(_("Cancelled."))
        if monotonic() > self._ends:
            raise TookTooLong(_("It takes too long: fetch it later from “Status”."))
