"""How roles change a request: what only some may ask for, and what is decided for others."""

from dataclasses import replace
from typing import Any, Final

from core.errors import Forbidden, Invalid
from core.generation import kind
from core.generation.specs import RequestSpec
from core.kinds import registry
from core.ledger.accounts import Funds
from core.users import roles
from core.users.shared_keys import Standing
from core.users.tables import Role, User

ANONYMOUS_PRIORITY: Final = -50
FLAGGED_PRIORITY: Final = -100
SPECIAL_MODEL: Final = "horde_special"
"""The prefix of models that only the user in their name may use: `horde_special::user#1`."""


class SpecialMissingUsername(Invalid):
    """A special model that names no user."""

    code = "SpecialMissingUsername"


class SpecialModelNeedsSpecialUser(Forbidden):
    """A special model, asked for by a user who is not special."""

    code = "Forbidden"


class SpecialForbidden(Forbidden):
    """A special model, asked for by another special user than the one it names."""

    code = "Forbidden"


class SpecialMissingPayload(Invalid):
    """A special model without the payload that it is for."""

    code = "SpecialMissingPayload"


def check(user: User, wanted: RequestSpec[Any]) -> None:
    """Raise the reason why a user of these roles may not ask for this."""
    roles.check_proxied(user, wanted.proxied_account)
    for model in wanted.models:
        if model.startswith(SPECIAL_MODEL):
            _check_special_model(user, model, wanted.params)
    kind.of(wanted.kind).check_user(user, wanted)


def _check_special_model(user: User, model: str, params: object) -> None:
    """Raise the reason why this user may not ask for this special model."""
    _, _, owner = model.partition("::")
    if "#" not in owner:
        raise SpecialMissingUsername("A special model names its user: ::user#id.")
    if not user.has(Role.SPECIAL):
        raise SpecialModelNeedsSpecialUser("Only special users may ask for this model.")
    if owner.casefold() != user.alias.casefold():
        raise SpecialForbidden("This special model is for another user.")
    if not getattr(params, "special", True):
        raise SpecialMissingPayload("A special model needs params.special.")


def applied(user: User, wanted: RequestSpec[Any]) -> RequestSpec[Any]:
    """The request as it is made for this user: for education accounts, suitable for a classroom."""
    if not user.has(Role.EDUCATION):
        return wanted
    params = registry.of(wanted.kind).for_education(wanted.params)
    return replace(wanted, params=params, nsfw=False, trusted_workers=True, shared=False)


def priority(user: User, funds: Funds | None, standing: Standing) -> int:
    """The priority that the request starts with, in whole kudos."""
    if funds is None or standing is not Standing.OWNER:
        return ANONYMOUS_PRIORITY
    if user.has(Role.FLAGGED):
        return FLAGGED_PRIORITY
    return funds.balance // 100
