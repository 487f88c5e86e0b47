"""Filters: listing, adding, testing, changing and deleting them; and what they do to requests."""

import pytest
from sqlalchemy import delete

import serving
from core.catalog import models
from core.db import now, table
from core.moderation.prompts import FORCED_NEGATIVE
from core.moderation.tables import AddressTimeoutRow
from core.users import suspicion
from core.users.tables import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAD = "naked child"
NOBODY = 2**31


async def moderator(site):
    name = f"mod{next(serving.NUMBERS)}"
    return await site.user(name, roles=int(Role.MODERATOR))


async def added(site, key, **body):
    wanted = {"regex": f"fox{next(serving.NUMBERS)}", "filter_type": 29, **body}
    answer = await site.call("PUT", "/filters", wanted, key=key)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def errors(answer, status):
    assert answer.status_code == status, answer.text
    return answer.json()


# --- changing filters ---


async def test_a_filter_is_added_once_and_found(site):
    mod, other = await moderator(site), await moderator(site)
    made = await added(site, mod.key, description="foxes", replacement="wolf")
    assert made == {
        "id": made["id"],
        "regex": made["regex"],
        "filter_type": 29,
        "description": "foxes",
        "replacement": "wolf",
        "user": mod.alias,
    }
    again = {"regex": made["regex"], "filter_type": 29, "replacement": "cub"}
    assert (await site.call("PUT", "/filters", again, key=other.key)).json() == made
    assert (await site.get(f"/filters/{made['id']}", key=other.key)).json() == made
    listed = (await site.get("/filters?filter_type=29", key=mod.key)).json()
    assert made in listed
    assert {one["filter_type"] for one in listed} == {29}
    part = made["regex"][1:].upper()
    assert (await site.get(f"/filters?contains={part}", key=mod.key)).json() == [made]
    assert (await site.get("/filters?contains=%25", key=mod.key)).json() == []


async def test_what_ships_is_listed_as_such(site):
    mod = await moderator(site)
    listed = (await site.get("/filters?filter_type=11", key=mod.key)).json()
    assert {one["user"] for one in listed} == {"shipped"}
    joined = (await site.get("/filters/regex", key=mod.key)).json()
    assert [one["filter_type"] for one in joined] == [10, 11, 20]
    (one,) = (await site.get("/filters/regex?filter_type=11", key=mod.key)).json()
    assert one["regex"] == "|".join(f"(?:{each['regex']})" for each in listed)
    assert (await site.get("/filters/regex?filter_type=12", key=mod.key)).json() == []


async def test_a_filter_is_changed_and_deleted(site):
    mod = await moderator(site)
    made = await added(site, mod.key, description="foxes")
    path = f"/filters/{made['id']}"
    changed = await site.call("PATCH", path, {"regex": "wolf", "filter_type": 28}, key=mod.key)
    assert changed.json() == made | {"regex": "wolf", "filter_type": 28}
    deleted = await site.call("DELETE", path, key=mod.key)
    assert deleted.json() == {"message": "OK"}
    assert (await site.get(path, key=mod.key)).json()["rc"] == "FilterNotFound"


async def test_a_prompt_is_tried_out(site):
    mod = await moderator(site)

    async def tried(prompt, **body):
        return (await site.post("/filters", {"prompt": prompt, **body}, key=mod.key)).json()

    assert await tried("a red fox") == {"suspicion": "0", "matches": []}
    assert await tried(BAD) == {"suspicion": "2", "matches": ["child", "naked"]}
    assert await tried(BAD, filter_type=20) == {"suspicion": "1", "matches": ["naked"]}
    assert await tried(BAD, filter_type=11) == {"suspicion": "0", "matches": []}


