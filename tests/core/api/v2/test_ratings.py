"""Sharing pictures and rating them, through the API."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update

import pictures
import serving
from core.api import shared
from core.community.ratings.tables import Rating, SharedPictureRow
from core.db import now, table
from core.generation import cancel, submit
from core.generation.delivery import Delivery
from core.queue import expiry
from core.queue.tables import RequestRow
from core.users import directory
from core.users.tables import Role, UserRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "00000000-0000-0000-0000-000000000000"
DATASET = "0bfa4aaf-6fd1-4a5b-9a3f-5d1c4d6f3a11"
REGEN = "AI Horde Worker reGen:13:x"


@pytest_asyncio.fixture(loop_scope="module")
async def shop(site):
    return await serving.open_shop(site)


@pytest_asyncio.fixture(loop_scope="module")
async def rater(site):
    return await site.user(f"rater {next(serving.NUMBERS)}")


async def made(shop, *, n=1, key=None, deliver=True, **body):
    """A shared request and the ids of its pictures."""
    params = {**serving.SMALL, "n": n, "clip_skip": 2}
    asked = {"shared": True, "params": params, **body}
    request_id = await shop.ask(key=key or shop.owner.key, **asked)
    ids = []
    for _ in range(n if deliver else 0):
        popped = await shop.pop(bridge_agent=REGEN)
        await shop.deliver(popped)
        ids += popped["ids"]
    return request_id, ids


async def rate(site, request_id, **body):
    return await site.post(f"/generate/rate/{request_id}", body)


async def kudos(site, person):
    return (await site.get("/find_user", key=person.key)).json()["kudos"]


async def kept(site, request_id):
    async with site.database.reading() as session:
        found = select(table(SharedPictureRow)).where(
            SharedPictureRow.request_id == UUID(request_id)
        )
        return list(await session.execute(found))


def files(site):
    return {file.name for file in site.settings.shared_pictures.rglob("*.webp")}


async def v1(site, method, path, body=None, *, key=None):
    headers = {} if key is None else {"apikey": key}
    return await site.http.request(method, f"/api/v1{path}", json=body, headers=headers)


async def a_picture_of_its_own(shop, **body):
    """A shared picture of a model that nobody else has."""
    _, (picture,) = await made(shop, **body)
    return picture


# sharing


async def test_a_shared_picture_outlives_its_request(shop, site):
    request_id, (picture,) = await made(shop)
    (row,) = await kept(site, request_id)
    assert (str(row.id), row.user_id, row.model) == (picture, shop.owner.id, shop.name)
    assert (row.prompt, row.seed, row.nsfw) == ("a red fox", 1, False)
    assert (row.params["width"], row.params["clip_skip"]) == (64, 2)
    assert not {"source_image", "special", "r2"} & row.params.keys()
    gone = [expiry.Expired(row.request_id, "image", {}, [row.id])]
    await cancel.delete_pictures(site.horde, gone)
    told = (await site.get(f"/shared/pictures/{picture}")).json()
    assert (await site.http.get(told["url"])).content == pictures.WEBP
    assert (await site.http.get(told["url"].replace("/shared/", "/pictures/"))).is_client_error


@pytest.mark.parametrize(
    "body",
    [
        {"shared": False},
        {"source_image": pictures.SOURCE},
        {"source_image": pictures.SOURCE, "source_mask": pictures.MASK},
    ],
    ids=["not asked for", "from a picture", "with a mask"],
)
async def test_what_is_not_shared(shop, site, body):
    before = files(site)
    request_id, _ = await made(shop, **body)
    assert await kept(site, request_id) == []
    assert files(site) == before


async def test_neither_what_is_censored_nor_what_failed_is_shared(shop, site):
    before = files(site)
    request_id, _ = await made(shop, n=2, deliver=False)
    popped = await shop.pop()
    await site.http.put(popped["r2_upload"], content=pictures.WEBP)
    censored = [{"type": "censorship", "value": "nsfw"}]
    await shop.submit(popped["id"], gen_metadata=censored)
    await shop.submit((await shop.pop())["id"], state="faulted")
    assert await kept(site, request_id) == []
    assert files(site) == before


async def test_a_picture_submitted_twice_at_once_is_shared_once(shop, site):
    request_id, _ = await made(shop, deliver=False)
    popped = await shop.pop()
    await site.http.put(popped["r2_upload"], content=pictures.WEBP)
    answers = await asyncio.gather(*(shop.submit(popped["id"]) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]
    assert len(await kept(site, request_id)) == 1
    assert f"{popped['id']}.webp" in files(site)


async def test_a_copy_that_is_in_no_data_set_is_removed(shop, site):
    """As where the job was given up while its picture was copied."""
    await made(shop, deliver=False)
    popped = await shop.pop()
    await site.http.put(popped["r2_upload"], content=pictures.WEBP)
    async with site.database.reading() as session:
        owner = await directory.by_id(session, shop.owner.id)
        job = await submit.look_up(session, owner, popped["id"], kind_name="image")
    async with site.app.app_context(), shared.copied(job, Delivery(job_id=popped["id"])) as copy:
        assert str(copy.gift.id) == popped["id"]
        assert f"{popped['id']}.webp" in files(site)
    assert f"{popped['id']}.webp" not in files(site)


async def test_status_says_whether_a_request_is_shared(shop):
    for is_shared in (True, False):
        request_id, _ = await made(shop, shared=is_shared)
        assert (await shop.status(request_id))["shared"] is is_shared


# generate/rate


@pytest.mark.parametrize(
    ("votes", "best", "reward"),
    [
        ([{"rating": 5}], None, 5.0),
        ([{"rating": 5, "artifacts": 0}], None, 10.0),
        ([{"rating": 5}, {"rating": 7, "artifacts": 3}], None, 15.0),
        ([], 1, 15.0),
        ([{"rating": 6}], 1, 20.0),
        ([{"rating": 7}], 1, 5.0),
        ([{"rating": 6}], 0, 5.0),
        ([{"rating": 5}, {"rating": 7}], 1, 10.0),
    ],
    ids=[
        "one",
        "its flaws",
        "two",
        "the best alone",
        "a bad one and another best",
        "a good one and another best",
        "one, the best",
        "two, one the best",
    ],
)
async def test_what_a_rating_earns(shop, site, votes, best, reward):
    params = {**serving.SMALL, "n": 2, "width": 512, "height": 512, "steps": 40}
    request_id, ids = await made(shop, n=2, params=params)
    before = await kudos(site, shop.owner)
    body = {"ratings": [{"id": ids[i], **vote} for i, vote in enumerate(votes)]} if votes else {}
    body |= {} if best is None else {"best": ids[best]}
    answer = await rate(site, request_id, **body)
    assert (answer.status_code, answer.json()) == (200, {"reward": reward})
    assert await kudos(site, shop.owner) == pytest.approx(before + reward)


async def test_it_earns_less_than_the_request_cost(shop, site):
    request_id, (picture,) = await made(shop)
    cost = (await shop.status(request_id))["kudos_exact"]
    answer = await rate(site, request_id, ratings=[{"id": picture, "rating": 9, "artifacts": 1}])
    assert answer.json()["reward"] == pytest.approx(cost - 1)
    assert 0 < cost - 1 < 10


async def test_what_everybody_asked_for_earns_nothing_but_counts(shop, site):
    request_id, (picture,) = await made(shop, key=serving.ANONYMOUS)
    answer = await rate(site, request_id, ratings=[{"id": picture, "rating": 9}])
    assert answer.json() == {"reward": 0.0}
    (row,) = await kept(site, request_id)
    assert row.rating_count == 1


async def test_each_refusal_of_a_requests_rating(shop, site):
    request_id, ids = await made(shop, n=2)
    alone, (single,) = await made(shop)
    private, (hidden,) = await made(shop, shared=False)
    waiting, _ = await made(shop, deliver=False)
    good, bad = {"id": ids[0], "rating": 9}, {"id": ids[1], "rating": 2}
    refused = [
        ("RequestNotFound", NOBODY, {"ratings": [good]}),
        ("AestheticsNotCompleted", waiting, {"ratings": [good]}),
        ("AestheticsNotPublic", private, {"ratings": [{"id": hidden, "rating": 1}]}),
        ("AestheticsMissing", request_id, {}),
        ("AestheticsMissing", request_id, {"ratings": []}),
        ("AestheticsSolo", alone, {"best": single}),
        ("AestheticsDuplicate", request_id, {"ratings": [good, good]}),
        ("ProcGenNotFound", request_id, {"ratings": [{"id": single, "rating": 1}]}),
        ("ProcGenNotFound", request_id, {"best": NOBODY}),
        ("AestheticsConfused", request_id, {"ratings": [good, bad], "best": ids[1]}),
    ]
    before = await kudos(site, shop.owner)
    for rc, which, body in refused:
        answer = await rate(site, which, **body)
        status = 404 if rc == "RequestNotFound" else 400
        assert (answer.status_code, answer.json()["rc"]) == (status, rc)
    assert await kudos(site, shop.owner) == before
    assert (await rate(site, request_id, ratings=[good])).status_code == 200
    again = await rate(site, request_id, ratings=[bad])
    assert (again.status_code, again.json()["rc"]) == (400, "AestheticsAlreadyExist")


async def test_what_is_not_in_the_data_set_cannot_be_rated(shop, site):
    request_id, (first, second) = await made(shop, n=2)
    await site.call("DELETE", f"/shared/pictures/{first}", key=shop.owner.key)
    votes = [{"id": each, "rating": 5} for each in (second, first)]
    answer = await rate(site, request_id, ratings=votes)
    assert (answer.status_code, answer.json()["rc"]) == (400, "InvalidAestheticAttempt")
    async with site.database.reading() as session:  # nothing of it is kept
        assert not list(
            await session.scalars(
                select(Rating.picture_id).where(Rating.picture_id == UUID(second))
            )
        )


async def test_two_ratings_at_once_earn_once(shop, site):
    request_id, (picture,) = await made(shop, params={**serving.SMALL, "n": 1, "steps": 200})
    body = {"ratings": [{"id": picture, "rating": 9}]}
    answers = await asyncio.gather(*(rate(site, request_id, **body) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ratings": [{"id": "x", "rating": 1}]}, "ratings.0.id"),
        ({"ratings": [{"id": NOBODY, "rating": 11}]}, "ratings.0.rating"),
        ({"ratings": [{"id": NOBODY, "rating": 1, "artifacts": 6}]}, "ratings.0.artifacts"),
        ({"best": "x"}, "best"),
    ],
)
async def test_a_body_that_breaks_the_schema(site, body, field):
    answer = await rate(site, NOBODY, **body)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


# own pictures, removal


async def test_own_pictures_are_listed_and_removed(shop, site, rater):
    _, (first,) = await made(shop)
    _, (second,) = await made(shop)
    own = (await site.get("/shared/pictures", key=shop.owner.key)).json()
    assert [each["id"] for each in own] == [second, first]
    assert (await site.get("/shared/pictures", key=rater.key)).json() == []
    path = f"/shared/pictures/{first}"
    for key, status, rc in (
        (rater.key, 403, "NotOwner"),
        (serving.ANONYMOUS, 403, "AnonForbidden"),
        ("unknown", 401, "InvalidAPIKey"),
    ):
        answer = await site.call("DELETE", path, key=key)
        assert (answer.status_code, answer.json()["rc"]) == (status, rc)
    assert (await site.call("DELETE", path, key=shop.owner.key)).json() == {"message": "OK"}
    assert f"{first}.webp" not in files(site)
    for method in ("GET", "DELETE"):
        answer = await site.call(method, path, key=shop.owner.key)
        assert (answer.status_code, answer.json()["rc"]) == (404, "SharedPictureNotFound")
    moderator = await site.user("moderator", oauth_id="g_mod", roles=int(Role.MODERATOR))
    path = f"/shared/pictures/{second}"
    assert (await site.call("DELETE", path, key=moderator.key)).status_code == 200


async def test_refusals_of_lists(site, rater):
    for page in ("0", "x", "10001", "9" * 1900):
        answer = await site.get(f"/shared/pictures?page={page}", key=rater.key)
        assert (answer.status_code, answer.json()["rc"]) == (400, "BadRequest")
    answer = await site.get("/shared/pictures", key=serving.ANONYMOUS)
    assert (answer.status_code, answer.json()["rc"]) == (403, "AnonForbidden")
    answer = await site.get("/shared/pictures/x")
    assert (answer.status_code, answer.json()["rc"]) == (404, "SharedPictureNotFound")


async def test_who_is_wiped_leaves_no_picture(shop, site, rater):
    _, (picture,) = await made(shop)
    rated = await v1(site, "POST", f"/rating/{picture}", {"rating": 7}, key=rater.key)
    assert rated.status_code == 200
    moderator = await site.user("remover", oauth_id="g_remover", roles=int(Role.MODERATOR))
    path = f"/users/{shop.owner.id}"
    assert (await site.call("DELETE", path, key=moderator.key)).status_code == 200
    assert f"{picture}.webp" in files(site)  # it can still be undone
    long_ago = now() - timedelta(days=31)
    async with site.database.writing() as session:
        idle = update(UserRow).where(UserRow.id == shop.owner.id).values(last_active_at=long_ago)
        await session.execute(idle)
    assert (await site.call("DELETE", path, key=moderator.key)).status_code == 200
    assert f"{picture}.webp" not in files(site)
    assert (await site.get(f"/shared/pictures/{picture}")).status_code == 404


async def test_what_is_kept_about_a_user_includes_pictures_and_ratings(shop, site, rater):
    _, (picture,) = await made(shop)
    await v1(site, "POST", f"/rating/{picture}", {"rating": 7, "artifacts": 0}, key=rater.key)
    own = (await site.get(f"/users/{shop.owner.id}/export", key=shop.owner.key)).json()
    assert [UUID(each["id"]) for each in own["kept"]["shared_pictures"]] == [UUID(picture)]
    given = (await site.get(f"/users/{rater.id}/export", key=rater.key)).json()
    assert not given["kept"].get("shared_pictures")
    (rating,) = given["kept"]["ratings"]
    assert (UUID(rating["picture_id"]), rating["rating"]) == (UUID(picture), 7)


async def test_a_shared_picture_can_be_reported_when_its_request_is_gone(shop, site, rater):
    request_id, (picture,) = await made(shop)
    async with site.database.writing() as session:
        await session.execute(delete(RequestRow).where(RequestRow.id == UUID(request_id)))
    body = {"kind": "picture", "id": picture, "reason": "not a fox at all"}
    assert (await site.post("/reports", body, key=rater.key)).is_success
    await site.call("DELETE", f"/shared/pictures/{picture}", key=shop.owner.key)
    gone = await site.post("/reports", {**body, "reason": "again"}, key=shop.owner.key)
    assert gone.json()["rc"] == "NothingToReport"


# /api/v1/rating


async def test_anybody_rates_what_others_shared(shop, site, rater):
    picture = await a_picture_of_its_own(shop)
    path = f"/rating/new/{DATASET}/{shop.name}"
    new = (await v1(site, "GET", path, key=rater.key)).json()
    assert new.keys() == {"id", "url", "dataset_id"}
    assert (new["id"], new["dataset_id"]) == (picture, DATASET)
    assert (await site.http.get(new["url"])).content == pictures.WEBP
    before = await kudos(site, rater)
    rated = await v1(site, "POST", f"/rating/{picture}", {"rating": 7}, key=rater.key)
    assert rated.json() == {"reward": 5.0, "message": "Rating submitted"}
    assert await kudos(site, rater) == before + 5
    nothing = await v1(site, "GET", path, key=rater.key)
    assert (nothing.status_code, nothing.json()["rc"]) == (404, "NothingToRate")
    (row,) = ((await site.get(f"/shared/pictures/{picture}")).json()["rating_count"],)
    assert row == 1


@pytest.mark.parametrize("flaws", [3, "OBVIOUS_FLAWS"])
async def test_flaws_have_names(shop, site, rater, flaws):
    picture = await a_picture_of_its_own(shop)
    body = {"rating": 10, "artifacts": flaws}
    rated = await v1(site, "POST", f"/rating/{picture}", body, key=rater.key)
    assert rated.json()["reward"] == 10.0
    async with site.database.reading() as session:
        assert (await session.scalars(select(Rating.artifacts))).all()[-1] == 3


async def test_each_refusal_of_a_pictures_rating(shop, site, rater):
    picture = await a_picture_of_its_own(shop)
    assert (
        await v1(site, "POST", f"/rating/{picture}", {"rating": 7}, key=rater.key)
    ).status_code == 200
    for key, which, status, rc in (
        (rater.key, picture, 400, "AestheticsAlreadyExist"),
        (shop.owner.key, picture, 400, "InvalidAestheticAttempt"),
        (rater.key, NOBODY, 404, "SharedPictureNotFound"),
        (rater.key, "x", 404, "SharedPictureNotFound"),
        (serving.ANONYMOUS, picture, 403, "AnonForbidden"),
        ("unknown", picture, 401, "InvalidAPIKey"),
    ):
        answer = await v1(site, "POST", f"/rating/{which}", {"rating": 7}, key=key)
        assert (answer.status_code, answer.json()["rc"]) == (status, rc)
    bad = await v1(site, "POST", f"/rating/{picture}", {"rating": 0}, key=rater.key)
    assert "rating" in bad.json()["errors"]


async def test_nobody_gets_their_own_and_the_least_rated_go_first(shop, site, rater):
    picture = await a_picture_of_its_own(shop)
    path = f"/rating/new/{DATASET}/{shop.name}"
    own = await v1(site, "GET", path, key=shop.owner.key)
    assert own.json()["rc"] == "NothingToRate"
    assert (await v1(site, "GET", path)).json()["id"] == picture
    assert (await v1(site, "GET", "/rating/new", key=rater.key)).status_code == 200
    for path, status, rc in (
        (f"/rating/new/{NOBODY}", 404, "DatasetNotFound"),
        (f"/rating/new/{DATASET}/nobody's", 404, "NothingToRate"),
    ):
        answer = await v1(site, "GET", path)
        assert (answer.status_code, answer.json()["rc"]) == (status, rc)
    unknown = await v1(site, "GET", "/rating/new", key="unknown")
    assert (unknown.status_code, unknown.json()["rc"]) == (401, "InvalidAPIKey")


async def test_the_data_set_and_the_teams_are_listed(shop, site):
    await made(shop)
    (dataset,) = (await v1(site, "GET", "/datasets")).json()
    assert dataset.keys() == {"id", "name", "description", "image_count"}
    assert dataset["id"] == DATASET
    assert dataset["image_count"] >= 1
    assert (await v1(site, "GET", "/teams")).json() == []


async def test_after_all_of_it_no_kudos_came_from_nowhere(site):
    assert (await site.get("/kudos/audit")).json()["balanced"]
