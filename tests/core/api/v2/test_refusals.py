"""Each `rc` that the API answers, with a way to provoke it; a refusal leaves nothing behind."""

import importlib
import itertools
import json
import pkgutil
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

import core
import pictures
from core.api.errors import status_of
from core.db import Base, table
from core.errors import Refusal
from core.ledger.tables import Account
from core.users.tables import Role
from core.workers.tables import Worker
from serving import ANONYMOUS, offer

CONTRACT = Path(__file__).parents[3] / "contract" / "returncodes.json"
NOBODY = "00000000-0000-0000-0000-000000000000"
BIG_WEBP = 20 * 1024 * 1024 + 2

numbers = itertools.count(1)
cases = []
accounts, workers = table(Account), table(Worker)


def provokes(rc, what):
    """Mark a function that arranges things and gives the call (arguments of `InProcess.call`)."""

    def add(arrange):
        cases.append(pytest.param(rc, arrange, id=f"{rc} {what}"))
        return arrange

    return add


def asking(rc, what, **body):
    """A request for pictures that is refused by what it says."""

    @provokes(rc, what)
    async def ask(server):
        person = await somebody(server)
        wanted = {"prompt": "a red fox", "models": [], **body}
        return "POST", "/generate/async", wanted, person.key


async def somebody(server, **properties):
    return await server.user(
        f"Somebody {next(numbers)}", oauth_id=f"g_{next(numbers)}", **properties
    )


async def owner_of(server, name, **properties):
    """The owner of a worker, and the worker's id."""
    person = await somebody(server, **properties)
    await server.pop(person.key, name=name, models=["Deliberate"])
    found = await server.get(f"/workers/name/{name}")
    return person, found.json()["id"]


async def change(server, name, **values):
    async with server.database.writing() as session:
        await session.execute(update(workers).where(workers.c.name == name).values(**values))


async def at_work(server, **properties):
    """Somebody whose worker has a job, and the pop's answer."""
    person = await somebody(server, **properties)
    await server.ask(key=person.key, models=["Deliberate"])
    return person, await server.pop(person.key, name=f"w{next(numbers)}", models=["Deliberate"])


def submitting(job_id, key, **body):
    result = {"id": job_id, "generation": "R2", "seed": 1, **body}
    return "POST", "/generate/submit", result, key


# generate/async

