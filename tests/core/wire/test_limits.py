"""Every field of every request has a limit, and what is stored fits its column.

Both are derived from the models and the tables: a new field without a limit fails, and so does a
new column that nobody says anything about.
"""

import types
import typing

import annotated_types
from pydantic import AfterValidator, Field, JsonValue
from pydantic.fields import FieldInfo
from sqlalchemy import BigInteger, Integer, SmallInteger, String, Text

from core.tables import metadata
from core.wire.generate import GenerationInputStable
from core.wire.limits import Bounded
from core.wire.model import Request
from core.wire.scalars import LARGEST, WHOLE, Maybe

# Where a field goes that is stored as it was sent, by table and column.
STORED = {
    "ModelStyleInputStable.name": "styles.name",
    "ModelStylePatchStable.name": "styles.name",
    "ModelStyleInputKobold.name": "styles.name",
    "ModelStylePatchKobold.name": "styles.name",
    "ModelStyleInputStable.tags[]": "style_labels.label",
    "ModelStyleInputStable.models[]": "style_labels.label",
    "ModelStylePatchStable.models[]": "style_labels.label",
    "ModelStyleInputKobold.models[]": "style_labels.label",
    "InputStyleExamplePost.url": "style_examples.url",
    "InputStyleExamplePatch.url": "style_examples.url",
    "InputModelCollection.name": "collections.name",
    "ReportInput.id": "reports.subject",
    "KudosTransferInput.username": "transfers.target",
    "PutNewFilter.filter_type": "filters.filter_type",
    "PatchExistingFilter.filter_type": "filters.filter_type",
    "GenerationInputStable.webhook": "requests.webhook",
    "GenerationInputKobold.webhook": "requests.webhook",
    "ModelInterrogationInputStable.webhook": "requests.webhook",
    "GenerationInputStable.proxied_account": "requests.proxied_account",
    "GenerationInputKobold.proxied_account": "requests.proxied_account",
    "GenerationInputStable.models[]": "attempts.model",
    "GenerationInputKobold.models[]": "attempts.model",
    "PopInput.models[]": "attempts.model",
    "SubmitInputStable.seed": "generations.seed",
    "SubmitInputKobold.seed": "generations.seed",
    "SharedKeyInput.name": "shared_keys.name",
    "SharedKeyInput.max_image_pixels": "shared_keys.max_image_pixels",
    "SharedKeyInput.max_image_steps": "shared_keys.max_image_steps",
    "SharedKeyInput.max_text_tokens": "shared_keys.max_text_tokens",
    "ModifyUserInput.concurrency": "users.concurrency",
    "ModifyUserInput.contact": "users.contact",
    "PopInput.threads": "workers.threads",
    "InterrogationPopInput.threads": "workers.threads",
    "ModifyWorkerInput.name": "workers.name",
    "CreateTeamInput.name": "teams.name",
    "ModifyTeamInput.name": "teams.name",
    "ResponseModelMessage__Input.origin": "worker_messages.origin",
}


# Columns whose values are the server's own, or cut to size before they are stored.
OWN_TABLES = {
    "accounts", "address_timeouts", "filter_version", "kudos_counted", "kudos_totals",
    "lane_version", "lanes", "leases", "ledger_checkpoints", "ledger_entries", "ledger_events",
    "ledger_holds", "login_attempts", "login_codes", "model_reference", "model_totals", "modes",
    "outbox", "problem_jobs", "sessions", "shared_key_holds", "shared_pictures", "style_uses",
    "suspicions", "user_totals",
}  # fmt: skip
OWN_COLUMNS = {
    "address", "charge", "client_agent", "client_key", "closed_by", "creator", "faults", "feature",
    "fulfilled", "id", "key_hash", "kind", "kudos", "kudos_generated", "kudos_uptime", "lane_id",
    "body_digest", "name_key", "owner_id",
    "number", "oauth_id", "outcome", "passkey_hash", "position", "rank", "rating_count", "reward",
    "roles", "state", "things", "tries", "uncompleted", "uptime_rewarded_seconds",
    "uptime_seconds", "use_count", "user_id", "what", "worker_name",
}  # fmt: skip
OWN = {
    "generations.model", "jobs.seed", "requests.n", "shared_keys.budget", "shared_keys.held",
    "shared_keys.utilized", "transfers.amount", "users.monthly_kudos", "users.username",
    "users.worker_invited", "attempts.reason", "ratings.rating", "ratings.artifacts",
}  # fmt: skip
SIZES = {SmallInteger: 2**15 - 1, BigInteger: 2**63 - 1, Integer: 2**31 - 1}


