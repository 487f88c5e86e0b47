"""How far a request is, in words and as a fraction, from what the horde says about it."""

from typing import Any, Final

from stable_horde.events import Event
from stable_horde.words import _, ngettext

MANY_SECONDS: Final = 100


class Progress:
    """Takes in events. total: how many results were asked for."""

    def __init__(self, total: int) -> None:
        self.total: Final = max(1, total)
        self.finished = 0
        self._said: dict[str, Any] = {}
        self._steps: dict[int, float] = {}
        self._makers: list[str] = []

    def hear(self, event: Event) -> None:
        """Take in an event (status, progress or end), or a check as a `status`."""
        said = event.said
        if event.name == "progress":
            steps = max(1, whole(said.get("steps")))
            self._steps[whole(said.get("index"))] = min(1.0, whole(said.get("step")) / steps)
        elif event.name in {"status", "end"}:
            self._said = said
            self.finished = whole(said.get("finished"))
            jobs = said.get("jobs")
            self._hear_jobs(jobs if isinstance(jobs, list) else [])

    def _hear_jobs(self, jobs: list[Any]) -> None:
        at_work = [
            job for job in jobs if isinstance(job, dict) and job.get("state") == "processing"
        ]
        self._makers = list(
            dict.fromkeys(str(job["worker_name"]) for job in at_work if job.get("worker_name"))
        )
        indices = {whole(job.get("index")) for job in at_work}
        if jobs:
            self._steps = {at: done for at, done in self._steps.items() if at in indices}

    @property
    def fraction(self) -> float:
        """Between 0 and 1."""
        return min(1.0, (self.finished + sum(self._steps.values())) / self.total)

    @property
    def words(self) -> str:
        """One line for a progress bar."""
        if not self._said:
            return _("Asking the horde…")
        parts = []
        if self.total > 1 and self.finished:
            parts.append(
                _("{made} of {total} finished").format(made=self.finished, total=self.total)
            )
        parts.append(self._standing())
        seconds = whole(self._said.get("wait_time"))
        if seconds and self._said.get("is_possible", True):
            parts.append(about(seconds))
        return ", ".join(part for part in parts if part)

    def _standing(self) -> str:
        if whole(self._said.get("processing")):
            made = _("being made")
            if self._makers:
                made = _("being made by {names}").format(names=", ".join(self._makers))
            done = sum(self._steps.values()) / max(1, len(self._steps))
            return f"{made} ({done:.0%})" if self._steps else made
        return self._queued()

    def _queued(self) -> str:
        position = whole(self._said.get("queue_position"))
        if not whole(self._said.get("waiting")):
            return ""
        if not self._said.get("is_possible", True):
            return _("no worker that is online can make it; waiting for one that can")
        if position == 1:
            return _("next in the queue")
        if position:
            return _("number {position} in the queue").format(position=position)
        return _("waiting")


def about(seconds: int) -> str:
    """A waiting time in words."""
    if seconds < MANY_SECONDS:
        return ngettext("about {n} second", "about {n} seconds", seconds).format(n=seconds)
    minutes = round(seconds / 60)
    return ngettext("about {n} minute", "about {n} minutes", minutes).format(n=minutes)


def whole(value: object) -> int:
    """A number that a horde said, or 0."""
    return int(value) if isinstance(value, int | float) else 0


def why_not(end: dict[str, Any]) -> str:
    """Why a request ended without results, as sentences."""
    faults = [fault for fault in end.get("faults") or [] if isinstance(fault, dict)]
    reasons = [str(fault["reason"]).strip() for fault in faults if fault.get("reason")]
    if reasons:
        return _("Workers could not make it: {reasons}").format(
            reasons="; ".join(dict.fromkeys(reasons))
        )
    if end.get("faulted"):
        return _("Workers could not make it. Try again, or with another model.")
    return _("The request ended without a result: it was cancelled elsewhere, or took too long.")
