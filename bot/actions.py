"""What the buttons of jobs do."""

from dataclasses import replace
from typing import Any, Final

import discord

from bot import answering, asking, forms, live
from bot.asking import NOTHING, Given
from bot.buttons import STARS
from bot.jobs.kinds import MASK, SOURCE
from bot.pressing import FORGOTTEN, Answer, OfJob, Press, action, select, view
from bot.refusals import Refused
from bot.store import jobs
from bot.store.jobs import Job, JobState
from bot.wanted import Wanted
from bot.words import cut, plain
from core.wire.ratings import AestheticRating, AestheticsPayload

UPSCALERS: Final = (
    "RealESRGAN_x4plus",
    "RealESRGAN_x2plus",
    "NMKD_Siax",
    "4x_AnimeSharp",
    "RealESRGAN_x4plus_anime_6B",
)
"""In the order in which they are taken, if an alchemist offers them."""
VARY_STRENGTH: Final = 0.5
MAX_VARIED: Final = 4
TOLD: Final = ("seed", "model", "worker", "censored", "form")
"""Of each result, in its information."""


@action("cancel", Answer.SILENT, may_moderate=True)
async def cancel(press: Press) -> None:
    """Withdraw a running job."""
    await press.bot.desk.cancel(press.job)


@action("delete", Answer.SILENT, may_moderate=True)
async def delete(press: Press) -> None:
    """Take the message away."""
    if press.job.state == JobState.RUNNING:
        await press.bot.desk.cancel(press.job)
    await press.interaction.delete_original_response()


@action("again", Answer.NEW, is_owners=False)
async def again(press: Press) -> None:
    """Ask for the same with another seed."""
    wanted = Wanted.model_validate(press.job.wanted)
    fresh = wanted.model_copy(update={"seed": None, "source_files": []})
    await asking.ask(
        press.interaction, press.job.kind, fresh, _sources(press), spoiler=press.job.spoiler
    )


@action("more", Answer.NEW, is_owners=False)
async def more(press: Press) -> None:
    """Go on where a text ends."""
    wanted = forms.with_text(press.job, int(press.more))
    await asking.ask(press.interaction, "text", wanted)


@action("reply", Answer.FORM, is_owners=False)
async def reply(press: Press) -> None:
    """Say something to a text, for the model to answer."""
    await press.interaction.response.send_modal(forms.Reply(press.job))


@action("vary", Answer.NEW, is_owners=False)
async def vary(press: Press) -> None:
    """Make others like one of the pictures."""
    wanted = Wanted.model_validate(press.job.wanted)
    changed: dict[str, Any] = {
        "seed": None,
        "source_files": [],
        "processing": "img2img",
        "strength": VARY_STRENGTH,
        "n": min(MAX_VARIED, max(wanted.n, 2)),
    }
    varied = wanted.model_copy(update=changed)
    picture = _picture(press)
    spoiler = press.job.spoiler or picture.is_spoiler()
    await asking.ask(press.interaction, "image", varied, Given(picture), spoiler=spoiler)


@action("upscale", Answer.NEW, is_owners=False)
async def upscale(press: Press) -> None:
    """Enlarge one of the pictures."""
    form = await upscaler(press.bot.live)
    wanted = Wanted(forms=[form], prompt=press.job.wanted.get("prompt", ""))
    picture = _picture(press)
    spoiler = press.job.spoiler or picture.is_spoiler()
    await asking.ask(press.interaction, "alchemy", wanted, Given(picture), spoiler=spoiler)


async def upscaler(known: live.Live) -> str:
    """The upscaler to take: one that is offered at the moment, if any is."""
    offered = {form for worker in await known.workers() for form in worker.forms or []}
    return next((form for form in UPSCALERS if form in offered), UPSCALERS[0])


@action("edit", Answer.FORM, is_owners=False)
async def edit(press: Press) -> None:
    """Ask again with other words, in a form that has the ones before."""
    await _open_form(press, press.job, _sources(press))