asking("MissingPrompt", "blanks only", prompt=" \n ")
asking("InvalidPromptSize", "7501 words", prompt="w " * 7501)
asking("UnexpectedModelName", "a post-processor", models=["GFPGAN"])
asking("TooManyUpscalers", "two", params={"post_processing": ["RealESRGAN_x4plus", "NMKD_Siax"]})
asking("BadCFGDecimals", "three decimals", params={"cfg_scale": 7.125})
asking("TooManyLoras", "six", params={"loras": [{"name": str(n)} for n in range(6)]})
asking("BadLoraVersion", "a name", params={"loras": [{"name": "x", "is_version": True}]})
asking("TooManyTIs", "21", params={"tis": [{"name": str(n)} for n in range(21)]})
asking("HiResMismatch", "Qwen", models=["Qwen-Image_fp8"], params={"hires_fix": True})
asking("InvalidTransparencyModel", "Qwen", models=["Qwen-Image_fp8"], params={"transparent": True})
asking(
    "InvalidTransparencyImg2Img",
    "with a source image",
    source_image=pictures.SOURCE,
    params={"transparent": True},
)
asking(
    "InvalidTransparencyCN",
    "with a control type",
    params={"transparent": True, "control_type": "canny"},
)
asking("SourceMaskUnnecessary", "without a source image", source_mask=pictures.MASK)
asking("ControlNetSourceMissing", "without a source image", params={"control_type": "canny"})
asking(
    "ControlNetInpaintingMismatch",
    "inpainting",
    source_image=pictures.TRANSPARENT,
    source_processing="inpainting",
    params={"control_type": "canny"},
)
asking(
    "ControlNetMismatch",
    "XL",
    source_image=pictures.SOURCE,
    models=["SDXL 1.0"],
    params={"control_type": "canny"},
)
asking("ControlNetInvalidPayload", "without a type", params={"image_is_control": True})
asking("InvalidRemix", "no Cascade", models=["Deliberate"], source_processing="remix")
asking(
    "InvalidExtraSourceImages.",
    "without remix",
    extra_source_images=[{"image": pictures.SOURCE}],
)
asking("InvalidExtraTexts.", "without a workflow", params={"extra_texts": [{"text": "x"}]})
asking("MissingExtraTexts.", "without a text", params={"workflow": "qr_code"})
asking("RequiresTrust", "each on its own", disable_batching=True, params={"n": 2})
asking(
    "MoreThanMinExtraSourceImage.",
    "two",
    models=["Stable Cascade 1.0"],
    source_processing="remix",
    extra_source_images=[{"image": pictures.SOURCE}] * 2,
)
asking("WorkerNotFound", "an unknown id", workers=[NOBODY])
asking("WorkerNotFound", "no id", workers=["x"])
asking("TooManyPrompts", "n twice", params={"n": 20}, workers=[])
asking("BadRequest", "a webhook without TLS", webhook="http://example.com")
asking("SourceImageUrlInvalid", "by URL", source_image="https://example.com/fox.png")
asking("ImageValidationFailed", "no base64", source_image="§")
asking("ImageValidationFailed", "no picture", source_image=pictures.NO_PICTURE)
asking("SourceImageResolutionExceeded", "a bomb", source_image=pictures.BOMB)
asking(
    "ImageValidationFailed",
    "a bad mask to a good image",
    source_image=pictures.SOURCE,
    source_mask=pictures.NO_PICTURE,
)
asking("SourceImageResolutionExceeded", "over 3072 x 3072", source_image=pictures.OVERSIZE)
asking(
    "InpaintingMissingMask",
    "nothing transparent",
    source_image=pictures.SOURCE,
    source_processing="inpainting",
)
asking("NulByteInPayload", "in the prompt", prompt="a\0b")
asking("NulByteInPayload", "in a key", params={"special": {"a\0": 1}})
asking("KudosUpfront", "fast workers only", slow_workers=False)
asking("KudosUpfront", "many steps", params={"steps": 500})
asking("KudosUpfront", "large", params={"width": 3072, "height": 3072})
asking(
    "KudosUpfront",
    "large, with a source image",
    source_image=pictures.SOURCE,
    params={"width": 3072, "height": 3072},
)


@provokes("TooManyExtraSourceImages.", "six, by a trusted user")
async def _(server):
    person = await somebody(server, roles=int(Role.TRUSTED))
    body = {
        "prompt": "x",
        "models": ["Stable Cascade 1.0"],
        "source_processing": "remix",
        "extra_source_images": [{"image": pictures.SOURCE}] * 6,
    }
    return "POST", "/generate/async", body, person.key


@provokes("DeletedUser", "asks")
async def _(server):
    person = await somebody(server, roles=int(Role.DELETED))
    return "POST", "/generate/async", {"prompt": "x"}, person.key


@provokes("InvalidAPIKey", "asks")
async def _(server):
    return "POST", "/generate/async", {"prompt": "x"}, "an unknown key"


@provokes("InvalidAPIKey", "asks, with a source image by URL")
async def _(server):
    body = {"prompt": "x", "source_image": "https://example.com/fox.png"}
    return "POST", "/generate/async", body, "an unknown key"


# generate/pop


@provokes("InvalidAPIKey", "pops")
async def _(server):
    return "POST", "/generate/pop", offer(), "an unknown key"


@provokes("AnonForbiddenWorker", "pops")
async def _(server):
    return "POST", "/generate/pop", offer(), ANONYMOUS


@provokes("DeletedUser", "pops")
async def _(server):
    person = await somebody(server, roles=int(Role.DELETED))
    return "POST", "/generate/pop", offer(), person.key


@provokes("WorkerFlaggedMaintenance", "pops")
async def _(server):
    person = await somebody(server, roles=int(Role.FLAGGED))
    return "POST", "/generate/pop", offer(), person.key


@provokes("WorkerMaintenance", "has no job of its owner's")
async def _(server):
    name = f"w{next(numbers)}"
    person, _ = await owner_of(server, name)
    await change(server, name, maintenance=True)
    return "POST", "/generate/pop", offer(name=name, models=["Deliberate"]), person.key


@provokes("WrongCredentials", "pops as another's worker")
async def _(server):
    name = f"w{next(numbers)}"
    await owner_of(server, name)
    return "POST", "/generate/pop", offer(name=name), (await somebody(server)).key


