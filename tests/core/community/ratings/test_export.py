from uuid import uuid4

import factories
from core.community.ratings import export, pictures, rate
from core.community.ratings.pictures import Shared
from core.community.ratings.rate import Finished, Vote
from core.db import now
from core.users.tables import Role

SECRET = b"what pseudonyms are made with"


async def test_each_picture_is_told_with_its_ratings(session, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    owner, _ = await factories.user(session, username="owner", oauth_id=str(uuid4()))
    trusted, _ = await factories.user(session, username="trusted", roles=int(Role.TRUSTED))
    request_id, ids = uuid4(), sorted(uuid4() for _ in range(3))
    for picture_id in ids:
        shared = Shared(
            id=picture_id,
            request_id=request_id,
            user_id=owner.id,
            model="m",
            prompt="a füchs",
            params={"width": 64, "sampler_name": "lcm"},
            seed=7,
            nsfw=True,
        )
        await pictures.add(session, shared, at=now())
    first = str(ids[0])
    await rate.rate_picture(session, trusted, Vote(first, 8, 1))
    finished = Finished(request_id, True, True, set(ids), 10_000)
    await rate.rate_request(session, owner, finished, [Vote(first, 5)], str(ids[1]))
    found = [record async for record in export.records(session, SECRET)]
    assert [record["id"] for record in found] == [str(each) for each in ids]
    rated, best, plain = found
    assert rated["file"] == f"{first}.webp"
    assert (rated["prompt"], rated["width"], rated["seed"]) == ("a füchs", 64, 7)
    assert (rated["rating"], rated["nsfw"]) == (6.5, True)
    assert [(r["rating"], r["artifacts"], r["user_type"]) for r in rated["ratings"]] == [
        (8, 1, "trusted"),
        (5, None, "pseudonymous"),
    ]
    assert rated["ratings"][1]["user"] == rated["user"] != rated["ratings"][0]["user"]
    assert str(owner.id) not in (rated["user"], rated["ratings"][1]["user"])
    assert (best["rating"], best["ratings"][0]["best"]) == (None, True)
    assert plain["ratings"] == []
    other = [record async for record in export.records(session, b"another horde's")]
    assert other[0]["user"] != rated["user"]
