"""What a worker declares in a pop, and the offer that follows from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core import features
from core.catalog import models as catalog
from core.catalog.agents import Agent
from core.catalog.reference import USUAL_STEPS
from core.errors import Invalid
from core.kinds import registry
from core.kinds.kind import Rules
from core.moderation import names
from core.queue.matching import UNLIMITED, Offer
from core.users.tables import Role, User
from core.workers.tables import Worker

MAX_SOFTPROMPTS, MAX_SOFTPROMPT_CHARS = 200, 100
MAX_BLACKLISTED, MAX_BLACKLISTED_CHARS = 200, 15
MAX_SHOWN_CHARS = 100  # characters of a name in an error message
MAX_NAMED = 10
CUSTOMIZERS = (
    "Models that it does not know are served by owners with the role customizer: "
    "ask a moderator of the horde for it."
)
MAX_USER_ID_CHARS = 9  # digits, which every database can hold
MODERATE_STEPS = sum(USUAL_STEPS) // 2
"""The limit of `limit_max_steps` for a model without a range of steps of its own."""


class InvalidPriorityUsername(Invalid):
    """A prioritised user is not named in the form `name#id`."""

    code = "InvalidPriorityUsername"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a worker declares in a pop, checked for form only."""

    kind: str
    name: str
    agent: str
    program: Agent
    threads: int
    priority_usernames: Iterable[str]
    models: Sequence[str] = ()
    """None for alchemists."""
    permissions: frozenset[str] = frozenset()
    nsfw: bool = True
    censors: bool = True
    extra_slow: bool = False
    only_covered: bool = False
    blacklist: Iterable[str] = ()
    max_pixels: int = UNLIMITED
    limit_steps: bool = False
    max_length: int = UNLIMITED
    max_context: int = UNLIMITED
    softprompts: Iterable[str] = ()
    forms: Iterable[str] = ()
    max_tiles: int = UNLIMITED


def in_part(
    program: Agent, allowed: Mapping[str, bool], also: Iterable[str]
) -> tuple[Agent, frozenset[str]]:
    """Read what a worker has of what it has not switched on (`features.IN_PART`).

    Gives its program with these features alone, and the switches that they are behind.
    """
    named, switched = frozenset(also), frozenset[str]()
    able = program.features
    for switch, beginnings in features.IN_PART.items():
        if allowed.get(switch):
            continue
        behind = {feature for feature in able if feature.startswith(beginnings)}
        if served := behind & named:
            able = (able - behind) | served
            switched |= {switch}
    return program._replace(features=able), switched


def offer_of(worker_id: UUID, owner: User, declared: Declared, *, speed: float | None) -> Offer:
    """What the worker can serve. speed: things a second as measured, None if it is new.

    Raises InvalidPriorityUsername, and Invalid if the horde knows none of its models.
    """
    rules = registry.of(declared.kind)
    models = _models(owner, declared, rules) if rules.max_models else []
    soft = (name[:MAX_SOFTPROMPT_CHARS] for name in declared.softprompts)
    words = (word.strip().lower()[:MAX_BLACKLISTED_CHARS] for word in declared.blacklist)
    return Offer(
        kind=declared.kind,
        worker_id=str(worker_id),
        user_id=owner.id,
        models=frozenset(models),
        features=rules.offered(declared.program.features, declared.forms),
        permissions=declared.permissions,
        nsfw=declared.nsfw,
        censors=declared.censors,
        trusted=owner.has(Role.TRUSTED),
        fast=speed is None or speed >= rules.least_speed(models),
        extra_slow=declared.extra_slow,
        only_covered=declared.only_covered,
        pixels=declared.max_pixels,
        steps=MODERATE_STEPS if declared.limit_steps else UNLIMITED,
        step_limits=_step_limits(models) if declared.limit_steps else frozenset(),
        length=declared.max_length,
        context=declared.max_context,
        tiles=declared.max_tiles,
        softprompts=frozenset(list(soft)[:MAX_SOFTPROMPTS]),
        blacklist=frozenset([word for word in words if word][:MAX_BLACKLISTED]),
        users=frozenset({owner.id, *_user_ids(declared, rules)}),
    )


def _step_limits(models: Sequence[str]) -> frozenset[tuple[str, int]]:
    """The models whose range of steps has another middle than usual, with that middle."""
    limits = ((name, catalog.image_model(name).moderate_steps) for name in models)
    return frozenset((name, steps) for name, steps in limits if steps != MODERATE_STEPS)


def _models(owner: User, declared: Declared, rules: Rules) -> list[str]:
    """The declared models that the horde knows; customizers may bring any."""
    models = list(dict.fromkeys(declared.models))[: rules.max_models]
    models = [name for name in models if name.isprintable() and _may_host(owner, name)]
    if not (owner.has(Role.CUSTOMIZER) or owner.has(Role.SPECIAL)):
        models = [name for name in models if rules.knows(name)]
    if not models:
        raise Invalid(
            "Unfortunately we cannot accept workers serving none of the models this horde knows: "
            f"{_named(declared.models) or 'no model was named'}. {CUSTOMIZERS}"
        )
    return models


def left_out(declared: Declared, offer: Offer) -> list[str]:
    """The declared models that did not become part of the offer."""
    models = [name for name in declared.models if name not in offer.models]
    return list(dict.fromkeys(models)) if registry.of(declared.kind).max_models else []


def advice(models: Sequence[str]) -> str:
    """Tell a worker's owner why models are not offered, and what to do about it."""
    told = _named(models)
    return f"This horde does not take these models from this worker: {told}. {CUSTOMIZERS}"


def _named(models: Sequence[str]) -> str:
    """The beginnings of the first few names, without what cannot be seen."""
    told = ", ".join(names.clean(name[:MAX_SHOWN_CHARS]) for name in models[:MAX_NAMED])
    return f"{told} and {len(models) - MAX_NAMED} more" if len(models) > MAX_NAMED else told


def _may_host(owner: User, model: str) -> bool:
    """Only the user named in a model, `name::user#id`, may host it."""
    _, of_somebody, alias = model.partition("::")
    return not of_somebody or alias.rpartition("#")[2] == str(owner.id)


def _user_ids(declared: Declared, rules: Rules) -> Iterable[int]:
    refusal = InvalidPriorityUsername if rules.has_username_code else Invalid
    for username in declared.priority_usernames:
        digits = username.rpartition("#")[2]
        is_id = digits.isdecimal() and len(digits) <= MAX_USER_ID_CHARS
        if "#" not in username or not is_id:
            told = names.clean(username[:MAX_SHOWN_CHARS])
            raise refusal(f"{told} is not of the form name#id.")
        yield int(digits)


def performance(row: Worker) -> str:
    """A worker's speed in words, for people. row: of `workers`."""
    if row.speed is None:
        return "No requests fulfilled yet"
    return registry.of(row.kind).performance(row.speed)