CALLS = [
    ("GET", "/filters", None),
    ("PUT", "/filters", {"regex": "fox", "filter_type": 20}),
    ("POST", "/filters", {"prompt": "a red fox"}),
    ("GET", "/filters/regex", None),
    ("GET", "/filters/1", None),
    ("PATCH", "/filters/1", {"regex": "fox"}),
    ("DELETE", "/filters/1", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_filters_are_for_moderators(site, method, path, body):
    trusted = await site.user(f"t{next(serving.NUMBERS)}", roles=int(Role.TRUSTED))
    for key, status, rc in (
        ("wrong", 401, "InvalidAPIKey"),
        (serving.ANONYMOUS, 403, "NotModerator"),
        (trusted.key, 403, "NotModerator"),
    ):
        told = await errors(await site.call(method, path, body, key=key), status)
        assert told["rc"] == rc
    assert "apikey" in (await errors(await site.call(method, path, body), 400))["errors"]


@pytest.mark.parametrize("filter_id", ["fox", "-1", "99999999", str(NOBODY), "1" * 30, "٣"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_there_is_no_such_filter(site, method, filter_id):
    mod = await moderator(site)
    body = {"regex": "fox"} if method == "PATCH" else None
    answer = await site.call(method, f"/filters/{filter_id}", body, key=mod.key)
    assert (await errors(answer, 404))["rc"] == "FilterNotFound"


@pytest.mark.parametrize("regex", ["(fox", "fox(?=es)", "", "fox*|", "x" * 10_001])
async def test_an_expression_that_is_none_is_refused_and_nothing_changes(site, regex):
    mod = await moderator(site)
    made = await added(site, mod.key)
    wanted = {"regex": regex, "filter_type": 20}
    for method, path in (("PUT", "/filters"), ("PATCH", f"/filters/{made['id']}")):
        answer = await site.call(method, path, wanted, key=mod.key)
        assert (await errors(answer, 400))["rc"] == "BadRequest"
    assert (await site.get(f"/filters/{made['id']}", key=mod.key)).json() == made


async def test_texts_and_types_have_bounds(site):
    mod = await moderator(site)
    made = await added(site, mod.key)
    path = f"/filters/{made['id']}"
    for body in ({"description": "x" * 1001}, {"replacement": "x" * 1001}):
        answer = await site.call("PATCH", path, body, key=mod.key)
        assert (await errors(answer, 400))["rc"] == "BadRequest"
    for filter_type in (9, 30):
        answer = await site.call("PATCH", path, {"filter_type": filter_type}, key=mod.key)
        assert "filter_type" in (await errors(answer, 400))["errors"]
    answer = await site.get("/filters?filter_type=fox", key=mod.key)
    assert "filter_type" in (await errors(answer, 400))["errors"]


async def test_a_change_of_nothing_is_refused(site):
    mod = await moderator(site)
    made = await added(site, mod.key)
    answer = await site.call("PATCH", f"/filters/{made['id']}", {}, key=mod.key)
    assert (await errors(answer, 400))["rc"] == "NoFilterModSelected"


# --- what they do to requests ---


async def asked(site, prompt, key=serving.ANONYMOUS, **body):
    wanted = {"prompt": prompt, "models": ["stable_diffusion"], "params": serving.SMALL, **body}
    return await site.post("/generate/async", wanted, key=key)


async def forgiven(site):
    async with site.database.writing() as session:
        await session.execute(delete(table(AddressTimeoutRow)))


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_corrupt_prompt_is_refused_and_the_address_is_kept_out(site, dry_run):
    person = await site.user(f"p{next(serving.NUMBERS)}")
    wanted = {"replacement_filter": False, "dry_run": dry_run}
    refused = await asked(site, BAD, person.key, **wanted)
    assert (await errors(refused, 400))["rc"] == "CorruptPrompt"
    assert "unethical images" in refused.json()["message"]
    async with site.database.reading() as session:
        assert await suspicion.count(session, person.id, at=now()) == 1
    for body in ("a red fox", BAD):
        assert (await errors(await asked(site, body, person.key, **wanted), 403))[
            "rc"
        ] == "TimeoutIP"
    await forgiven(site)
    assert (await asked(site, "a red fox", person.key)).status_code == 202


async def test_a_moderator_may_try_filters_out_on_requests(site):
    mod = await moderator(site)
    refused = await asked(site, BAD, mod.key, replacement_filter=False)
    assert (await errors(refused, 400))["rc"] == "CorruptPrompt"
    assert (await asked(site, "a red fox", mod.key)).status_code == 202


@pytest.mark.parametrize(("roles", "replacement_filter"), [(0, True), (int(Role.EDUCATION), False)])
async def test_it_is_rewritten_where_the_requester_lets_it(site, roles, replacement_filter):
    shop = await serving.open_shop(site, roles=int(Role.CUSTOMIZER | Role.TRUSTED) | roles)
    request = {"models": [shop.name], "replacement_filter": replacement_filter}
    assert (await asked(site, BAD, shop.owner.key, **request)).status_code == 202
    popped = await shop.pop()
    assert popped["payload"]["prompt"] == f"naked adult ### {FORCED_NEGATIVE}"


async def test_flagged_users_get_stricter_words_replaced(site):
    flagged = await site.user(f"f{next(serving.NUMBERS)}", roles=int(Role.FLAGGED))
    shop = await serving.open_shop(site)
    request = {"models": [shop.name], "replacement_filter": False}
    assert (await asked(site, "a student", flagged.key, **request)).status_code == 202
    assert (await shop.pop())["payload"]["prompt"] == f"a adult ### {FORCED_NEGATIVE}"
    nothing = await asked(site, "tiny", flagged.key, **request)
    assert (await errors(nothing, 400))["rc"] == "CorruptPrompt"
    await forgiven(site)


async def test_a_model_that_is_made_for_nudity_gets_stricter_words_replaced(site):
    model = next(name for name, model in models.known().items() if model.nsfw)
    worker = await serving.open_shop(site)
    for prompt in ("a student", "a red fox"):
        request = {"models": [model], "replacement_filter": False}
        assert (await asked(site, prompt, worker.owner.key, **request)).status_code == 202
    prompts = {(await worker.pop(models=[model]))["payload"]["prompt"] for _ in range(2)}
    assert prompts == {f"a adult ### {FORCED_NEGATIVE}", "a red fox"}


async def test_a_new_filter_holds_at_once(site):
    mod = await moderator(site)
    a, b = (f"word{next(serving.NUMBERS)}" for _ in range(2))
    group_a = await added(site, mod.key, regex=a, filter_type=11)
    group_b = await added(site, mod.key, regex=b, filter_type=20)
    refused = await asked(site, f"{a} {b}", mod.key)
    assert (await errors(refused, 400))["rc"] == "CorruptPrompt"
    for one in (group_a, group_b):
        await site.call("DELETE", f"/filters/{one['id']}", key=mod.key)
    assert (await asked(site, f"{a} {b}", mod.key)).status_code == 202


async def test_without_filters_nothing_is_accepted(site):
    filters = site.horde.filters
    loaded, filters._set = filters._set, None
    try:
        refused = await asked(site, "a red fox")
        assert (await errors(refused, 503))["rc"] == "FiltersUnavailable"
        text = {"prompt": "a red fox"}
        assert (await site.post("/generate/text/async", text, key=serving.ANONYMOUS)).is_success
    finally:
        filters._set = loaded


async def test_a_text_is_looked_through_for_flagged_users_only(site):
    flagged = await site.user(f"f{next(serving.NUMBERS)}", roles=int(Role.FLAGGED))
    for key, status in ((serving.ANONYMOUS, 202), (flagged.key, 400)):
        answer = await site.post("/generate/text/async", {"prompt": "tiny"}, key=key)
        assert answer.status_code == status, answer.text
    await forgiven(site)
