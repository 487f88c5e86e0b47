"""Answers that are the same for everybody: made once, and known by a tag."""

import pytest

from core.api.kept import Encoded, KeptAnswers
from core.users.tables import Role

PATHS = [
    "/status/heartbeat",
    "/status/models",
    "/status/performance",
    "/workers",
    "/teams",
    "/stats/img/totals",
    "/stats/img/models",
    "/stats/text/totals",
    "/stats/text/models",
]


class Maker:
    """Makes an answer; counts how often."""

    def __init__(self):
        self.made = 0

    async def __call__(self):
        self.made += 1
        return Encoded(str(self.made).encode())


async def test_an_answer_is_made_once_a_second_and_anew_from_something_else():
    seconds, of, make = [0.0], ["a"], Maker()
    answers = KeptAnswers(lambda: seconds[0])

    async def get():
        return await answers.get("key", make, of=lambda: of[0])

    assert [await get(), await get()] == [b"1", b"1"]
    of[0] = "b"
    assert [await get(), await get()] == [b"2", b"2"]
    seconds[0] = 1.0
    assert [await get(), await get()] == [b"3", b"3"]
    assert await answers.get("another key", make) == b"4"


async def test_what_an_answer_is_made_from_may_change_while_it_is_made():
    of = ["before"]

    async def make():
        of[0] = "after"
        return Encoded(b"made")

    answers = KeptAnswers(lambda: 0.0)
    first = await answers.get("key", make, of=lambda: of[0])
    assert await answers.get("key", make, of=lambda: of[0]) is first


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.asyncio(loop_scope="module")
async def test_who_has_an_answer_already_is_sent_none(site, path):
    first = await site.get(path)
    tag = first.headers["ETag"]
    assert (first.status_code, tag[0], tag[-1]) == (200, '"', '"')
    for known in (tag, f"W/{tag}", f'"another", {tag}', "*"):
        again = await site.get(path, If_None_Match=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Access-Control-Allow-Origin"] == "*"
    other = await site.get(path, If_None_Match='"another"')
    assert (other.status_code, other.content) == (200, first.content)
    masked = await site.get(path, If_None_Match=tag, X_Fields="nothing")
    assert masked.status_code == 200
    assert "ETag" not in masked.headers


@pytest.mark.asyncio(loop_scope="module")
async def test_another_answer_has_another_tag(site):
    before = (await site.get("/teams")).headers["ETag"]
    founder = await site.user("Founder", roles=int(Role.TRUSTED))
    made = await site.post("/teams", {"name": "Foxes"}, key=founder.key)
    assert made.status_code == 200, made.text
    after = await site.get("/teams", If_None_Match=before)
    assert (after.status_code, len(after.json())) == (200, 1)
    assert after.headers["ETag"] != before
