"""What roles change about a request."""

import pytest

import factories
from core.errors import Forbidden, Invalid
from core.generation import privileges
from core.kinds.image import ImageParams
from core.users.roles import OnlyServiceAccountProxy
from core.users.tables import Role

MODEL = "horde_special::Somebody#1"


def user(*roles, user_id=1):
    return factories.person(id=user_id, username="somebody", roles=int(sum(roles, Role(0))))


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
        ({"models": [MODEL], "params": ImageParams(special={"a": 1})}, Forbidden),
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


def test_a_special_model_is_for_the_user_it_names():
    wanted = factories.image_ask(models=[MODEL], params=ImageParams(special={"a": 1}))
    with pytest.raises(privileges.SpecialForbidden):
        privileges.check(user(Role.SPECIAL, user_id=2), wanted)


def test_a_special_model_comes_with_its_payload():
    with pytest.raises(privileges.SpecialMissingPayload):
        privileges.check(user(Role.SPECIAL), factories.image_ask(models=[MODEL]))
