"""Each `rc` that the API answers, with a way to provoke it; a refusal leaves nothing behind."""

import pytest
from sqlalchemy import func, select

import refusals
import refused_accounts  # noqa: F401 - adds its cases
import refused_community  # noqa: F401 - adds its cases
import refused_moderation  # noqa: F401 - adds its cases
import refused_ratings  # noqa: F401 - adds its cases
from core.columns import Base
from core.db import table
from core.ledger.tables import Account
from refused import cases

accounts = table(Account)

ELSEWHERE = {
    "AlreadyRegistered": "two who register the same login at once; test_registering",
    "BadForm": "test_login_register, a page of the core's own",
    "BannedClientAgent": "test_generate, which sends that header",
    "BadReference": "a file's defect, not an answer; test_reference",
    "BadOauthId": "test_dev, whose endpoint is off by default",
    "BadSignature": "test_pictures, outside of version 2",
    "DatasetNotFound": "test_ratings, outside of version 2",
    "DecoderBusy": "images/test_decoders",
    "FiltersUnavailable": "test_filters, which unloads them",
    "ForeignHost": "test_perimeter, with a private horde",
    "ForeignOrigin": "test_perimeter, with a private horde",
    "IdempotencyKeyConflict": "test_kudos and test_repeated, which send that header",
    "InsufficientKudos": "kept from clients: what a payer lacks is forgiven; test_events",
    "InvalidLoginCode": "test_login_sessions; a wrong guess is counted",
    "LoginRefused": "test_login, a page of the core's own",
    "LoginStale": "test_login, a page of the core's own",
    "LoginUnavailable": "test_login, a page of the core's own",
    "MaintenanceMode": "test_modes, which switches the horde's state",
    "NotLoggedIn": "test_login_sessions, a page of the core's own",
    "NotSameOrigin": "test_login_sessions and test_perimeter, with a browser's headers",
    "NobodyServes": "v1/test_generate, outside of version 2",
    "NothingToRate": "test_ratings, outside of version 2",
    "PictureNotFound": "test_pictures",
    "RegistrationClosed": "test_register, with another setting",
    "RequestExpired": "v1/test_generate, outside of version 2",
    "SourceImageSizeExceeded": "test_source_urls, where loopback may be called",
    "SourceImageUnreadable": "test_source_urls, where loopback may be called",
    "StorageFailed": "test_pictures_kept, with a full disk",
    "StaleForm": "test_login_sessions, a page of the core's own",
    "StorageUnavailable": "test_storage, which fills the disk",
    "TimeoutIP": "test_operations, which calls from other addresses",
    "TooManyNewIPs": "test_admission, which judges addresses",
    "TooManyStreams": "test_watch, which keeps streams open",
    "TooManyPictures": "images/test_decoders",
    "TooMuchAtOnce": "test_bodies, which sends much at once",
    "TooMuchInAll": "test_bodies, which sends much at once",
    "TooMuchProgress": "test_progress, with limits",
    "TooManyVisits": "test_login, a page of the core's own",
    "UnbalancedEvent": "a defect, not an answer; test_events",
    "UnsafeIP": "test_admission, which judges addresses",
    "UntrustedUnsafeIP": "test_admission, which judges addresses",
    "UploadClosed": "test_pictures",
    "WorkerInviteOnly": "test_admission, which switches the horde's state",
    # The kinds themselves: each code of theirs that is answered is a subclass's.
    "Conflict": "only its subclasses are raised",
    "NotFound": "only its subclasses are raised",
    "TooMany": "only its subclasses are raised",
    "Unavailable": "test_watch, where the server stops",
}


async def left_behind(server):
    """Everything that is stored: how many rows each table has, kudos, pictures."""
    columns = [
        select(func.count()).select_from(each).scalar_subquery().label(each.name)
        for each in Base.metadata.sorted_tables
    ]
    columns += [
        select(func.sum(column)).scalar_subquery().label(f"all {column.name}")
        for column in (accounts.c.balance, accounts.c.held)
    ]
    async with server.database.reading() as session:
        rows = (await session.execute(select(*columns))).one()._asdict()
    files = {file.name for file in server.settings.pictures.rglob("*") if file.is_file()}
    return rows, files


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("rc", "arrange"), cases)
async def test_a_refusal_says_why_and_leaves_nothing(shared, rc, arrange):
    method, path, body, key = await arrange(shared)
    if rc == "TooManyPrompts":
        await shared.ask(key=key, params={"n": 11})
    before = await left_behind(shared)
    answer = await shared.call(method, path, body, key=key)
    assert answer.json().keys() == {"message", "rc"}, answer.text
    assert answer.json()["rc"] == rc
    assert answer.status_code in refusals.statuses()[rc]
    assert answer.json()["message"]
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert await left_behind(shared) == before


@pytest.mark.asyncio(loop_scope="module")
async def test_after_all_of_them_no_kudos_are_missing(shared):
    audit = (await shared.get("/kudos/audit")).json()
    assert audit["balanced"]
    assert audit["events"] > 20


def test_each_refusal_is_provoked_or_has_a_reason_why_not():
    provoked = {case.values[0] for case in cases}
    assert {refusal.code for refusal in refusals.found()} == provoked | ELSEWHERE.keys()
    assert not provoked & ELSEWHERE.keys()


def test_a_code_belongs_to_one_refusal():
    named = {}
    for refusal in refusals.found():
        named.setdefault(refusal.code, set()).add(refusal.__name__)
    shared = {code: names for code, names in named.items() if len(names) > 1}
    assert shared == {
        "BadRequest": {
            "BadAddress",
            "BadExpression",
            "BeyondSharedKey",
            "Invalid",
            "MissingPicture",
            "NoSuchUser",
            "NotWanted",
            "SpecialFieldNeedsSpecialUser",
            "TooLarge",
            "TooLongResult",
            "Unstorable",
        },
        "DeletedUser": {"DeletedParty", "DeletedUser"},
        "Forbidden": {
            "Forbidden",
            "NotYourSharedKey",
            "SpecialForbidden",
            "SpecialModelNeedsSpecialUser",
            "TooManySharedKeys",
        },
        "InvalidAPIKey": {"Unauthenticated", "UnknownKey", "UnknownSharedKey"},
        "InvalidExtraSourceImages.": {"ExtraImagesWithText", "InvalidExtraSourceImages"},
        "InvalidPromptSize": {"InvalidPromptSize", "PromptTooLong"},
        "SharedKeyExpired": {"ExpiredSharedKey", "SharedKeyExpired"},
        "SourceImageResolutionExceeded": {"SourceTooLarge", "TooManyPixels"},
    }