@provokes("PolymorphicNameConflict", "the name of a text worker")
async def _(server):
    name = f"w{next(numbers)}"
    person, _ = await owner_of(server, name)
    await change(server, name, kind="text")
    return "POST", "/generate/pop", offer(name=name), person.key


@provokes("TooManyWorkers", "untrusted")
async def _(server):
    person = await somebody(server)
    for _ in range(3):
        await server.pop(person.key, name=f"w{next(numbers)}", models=["Deliberate"])
    return "POST", "/generate/pop", offer(name=f"w{next(numbers)}"), person.key


@provokes("TooManyWorkersTrusted", "trusted")
async def _(server):
    person = await somebody(server, roles=int(Role.TRUSTED))
    for _ in range(20):
        await server.pop(person.key, name=f"w{next(numbers)}", models=["Deliberate"])
    return "POST", "/generate/pop", offer(name=f"w{next(numbers)}"), person.key


def popping(rc, what, **body):
    """A pop that is refused by what it says."""

    @provokes(rc, what)
    async def pop(server):
        person = await somebody(server)
        return "POST", "/generate/pop", offer(**body), person.key


popping("InvalidPriorityUsername", "no id", priority_usernames=["fox"])
popping(
    "InvalidPriorityUsername", "an id no database holds", priority_usernames=["fox#" + "9" * 5000]
)
popping("BadRequest", "unknown models", models=["nobody knows it"])
popping("BadRequest", "no models", models=[])
popping("BadRequest", "no name", name="  ")
popping("BadRequest", "a cloud service's name", name="my Colab")
popping("NulByteInPayload", "in the name", name="a\0b")


# generate/submit


@provokes("InvalidAPIKey", "submits")
async def _(server):
    return submitting(NOBODY, "an unknown key")


@provokes("InvalidJobID", "an unknown id")
async def _(server):
    return submitting(NOBODY, (await somebody(server)).key)


@provokes("InvalidJobID", "no id")
async def _(server):
    return submitting("x", (await somebody(server)).key, state="faulted")


@provokes("WrongCredentials", "submits another's job")
async def _(server):
    _, popped = await at_work(server)
    return submitting(popped["id"], (await somebody(server)).key)


@provokes("WrongCredentials", "gives back another's job")
async def _(server):
    _, popped = await at_work(server)
    return submitting(popped["id"], (await somebody(server)).key, state="faulted")


@provokes("DuplicateGen", "submits twice")
async def _(server):
    person, popped = await at_work(server)
    await server.deliver(person.key, popped)
    return submitting(popped["id"], person.key)


@provokes("DuplicateGen", "submits twice, as base64")
async def _(server):
    person, popped = await at_work(server)
    await server.deliver(person.key, popped)
    return submitting(popped["id"], person.key, generation=pictures.RESULT)


@provokes("AbortedGen", "submits what it gave back")
async def _(server):
    person, popped = await at_work(server)
    await server.submit(person.key, popped["id"], state="faulted")
    return submitting(popped["id"], person.key)


@provokes("AbortedGen", "gives back twice")
async def _(server):
    person, popped = await at_work(server)
    await server.submit(person.key, popped["id"], state="faulted")
    return submitting(popped["id"], person.key, state="faulted")


@provokes("BadRequest", "submits what it has not uploaded")
async def _(server):
    person, popped = await at_work(server)
    return submitting(popped["id"], person.key)


@provokes("BadRequest", "51 pieces of metadata")
async def _(server):
    person, popped = await at_work(server)
    said = [{"type": "lora", "value": "download_failed"}] * 51
    return submitting(popped["id"], person.key, generation=pictures.RESULT, gen_metadata=said)


@provokes("ImageValidationFailed", "submits no picture")
async def _(server):
    person, popped = await at_work(server)
    return submitting(popped["id"], person.key, generation=pictures.NO_PICTURE)


@provokes("PictureTooLarge", "submits 20 MiB")
async def _(server):
    person, popped = await at_work(server)
    whole = pictures.picture(form="WEBP")
    large = pictures.encoded(whole + b"\0" * (BIG_WEBP - len(whole)))
    return submitting(popped["id"], person.key, generation=large)


# Looking


def looking(rc, what, path, *, method="GET", key=None):
    @provokes(rc, what)
    async def look(server):
        return method, path, None, key


for request_id in (NOBODY, "x"):
    for method, path in (
        ("GET", "check"),
        ("GET", "status"),
        ("DELETE", "status"),
        ("GET", "events"),
    ):
        looking(
            "RequestNotFound",
            f"{method} {path} {request_id}",
            f"/generate/{path}/{request_id}",
            method=method,
        )
