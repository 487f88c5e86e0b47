"""Pictures that are made from other ones: filled in, gone on with, enlarged, described."""

import io

import pytest
from PIL import Image

import pictures

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
TINY = {"prompt": "a red fox", "size": "tiny square"}


def names(message):
    return {one["filename"] for one in message["attachments"]}


def size_of(fake, file):
    with Image.open(io.BytesIO(fake.world.blobs[file["id"]])) as picture:
        return picture.size


async def test_a_mask_is_filled_in_and_stays_for_the_buttons(
    fake, people, anne, channel, pictures_of
):
    asked = {
        "image": fake.world.attachment("in.png", pictures.picture((128, 128))),
        "mask": fake.world.attachment("over.png", pictures.picture((128, 128), "L", colour=255)),
    }
    run = await people.slash("imagine", {**TINY, **asked}, user=anne, channel=channel)
    await pictures_of(run)
    assert names(run.original) == {"1.webp", "source.png", "mask.png"}
    (embed,) = run.original["embeds"]
    assert embed["thumbnail"]["url"] == "attachment://source.png"
    again = await people.click(run.original, "Re-roll", user=anne)
    await pictures_of(again)
    assert names(again.original) == names(run.original)
    info = await people.click(again.original, "Info", user=anne)
    assert "inpainting" in info.text


async def test_what_is_transparent_is_gone_on_with(fake, people, anne, channel, pictures_of):
    image = fake.world.attachment("in.png", pictures.picture((128, 128), "RGBA"))
    asked = {**TINY, "image": image, "mode": "outpainting"}
    run = await people.slash("imagine", asked, user=anne, channel=channel)
    await pictures_of(run)
    info = await people.click(run.original, "Info", user=anne)
    assert "outpainting" in info.text


@pytest.mark.parametrize(
    ("given", "mode", "words"),
    [
        ({"mask"}, None, "as `image`"),
        ({"image2"}, None, "as `image`"),
        ({"image", "image2"}, "img2img", "only be mixed"),
        ({"image", "mask"}, "img2img", "what to fill in"),
    ],
    ids=["a mask alone", "a second one alone", "two to draw anew", "a mask to draw anew"],
)
async def test_pictures_that_do_not_go_together_are_refused(
    fake, people, anne, channel, said, given, mode, words
):
    files = {name: fake.world.attachment(f"{name}.png", pictures.picture()) for name in given}
    how = {} if mode is None else {"mode": mode}
    run = await people.slash("imagine", {**TINY, **files, **how}, user=anne, channel=channel)
    await said(run, words)


async def test_a_picture_is_enlarged_by_command_and_by_button(
    fake, people, anne, channel, pictures_of
):
    image = fake.world.attachment("in.png", pictures.picture((64, 48)))
    run = await people.slash("upscale", {"image": image}, user=anne, channel=channel)
    (large,) = await pictures_of(run)
    assert size_of(fake, large) == (256, 192)
    made = await people.slash("imagine", {**TINY, "spoiler": True}, user=anne, channel=channel)
    await pictures_of(made)
    larger = await people.click(made.original, "Upscale", user=anne)
    (file,) = await pictures_of(larger)
    assert size_of(fake, file) == (512, 512)
    assert names(larger.original) == {"SPOILER_RealESRGAN_x4plus.webp", "SPOILER_source.webp"}
    assert "thumbnail" not in larger.original["embeds"][0], "what is hidden stays hidden"


async def test_an_avatar_is_described_and_reworked(fake, people, anne, channel, pictures_of, said):
    fake.world.blobs["avatar"] = pictures.picture((128, 128))
    bob = fake.world.add_user("bob") | {"avatar": "0123456789abcdef"}
    form = await people.context_menu("Remix avatar", bob, user=anne, channel=channel)
    assert form.modal["title"] == "Make something of this picture"
    run = await people.submit(form, {"What it is to become": "a fox", "How much": "50"})
    await pictures_of(run)
    assert "source.png" in names(run.original)
    described = await people.context_menu("Describe avatar", bob, user=anne, channel=channel)
    await said(described, "Queued")
    await people.click(described.original, "Cancel", user=anne)
    fake.world.blobs["avatar"] = b"no picture"
    broken = await people.context_menu("Describe avatar", bob, user=anne, channel=channel)
    await said(broken, "no picture that I know")
    who = await people.context_menu("Horde account", bob, user=anne, channel=channel)
    assert "not logged in here" in who.text


async def test_a_message_s_picture_is_enlarged_from_its_menu(
    fake, people, anne, channel, pictures_of
):
    message = fake.api.messages.blank(channel["id"]) | {
        "attachments": [fake.world.attachment("in.png", pictures.picture((32, 32)))]
    }
    run = await people.context_menu("Upscale picture", message, user=anne, channel=channel)
    (large,) = await pictures_of(run)
    assert size_of(fake, large) == (128, 128)
