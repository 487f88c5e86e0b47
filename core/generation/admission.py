"""Admission: who may ask for what at present, as whom, and in which order that is checked.

1. The requester: a user; or a shared key's owner, who pays; or the owner of the style's shared key.
2. The horde: maintenance, anonymous users, addresses that are kept out, a raid (`gates.admit`).
3. The rules: what the user's roles, the shared key and the kind allow (`ask.check`).
4. The filter: the prompt passes, is rewritten, or is refused (`gates.screened`).

Endpoints call `admit` once for a request, and then `ask.ask`; if a prompt was refused, `punish`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.community import styles
from core.db import Reading, Writing, now
from core.generation import ask, gates
from core.generation.horde import Horde
from core.generation.specs import Requester, RequestSpec
from core.kinds import registry
from core.moderation.scores import Verdict
from core.users import directory, shared_keys
from core.users.directory import UnknownKey
from core.users.shared_keys import Standing
from core.users.tables import ANONYMOUS_ID, Role, SharedKey, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, as far as the transport can tell."""

    user: User | UnknownKey
    """The refusal if no user has the key that was sent: it may be a shared key."""
    key: str = ""
    """What was sent."""
    address: str | None = None
    verdict: Verdict = Verdict.SAFE
    """What is known of the address."""


class Admitted(NamedTuple):
    """An admitted request, as it may be asked."""

    requester: Requester
    wanted: RequestSpec[Any]


async def admit(
    session: Reading, horde: Horde, caller: Caller, wanted: RequestSpec[Any]
) -> Admitted:
    """Admit a request: return who asks, and the request with the prompt that it may have.

    Writes nothing. Raises UnknownKey; the refusals of shared keys; what `gates.admit`, `ask.check`
    and `gates.screened` raise. After CorruptPrompt `punish` is due, once the transaction is rolled
    back.
    """
    at = now()
    requester = await requester_of(session, caller, wanted)
    await gates.admit(session, horde, requester, wanted, at=at)
    ask.check(requester, wanted)
    screened = await gates.screened(session, horde, requester.user, wanted, at=at)
    return Admitted(requester, screened)


async def punish(session: Writing, caller: Caller, wanted: RequestSpec[Any]) -> None:
    """Keep a caller out for a while whose prompt was refused."""
    await gates.punish(session, await requester_of(session, caller, wanted), at=now())


async def requester_of(session: Reading, caller: Caller, wanted: RequestSpec[Any]) -> Requester:
    """Who asks: the caller, or the owner of a shared key."""
    shared_key = None
    if isinstance(caller.user, UnknownKey):
        found = await shared_keys.by_key(session, caller.key)
        if found is None or not registry.of(wanted.kind).takes_shared_keys:
            raise caller.user
        user, shared_key = await _as_owner(session, found, wanted)
    else:
        user = caller.user
    if shared_key is None and (styles_key := await _styles_key(session, user, wanted)) is not None:
        user, shared_key = await directory.by_id(session, styles_key.user_id), styles_key
    return Requester(
        user=user, verdict=caller.verdict, address=caller.address, shared_key=shared_key
    )


async def _styles_key(session: Reading, user: User, wanted: RequestSpec[Any]) -> SharedKey | None:
    """The shared key by which the request's style pays for it, if the user may use it.

    Users for whom special rules hold pay themselves, so that these rules hold with it too.
    """
    if wanted.style is None or wanted.style.shared_key_id is None:
        return None
    if user.roles & (Role.DELETED | Role.FLAGGED | Role.EDUCATION):
        return None
    key = await shared_keys.by_id(session, wanted.style.shared_key_id)
    try:
        is_good = key is not None and shared_keys.check_usable(key, at=now(), allow_downgrade=False)
    except (shared_keys.SharedKeyExpired, shared_keys.SharedKeyEmpty):
        return None
    return key if is_good else None


async def _as_owner(
    session: Reading, key: SharedKey, wanted: RequestSpec[Any]
) -> tuple[User, SharedKey | None]:
    """The key's owner and the key; neither, if it is empty and the request may be downgraded."""
    downgraded = wanted.allow_downgrade
    standing = shared_keys.check_usable(key, at=now(), allow_downgrade=downgraded)
    await styles.refuse_assigned(session, key.id)
    if standing is Standing.ANONYMOUS:
        return await directory.by_id(session, ANONYMOUS_ID), None
    return await directory.by_id(session, key.user_id), key