looking("InvalidAPIKey", "finds nobody without a key", "/find_user")
looking("UserNotFound", "finds nobody", "/find_user", key="an unknown key")
looking("UserNotFound", "finds nobody by a long key", "/find_user", key="x" * 5000)
looking("UserNotFound", "an unknown id", "/users/2000000000")
looking("UserNotFound", "an id no database holds", f"/users/{'9' * 5000}")
looking("UserNotFound", "no id", "/users/fox")
looking("UserNotFound", "a negative id", "/users/-1")
looking("InvalidAPIKey", "looks at a user", "/users/0", key="an unknown key")
looking("WorkerNotFound", "looks at an unknown id", f"/workers/{NOBODY}")
looking("WorkerNotFound", "looks at no id", "/workers/x")
looking("WorkerNotFound", "looks at an unknown name", "/workers/name/nobody")
looking("NulByteInPayload", "looks at a name with it", "/workers/name/a%00b")
looking("WorkerNotFound", "looks at a name that is no text", "/workers/name/%ff%fe")
looking("BadRequest", "models of an unknown type", "/status/models?type=alchemy")
looking("BadRequest", "models of an unknown state", "/status/models?model_state=new")
looking("BadRequest", "models by no count", "/status/models?min_count=x")


# register, pictures


@provokes("BadUsername", "registers")
async def _(server):
    return "POST", "/register", {"username": "x" * 31}, None


@provokes("NulByteInPayload", "registers")
async def _(server):
    return "POST", "/register", {"username": "a\0bc"}, None


ELSEWHERE = {
    "AlreadyRegistered": "nobody registers by a login service yet; test_directory",
    "AnonForbidden": "no endpoint changes a user yet; test_directory",
    "BadOauthId": "test_dev, whose endpoint is off by default",
    "BadSignature": "test_pictures, outside of version 2",
    "InsufficientKudos": "kept from clients: what a payer lacks is forgiven; test_events",
    "PictureNotFound": "test_pictures",
    "RegistrationClosed": "test_register, with another setting",
    "UnbalancedEvent": "a defect, not an answer; test_events",
    "UploadClosed": "test_pictures",
    # The kinds themselves: each code of theirs that is answered is a subclass's.
    "Conflict": "only its subclasses are raised",
    "Forbidden": "only its subclasses are raised",
    "NotFound": "only its subclasses are raised",
    "TooMany": "only its subclasses are raised",
    "Unavailable": "nothing is unavailable for a while yet",
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
    assert answer.status_code == statuses()[rc]
    assert answer.json()["message"]
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert await left_behind(shared) == before


@pytest.mark.asyncio(loop_scope="module")
async def test_after_all_of_them_no_kudos_are_missing(shared):
    audit = (await shared.get("/kudos/audit")).json()
    assert audit["balanced"]
    assert audit["events"] > 20


def refusals():
    """All refusals of the core."""
    for module in pkgutil.walk_packages(core.__path__, "core."):
        importlib.import_module(module.name)
    found, new = set(), {Refusal}
    while new:
        new = {sub for kind in new for sub in kind.__subclasses__()} - found
        found |= new
    return found


def statuses():
    return {refusal.code: status_of(refusal) for refusal in refusals()}


def test_each_refusal_is_provoked_or_has_a_reason_why_not():
    provoked = {case.values[0] for case in cases}
    assert {refusal.code for refusal in refusals()} == provoked | ELSEWHERE.keys()
    assert not provoked & ELSEWHERE.keys()


def test_each_refusal_has_the_status_of_the_contract():
    codes = {entry["rc"]: entry["http"] for entry in json.loads(CONTRACT.read_text())["codes"]}
    ours = statuses()
    assert len(ours.keys() & codes.keys()) > 40
    assert {rc: codes[rc] for rc in ours if rc in codes} == {
        rc: status for rc, status in ours.items() if rc in codes
    }


def test_a_code_belongs_to_one_refusal():
    named = {}
    for refusal in refusals():
        named.setdefault(refusal.code, set()).add(refusal.__name__)
    shared = {code: names for code, names in named.items() if len(names) > 1}
    assert shared == {
        "BadRequest": {"Invalid", "MissingPicture"},
        "InvalidAPIKey": {"Unauthenticated", "UnknownKey"},
    }
