"""What roles change about a request."""

import pytest

import factories
from core.errors import Forbidden, Invalid
from core.generation import privileges
from core.kinds.image import ImageParams
from core.users.roles import OnlyServiceAccountProxy
from core.users.tables import Role, User


def user(*roles):
    return User(id=1, roles=int(sum(roles, Role(0))))


def test_education_gets_nothing_unfit_for_a_classroom():
    wanted = factories.image_ask(nsfw=True, shared=True)
    made = privileges.applied(user(Role.EDUCATION), wanted)
    assert (made.nsfw, made.trusted_workers, made.shared) == (False, True, False)
    assert made.params.use_nsfw_censor
    assert privileges.applied(user(Role.TRUSTED), wanted) is wanted


def test_only_services_ask_for_others():
    wanted = factories.image_ask(proxied_account="somebody")
    privileges.check(user(Role.SERVICE), wanted)
    with pytest.raises(OnlyServiceAccountProxy):
        privileges.check(user(Role.TRUSTED), wanted)


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({"models": ["horde_special::somebody#1"]}, Forbidden),
        ({"params": ImageParams(special={"a": 1})}, Invalid),
    ],
    ids=["model", "payload"],
)
def test_only_special_users_ask_for_special_things(wanted, refusal):
    privileges.check(user(Role.SPECIAL), factories.image_ask(**wanted))
    with pytest.raises(refusal):
        privileges.check(user(), factories.image_ask(**wanted))


def test_a_special_model_says_whose_it_is():
    with pytest.raises(privileges.SpecialMissingUsername):
        privileges.check(user(Role.SPECIAL), factories.image_ask(models=["horde_special"]))