def requests(known=Request):
    """All classes of requests."""
    for each in known.__subclasses__():
        yield each
        yield from requests(each)


def taken_apart(annotation, rules=()):
    """A type without its rules, and the rules: those that stand beside it, too."""
    while typing.get_origin(annotation) is typing.Annotated:
        rules = (*rules, *annotation.__metadata__)
        annotation = annotation.__origin__
    flat = []
    for rule in rules:
        flat.extend(rule.metadata if isinstance(rule, FieldInfo) else [rule])
    return annotation, flat


def fields(model):
    """Each value that a request of this class has, with its rules: `name`, `tags[]`."""
    for name, field in model.model_fields.items():
        yield from values(f"{model.__name__}.{name}", field.annotation, field.metadata)


def values(path, annotation, rules=()):
    annotation, rules = taken_apart(annotation, rules)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        for inner in typing.get_args(annotation):
            if inner is not types.NoneType:
                yield from values(path, inner, rules)
        return
    yield path, annotation, rules
    if origin is list:
        yield from values(f"{path}[]", typing.get_args(annotation)[0])


def is_limited(annotation, rules):
    """Whether a value cannot be of any size."""
    found = {type(rule): rule for rule in rules}
    origin = typing.get_origin(annotation)
    if annotation is str or origin is list:
        return annotated_types.MaxLen in found
    if annotation is int:
        return WHOLE in rules or {annotated_types.Ge, annotated_types.Le} <= found.keys()
    if origin is dict:
        return isinstance(getattr(found.get(AfterValidator), "func", None), Bounded)
    is_request = isinstance(annotation, type) and issubclass(annotation, Request)
    return annotation in (bool, float) or origin is typing.Literal or is_request


def unlimited(models):
    return [
        path
        for model in models
        for path, annotation, rules in fields(model)
        if not is_limited(annotation, rules)
    ]


def test_every_field_of_every_request_has_a_limit(wire_classes):
    models = [one for one in wire_classes.values() if issubclass(one, Request)]
    assert len(models) > 50
    assert set(models) >= {one for one in requests() if one.__module__.startswith("core.wire")}
    assert sum(1 for model in models for _ in fields(model)) > 300
    assert unlimited(models) == []


class Unlimited(Request):
    text: str
    names: list[typing.Annotated[str, Field(max_length=3)]]
    inner: typing.Annotated[list[str], Field(max_length=3)]
    number: Maybe[typing.Annotated[int, Field(ge=1)]] = None
    free: dict[str, JsonValue]


def test_a_field_without_a_limit_is_found():
    assert unlimited([Unlimited]) == [
        f"Unlimited.{name}" for name in ("text", "names", "inner[]", "number", "free")
    ]


def limit_of(rules):
    """The longest text or the largest number that the rules let through."""
    tops = [rule.max_length for rule in rules if isinstance(rule, annotated_types.MaxLen)]
    tops += [rule.le for rule in rules if isinstance(rule, annotated_types.Le)]
    return min(tops, default=LARGEST)


def size_of(column):
    if isinstance(column.type, String):
        return column.type.length
    return next(size for kind, size in SIZES.items() if isinstance(column.type, kind))


def columns():
    """Columns that not everything fits into."""
    for table in metadata.sorted_tables:
        for column in table.c:
            is_text = isinstance(column.type, String) and not isinstance(column.type, Text)
            if (is_text or isinstance(column.type, Integer)) and not column.foreign_keys:
                yield f"{table.name}.{column.name}", column


def too_wide(models, stored):
    sizes = {name: size_of(column) for name, column in columns()}
    for model in models:
        for path, _, rules in fields(model):
            if path in stored and limit_of(rules) > sizes[stored[path]]:
                yield path


def test_what_is_stored_fits_its_column(wire_classes):
    models = [one for one in wire_classes.values() if issubclass(one, Request)]
    assert list(too_wide(models, STORED)) == []
    known = {path for model in models for path, _, _ in fields(model)}
    assert STORED.keys() - known == set()


def test_what_is_wider_than_its_column_is_found():
    narrow = {"GenerationInputStable.models[]": "users.username"}
    assert list(too_wide([GenerationInputStable], narrow)) == list(narrow)


def test_of_every_column_it_is_known_where_its_values_come_from():
    names = {name for name, _ in columns()}
    own = {
        name
        for name in names
        if name.split(".")[0] in OWN_TABLES or name.split(".")[1] in OWN_COLUMNS or name in OWN
    }
    assert names - own - set(STORED.values()) == set()
    assert own & set(STORED.values()) == set()