@action("past", Answer.FORM)
async def past(press: Press) -> None:
    """The same for one of the jobs before, whose pictures to start from are not at hand."""
    async with press.bot.database.transaction() as connection:
        job = await jobs.get(connection, int(press.values[0]))
    if job is None or job.user_id != press.job.user_id:
        raise Refused(FORGOTTEN)
    wanted = Wanted.model_validate(job.wanted).model_copy(update={"processing": None})
    await _open_form(press, replace(job, wanted=wanted.model_dump()), NOTHING)


@action("info", Answer.PRIVATE, is_owners=False)
async def info(press: Press) -> None:
    """Tell how something was made."""
    embed = discord.Embed(title="How it was made")
    for name, value in press.job.wanted.items():
        if name != "source_files":
            embed.add_field(name=name, value=cut(plain(str(value)), 1000) or "-")
    lines = [
        f"{number}: " + ", ".join(f"{key} {value}" for key, value in fact.items() if key in TOLD)
        for number, fact in enumerate(press.job.results, 1)
    ]
    embed.description = cut(plain("\n".join(lines)), 3000)
    embed.set_footer(text=f"Request {press.job.request_id}")
    await answering.say(press.interaction, embed=embed)


@action("rate", Answer.PRIVATE)
async def rate(press: Press) -> None:
    """Offer to rate the pictures: first which one, then the stars."""
    if not press.job.wanted.get("share"):
        raise Refused(
            "Only shared pictures can be rated: set `share` in `/settings`, which gives pictures "
            "to the public data set."
        )
    count = len(press.job.results)
    if count == 1:
        await _offer_stars(press, 0)
        return
    options = [discord.SelectOption(label=f"Picture {n + 1}", value=str(n)) for n in range(count)]
    await answering.say(
        press.interaction,
        "Which one?",
        view=view(select("Picture", "which", press.job.id, options)),
    )


@action("which", Answer.PRIVATE)
async def which(press: Press) -> None:
    """Offer the stars for one picture."""
    await _offer_stars(press, int(press.values[0]))


async def _offer_stars(press: Press, index: int) -> None:
    await answering.say(
        press.interaction,
        "How do you like it? 10 is best.",
        view=view(select("Stars", "star", press.job.id, STARS, more=index)),
    )


@action("star", Answer.PRIVATE)
async def star(press: Press) -> None:
    """Tell the horde of the stars."""
    picture = press.job.results[int(press.more)]
    rating = AestheticRating(id=picture["id"], rating=int(press.values[0]))
    payload = AestheticsPayload(ratings=[rating])
    horde = await press.bot.hordes.of(press.job.user_id)
    given = await horde.ratings.rate_request(str(press.job.request_id), payload)
    await answering.say(press.interaction, f"Thank you: {given.reward:g} kudos for your rating.")


async def _open_form(press: Press, job: Job, given: Given) -> None:
    wanted = Wanted.model_validate(job.wanted)
    if len(wanted.prompt) > forms.MAX_INPUT:
        raise Refused("That prompt is too long for Discord's form; use `/imagine` with it.")
    form = forms.Edit(job.kind, wanted, given, spoiler=job.spoiler)
    await press.interaction.response.send_modal(form)


def _sources(press: Press) -> Given:
    """The pictures that the job started from, as its message has them. Raises Refused."""
    there = {name.partition(".")[0]: one for name, one in _files(press).items()}
    more = [one for name, one in there.items() if name.startswith(f"{SOURCE}-")]
    if press.job.wanted.get("processing") and SOURCE not in there:
        raise Refused("The picture it started from is gone; ask again with `/imagine`.")
    return Given(there.get(SOURCE), there.get(MASK), tuple(more))


def _picture(press: Press) -> discord.Attachment:
    """The picture that the button is for. Raises Refused."""
    number = press.values[0] if press.values else press.more
    found = _files(press).get(f"{int(number) + 1}.webp")
    if found is None:
        raise Refused("That picture is not here; if it was too large for Discord, use its link.")
    return found


def _files(press: Press) -> dict[str, discord.Attachment]:
    """The files of the message, by their names as they were before some were hidden."""
    message = press.interaction.message
    files = message.attachments if message else []
    return {one.filename.removeprefix("SPOILER_"): one for one in files}


PRESSED: Final = (OfJob,)
"""The buttons whose actions are here."""
