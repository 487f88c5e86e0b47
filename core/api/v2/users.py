"""`find_user`, `users` and `users/{id}`. No answer that depends on a key is kept for another."""

from uuid import uuid4

from quart import Blueprint, current_app, request

from core.accounts import changes, deletion
from core.accounts.changes import UserChange
from core.api import callers, context, user_views
from core.api.caches import TtlCache
from core.api.limits import Limit
from core.api.operation import by_address, by_path, operation
from core.api.user_views import View
from core.community.ratings import pictures
from core.db import Reading, now
from core.users import directory, listing, shared_keys
from core.wire.kudos import from_wire, to_wire
from core.wire.simple import SimpleResponse
from core.wire.users import ModifyUser, ModifyUserInput, UserDetails
from core.wire.validation import InvalidBody

blueprint = Blueprint("users", __name__)

MAX_ID_CHARS = 20
"""The most digits of an id."""
PAGES = "user_pages"
PAGES_SECONDS = 10.0


@blueprint.get("/find_user")
@operation(answers={200: UserDetails}, limit=by_address(), omit_nulls=True, errors=(401, 404))
async def find_user() -> UserDetails:
    """See the user of an API key; of a shared key its owner, with the kudos it can spend."""
    async with context.server().database.reading() as session:
        try:
            found = await context.user(session)
        except directory.UnknownKey:
            return await _owner_of_shared(session)
        return await user_views.details(session, found, View.OWNER)


async def _owner_of_shared(session: Reading) -> UserDetails:
    key = await shared_keys.by_key(session, context.api_key())
    if key is None:
        raise directory.UnknownUser("No user matching sent API Key.")
    owner = await directory.by_id(session, key.user_id)
    seen = await user_views.details(session, owner, View.PUBLIC)
    called = f": {key.name}" if key.name else ""
    kudos = seen.kudos
    if key.budget is not None:
        kudos = min(kudos, to_wire(max(0, key.budget - key.held)))
    changed = {"username": f"{owner.alias} (Shared Key{called})", "kudos": kudos}
    return seen.model_copy(update=changed)


@blueprint.get("/users")
@operation(
    answers={200: list[UserDetails]},
    limit=by_address(Limit(90, 60)),
    query={"page": "from 1 on, 25 users each", "sort": "kudos or age"},
    errors=(400,),
)
async def get_users() -> list[UserDetails]:
    """List users, those with most kudos or the oldest first."""
    number = _page()
    by_age = request.args.get("sort") == "age"
    kept: TtlCache[list[UserDetails]] = current_app.extensions[PAGES]
    key = f"{number} {by_age}"
    if (page := kept.get(key)) is not None:
        return page
    async with context.server().database.reading() as session:
        users = await listing.page(session, number, by_age=by_age)
        return kept.put(key, await user_views.public(session, users))


def _page() -> int:
    """The number of the wanted page, from 1; some clients count from 0. Raises InvalidBody."""
    text = request.args.get("page") or "1"
    if not (text.isascii() and text.isdecimal()):
        raise InvalidBody({"page": f"'{text[:MAX_ID_CHARS]}' is not of type 'integer'"})
    return max(1, int(text[:MAX_ID_CHARS]))  # any longer number is just as far beyond


@blueprint.get("/users/<user_id>")
@operation(
    answers={200: UserDetails}, limit=by_path(Limit(60, 60)), omit_nulls=True, errors=(401, 404)
)
async def get_user(user_id: str) -> UserDetails:
    """See a user; the owner and moderators see more."""
    async with context.server().database.reading() as session:
        asking = await context.user(session) if context.api_key() else None
        found = await directory.by_id(session, parsed(user_id))
        return await user_views.details(session, found, user_views.view_of(asking, found))


@blueprint.put("/users/<user_id>")
@operation(
    body=ModifyUserInput,
    answers={200: ModifyUser},
    limit=by_path(Limit(60, 60)),
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def change_user(body: ModifyUserInput, user_id: str) -> ModifyUser:
    """Change a user: some of it by the user, more by moderators, the rest by administrators."""
    server = context.server()
    wanted = body.model_dump(exclude_none=True)
    for name in wanted.keys() & {"kudos", "monthly_kudos"}:
        wanted[name] = from_wire(wanted[name])
    async with callers.writing() as session:
        by = await context.user(session)
        user = await directory.locked(session, parsed(user_id))
        change = UserChange(session, server.keyring, by, user, at=now(), key=uuid4().hex)
        done = await changes.apply(change, wanted)
    if "new_kudos" in done:
        done["new_kudos"] = to_wire(done["new_kudos"])
    if "monthly_kudos" in done:
        done["monthly_kudos"] //= 100
    return ModifyUser(**done)


@blueprint.delete("/users/<user_id>")
@operation(
    answers={200: SimpleResponse},
    limit=by_path(Limit(60, 60)),
    key_required=True,
    errors=(401, 403, 404),
)
async def delete_user(user_id: str) -> SimpleResponse:
    """Disable an account; once it has not been used for 30 days, a second call wipes it."""
    server = context.server()
    async with callers.writing() as session:
        by = await context.user(session)
        user = await directory.locked(session, parsed(user_id))
        is_wiped = await deletion.end(session, by, user, at=now())
        removed = await pictures.remove_all_of(session, user.id) if is_wiped else []
    for picture_id in removed:
        await server.shared.delete(pictures.name_of(picture_id))
    return SimpleResponse()


def parsed(user_id: str) -> int:
    """The number in a path. Raises UnknownUser for other text."""
    is_id = user_id.isascii() and user_id.isdecimal() and len(user_id) <= MAX_ID_CHARS
    if not is_id:
        raise directory.UnknownUser(f"User with id '{user_id[:MAX_ID_CHARS]}' not found.")
    return int(user_id)
