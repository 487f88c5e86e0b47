"""What may be changed about a user, and by whom: administrators, moderators, the user."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.accounts import deletion, trust
from core.db import Writing
from core.errors import Forbidden, Invalid
from core.kudos import grants, monthly
from core.ledger import accounts
from core.moderation.names import clean_text, is_profane
from core.users import directory, names, passkeys, roles, suspicion
from core.users.keys import Keyring
from core.users.tables import Role, User

CONCURRENCY, CONCURRENCY_EDUCATION = 30, 200
LARGEST: Final = {"worker_invited": 10_000, "kudos": 10**15, "monthly_kudos": 10**13}
"""The largest number, positive or negative; kudos in hundredths."""

COMMENTS: Final = ("contact", "admin_comment")
BY_ADMINS: Final = ("kudos", "monthly_kudos", "usage_multiplier", "moderator")
BY_MODERATORS: Final = (
    "concurrency",
    "worker_invited",
    "trusted",
    "flagged",
    "customizer",
    "vpn",
    "service",
    "education",
    "special",
    "reset_suspicion",
    "admin_comment",
)
BY_OWNERS: Final = ("public_workers", "username", "contact", "generate_proxy_passkey", "undelete")
DEEDS: Final = ("reset_suspicion", "generate_proxy_passkey", "undelete")
"""Fields that request an action; false requests none."""
ROLES: Final = {
    "moderator": Role.MODERATOR,
    "flagged": Role.FLAGGED,
    "customizer": Role.CUSTOMIZER,
    "vpn": Role.VPN,
    "service": Role.SERVICE,
    "education": Role.EDUCATION,
    "special": Role.SPECIAL,
}
COLUMNS: Final = (
    "concurrency",
    "worker_invited",
    "usage_multiplier",
    "public_workers",
    "contact",
    "admin_comment",
)


class AnonForbiddenUserMod(Forbidden):
    """The anonymous user is shared by everybody, so it may change nobody."""

    code = "AnonForbiddenUserMod"


class NonServiceForbidden(Forbidden):
    """Only services have passkeys."""

    code = "NonServiceForbidden"


class NoUserModSelected(Invalid):
    """Nothing is to be changed."""

    code = "NoUserModSelected"


class TooLarge(Invalid):
    """A number is larger than anybody needs, or a database can hold."""

    code = "BadRequest"


class TooLongUserName(Invalid):
    """The name is longer than a name may be."""

    code = "TooLongUserName"


class ProfaneUserName(Invalid):
    """The name is obscene."""

    code = "ProfaneUserName"


class ProfaneUserContact(Invalid):
    """The contact is obscene."""

    code = "ProfaneUserContact"


class ProfaneAdminComment(Invalid):
    """The comment is obscene."""

    code = "ProfaneAdminComment"


@dataclass(slots=True)
class UserChange:
    """A change under way. `user` is locked; `answer` gathers what the caller is told."""

    session: Writing
    keyring: Keyring
    by: User
    user: User
    at: datetime
    key: str
    """Names this change among all, for the ledger."""
    answer: dict[str, Any] = field(default_factory=dict)


async def apply(change: UserChange, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Change the given fields, named as in the contract; kudos and monthly kudos are added.

    All kudos are hundredths. Returns the new values, as the contract's answer has them. If this
    raises, the transaction must be rolled back, so that nothing is changed.

    Raises AnonForbiddenUserMod, NotAdmin, NotModerator, NoUserModSelected, and whatever single
    fields raise.
    """
    wanted = {name: value for name, value in wanted.items() if value or name not in DEEDS}
    wanted |= {name: clean_text(wanted[name]) for name in COMMENTS if name in wanted}
    _check_allowed(change, wanted)
    _check_numbers(wanted)
    _check_texts(wanted)
    for names_, do in _STEPS:
        if chosen := {name: wanted[name] for name in names_ if name in wanted}:
            await do(change, chosen)
    return change.answer


def _check_allowed(change: UserChange, wanted: Mapping[str, Any]) -> None:
    if change.by.is_anonymous:
        raise AnonForbiddenUserMod("The anonymous user cannot change users.")
    if not any(name in wanted for name in (*BY_ADMINS, *BY_MODERATORS, *BY_OWNERS)):
        raise NoUserModSelected("Please say what is to be changed.")
    if any(name in wanted for name in BY_ADMINS):
        roles.require_admin(change.by)
    is_own = change.by.id == change.user.id
    if any(name in wanted for name in (*BY_MODERATORS, *(() if is_own else BY_OWNERS))):
        roles.require_moderator(change.by)


