"""Ways to provoke each `rc` of the API, for tests/core/api/v2/test_refusals.py."""

import itertools

import pytest
from sqlalchemy import update

import pictures
from core.db import table
from core.users.tables import Role
from core.workers.tables import WorkerRow
from serving import ANONYMOUS, offer

NOBODY = "00000000-0000-0000-0000-000000000000"
BIG_WEBP = 20 * 1024 * 1024 + 2

numbers = itertools.count(1)
cases = []
workers = table(WorkerRow)


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
asking("SourceImageRequiredForModel", "without one", models=["stable_diffusion", "pix2pix"])
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
asking(
    "ControlNetInvalidPayload",
    "control map in and out",
    params={"image_is_control": True, "return_control_map": True},
)
asking(
    "ControlNetUnsupported",
    "hough with SD 2",
    source_image=pictures.SOURCE,
    models=["stable_diffusion_2.1"],
    params={"control_type": "hough"},
)
asking(
    "ControlNetMismatch.",
    "qr_code with SD 2",
    models=["stable_diffusion_2.1"],
    params={"workflow": "qr_code", "extra_texts": [{"text": "x", "reference": "qr_code"}]},
)
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
asking("SourceImageUrlInvalid", "by a private URL", source_image="http://10.0.0.1/fox.png")
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


def popping(rc, what, **body):
    """A pop that is refused by what it says."""

    @provokes(rc, what)
    async def pop(server):
        person = await somebody(server)
        return "POST", "/generate/pop", offer(**body), person.key


popping("InvalidPriorityUsername", "no id", priority_usernames=["fox"])
popping(
    "InvalidPriorityUsername", "an id no database holds", priority_usernames=["fox#" + "9" * 200]
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
    large = pictures.padded(pictures.WEBP, BIG_WEBP)
    return submitting(popped["id"], person.key, generation=pictures.encoded(large))


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
looking("UserNotFound", "an id no database holds", f"/users/{'9' * 1900}")
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


@provokes("TokenOverflow", "asks for more tokens than the context has")
async def _(server):
    person = await somebody(server)
    params = {"max_length": 81, "max_context_length": 80}
    return "POST", "/generate/text/async", {"prompt": "x", "params": params}, person.key


@provokes("InvalidExtraSourceImages.", "gives pictures to a text")
async def _(server):
    person = await somebody(server)
    body = {"prompt": "x", "extra_source_images": [{"image": "x"}]}
    return "POST", "/generate/text/async", body, person.key
