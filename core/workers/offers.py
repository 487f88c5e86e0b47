"""What a worker declares in a pop, and the offer that follows from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.catalog import models as catalog
from core.catalog.agents import Agent
from core.errors import Invalid
from core.queue.matching import UNLIMITED, Offer
from core.users.tables import Role, User

LEAST_SPEED = {"image": 500_000.0}
"""Things a second below which a worker is slow."""
MOST_MODELS = 300
MOST_BLACKLISTED, LONGEST_BLACKLISTED = 200, 15
LONGEST_SHOWN = 100  # characters of a name in a message
LONGEST_USER_ID = 9  # digits, all of which databases hold
USUAL_STEPS = 30  # mean of the usual least (20) and most (40) steps; `limit_max_steps`


class InvalidPriorityUsername(Invalid):
    """A prioritised user is not named as `name#id`."""

    code = "InvalidPriorityUsername"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a worker says in a pop, checked for form only."""

    kind: str
    name: str
    agent: str
    program: Agent
    threads: int
    models: Sequence[str]
    permissions: frozenset[str]
    nsfw: bool
    extra_slow: bool
    only_covered: bool
    blacklist: Iterable[str]
    priority_usernames: Iterable[str]
    max_pixels: int = UNLIMITED
    limit_steps: bool = False


def offer_of(worker_id: UUID, owner: User, declared: Declared, *, speed: float | None) -> Offer:
    """What the worker can serve. speed: things a second as measured, None where it is new.

    Raises InvalidPriorityUsername, and Invalid where the horde knows none of its models.
    """
    models = _models(owner, declared)
    words = (word.strip().lower()[:LONGEST_BLACKLISTED] for word in declared.blacklist)
    least = LEAST_SPEED.get(declared.kind, 0.0)
    return Offer(
        kind=declared.kind,
        worker_id=str(worker_id),
        user_id=owner.id,
        models=frozenset(models),
        features=declared.program.features,
        permissions=declared.permissions,
        nsfw=declared.nsfw,
        trusted=owner.has(Role.TRUSTED),
        fast=speed is None or speed >= least,
        extra_slow=declared.extra_slow,
        only_covered=declared.only_covered,
        pixels=declared.max_pixels,
        steps=USUAL_STEPS if declared.limit_steps else UNLIMITED,
        blacklist=frozenset([word for word in words if word][:MOST_BLACKLISTED]),
        users=frozenset({owner.id, *_user_ids(declared.priority_usernames)}),
    )


def _models(owner: User, declared: Declared) -> list[str]:
    """The declared models that the horde knows; customizers may bring any."""
    models = list(dict.fromkeys(declared.models))[:MOST_MODELS]
    if declared.kind == "image" and not (owner.has(Role.CUSTOMIZER) or owner.has(Role.SPECIAL)):
        models = [name for name in models if name in catalog.known()]
    if not models:
        raise Invalid(
            "Unfortunately we cannot accept workers serving none of the models this horde knows: "
            f"{', '.join(declared.models) or 'no model was named'}."
        )
    return models


def _user_ids(usernames: Iterable[str]) -> Iterable[int]:
    for username in usernames:
        digits = username.rpartition("#")[2]
        is_id = digits.isdecimal() and len(digits) <= LONGEST_USER_ID
        if "#" not in username or not is_id:
            raise InvalidPriorityUsername(f"{username[:LONGEST_SHOWN]} is not of the form name#id.")
        yield int(digits)