def _check_numbers(wanted: Mapping[str, Any]) -> None:
    for name, largest in LARGEST.items():
        if abs(wanted.get(name, 0)) > largest:
            raise TooLarge(f"{name} is too large.")


def _check_texts(wanted: Mapping[str, Any]) -> None:
    refusals = {
        "username": ProfaneUserName("This name is obscene. Please choose another one."),
        "contact": ProfaneUserContact("This contact is obscene."),
        "admin_comment": ProfaneAdminComment("This comment is obscene."),
    }
    for name, refusal in refusals.items():
        if is_profane(wanted.get(name, "")):
            raise refusal


async def _undelete(change: UserChange, _: Mapping[str, Any]) -> None:
    change.user = await deletion.undelete(change.session, change.user)
    change.answer["undeleted"] = True


async def _set_columns(change: UserChange, wanted: Mapping[str, Any]) -> None:
    change.user = await directory.change(change.session, change.user, **wanted)
    change.answer.update(wanted)


async def _rename(change: UserChange, wanted: Mapping[str, Any]) -> None:
    if change.user.is_anonymous:
        raise roles.AnonForbidden("The anonymous user cannot be renamed.")
    if len(wanted["username"]) > names.MAX_CHARACTERS:
        raise TooLongUserName(f"A username has at most {names.MAX_CHARACTERS} characters.")
    name = names.clean(wanted["username"])
    change.user = await directory.change(change.session, change.user, username=name)
    change.answer["username"] = change.user.username


async def _set_roles(change: UserChange, wanted: Mapping[str, Any]) -> None:
    grant, revoke = Role(0), Role(0)
    for name, given in wanted.items():
        grant |= ROLES[name] if given else Role(0)
        revoke |= Role(0) if given else ROLES[name]
    if Role.MODERATOR in grant and not change.user.has(Role.MODERATOR):
        change.user = await monthly.entitle(change.session, change.user, at=change.at)
    change.user = await directory.set_roles(change.session, change.user, grant=grant, revoke=revoke)
    change.answer.update(wanted)
    if "education" in wanted and "concurrency" not in change.answer:
        concurrency = CONCURRENCY_EDUCATION if wanted["education"] else CONCURRENCY
        await _set_columns(change, {"concurrency": concurrency})


async def _make_passkey(change: UserChange, _: Mapping[str, Any]) -> None:
    if not (change.by.has(Role.SERVICE) and change.user.has(Role.SERVICE)):
        raise NonServiceForbidden("Only service accounts have a passkey.")
    passkey = await passkeys.renew(change.session, change.keyring, change.user)
    change.answer["proxy_passkey"] = passkey


async def _reset_suspicion(change: UserChange, _: Mapping[str, Any]) -> None:
    await suspicion.reset(change.session, change.user.id)
    change.answer["new_suspicion"] = 0


async def _set_trust(change: UserChange, wanted: Mapping[str, Any]) -> None:
    if wanted["trusted"]:
        change.user = await trust.promote(change.session, change.user, at=change.at)
    else:
        change.user = await directory.set_roles(change.session, change.user, revoke=Role.TRUSTED)
    change.answer.update(wanted)


async def _change_monthly(change: UserChange, wanted: Mapping[str, Any]) -> None:
    change.user = await monthly.change_by(
        change.session, change.user, wanted["monthly_kudos"], key=change.key, at=change.at
    )
    change.answer["monthly_kudos"] = change.user.monthly_kudos


async def _change_kudos(change: UserChange, wanted: Mapping[str, Any]) -> None:
    await grants.adjust(change.session, change.user, wanted["kudos"], key=change.key)
    change.answer["new_kudos"] = await accounts.balance(change.session, change.user.account_id)


_STEPS: Final[tuple[tuple[tuple[str, ...], Callable[..., Awaitable[None]]], ...]] = (
    (("undelete",), _undelete),
    (COLUMNS, _set_columns),
    (("username",), _rename),
    (tuple(ROLES), _set_roles),
    (("generate_proxy_passkey",), _make_passkey),
    (("reset_suspicion",), _reset_suspicion),
    # What moves kudos comes last.
    (("trusted",), _set_trust),
    (("monthly_kudos",), _change_monthly),
    (("kudos",), _change_kudos),
)
"""Fields and the functions that change them, in this order."""
