from uuid import uuid4

import pytest

import factories
from core.community.ratings import pictures, rate
from core.community.ratings.pictures import Shared
from core.community.ratings.rate import Vote
from core.db import now
from core.kinds import registry
from core.kinds.image import ImageParams


async def shared(session, user_id, *, model="m", **params):
    picture = Shared(
        id=uuid4(),
        request_id=uuid4(),
        user_id=user_id,
        model=model,
        prompt="a fox",
        params={"width": 64, **params},
        seed=2**40,
        nsfw=False,
    )
    await pictures.add(session, picture, at=now())
    return picture.id


@pytest.fixture
async def people(session):
    owner, _ = await factories.user(session, username="owner")
    rater, _ = await factories.user(session, username="rater")
    return owner, rater


async def test_what_says_too_much_is_not_kept(session, people):
    hidden = {"special": {"a": 1}, "source_image": None, "r2": True, "extra_texts": [{"text": "x"}]}
    picture = await shared(session, people[0].id, steps=9, **hidden)
    assert (await pictures.by_id(session, str(picture))).params == {"width": 64, "steps": 9}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("source_image", "x.webp"),
        ("source_mask", "x.webp"),
        ("extra_source_images", [{"image": "x.webp", "strength": 1}]),
    ],
)
def test_what_is_made_from_a_picture_is_not_shared(key, value):
    rules = registry.of("image")
    assert rules.may_be_shared(ImageParams(width=64))
    assert not rules.may_be_shared(ImageParams(width=64, **{key: value}))


async def test_the_least_rated_of_others_are_rated_first(session, people, monkeypatch):
    owner, rater = people
    first, second = [await shared(session, owner.id) for _ in range(2)]
    await shared(session, rater.id)
    await rate.rate_picture(session, rater, Vote(str(first), 5))
    assert await pictures.to_rate(session, rater) == second
    third, _ = await factories.user(session, username="third")
    monkeypatch.setattr(pictures, "CHOICE", 2)  # the two without a rating
    drawn = {await pictures.to_rate(session, third) for _ in range(20)}
    assert first not in drawn
    assert second in drawn
    assert await pictures.to_rate(session, third, model="another") is None
    await rate.rate_picture(session, rater, Vote(str(second), 5))
    assert await pictures.to_rate(session, rater) is None
    assert await pictures.to_rate(session, None) is not None


async def test_who_goes_takes_everything_along(session, people):
    owner, rater = people
    own = await shared(session, owner.id)
    others = await shared(session, rater.id)
    await rate.rate_picture(session, rater, Vote(str(own), 5))
    await rate.rate_picture(session, owner, Vote(str(others), 5))
    assert await pictures.remove_all_of(session, owner.id) == [own]
    assert await pictures.count(session) == 1
    assert (await pictures.by_id(session, str(others))).rating_count == 0
    assert await pictures.remove_all_of(session, owner.id) == []
