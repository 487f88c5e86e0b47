"""What a message shows while its pictures are made: by the horde's event stream."""

import contextlib

import pytest
import pytest_asyncio

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


@pytest.fixture
def wait(tmp_path):
    """A prompt whose pictures are made until the block ends."""

    @contextlib.contextmanager
    def wait():
        path = tmp_path / "go"
        try:
            yield f"wait {path}"
        finally:
            path.touch()

    return wait


@pytest_asyncio.fixture(loop_scope="session")
async def two_steps(people, anne):
    """Anne's pictures take two steps."""
    panel = await people.slash("settings", user=anne)
    form = await people.click(panel.original, "More …", user=anne)
    await people.submit(form, {"Steps (1-500)": "2"})


def shown(run):
    """The names of all files that the message ever had."""
    return {file["filename"] for state in run.history for file in state["attachments"]}


@pytest.mark.parametrize(
    ("options", "name"),
    [({}, "making-1.webp"), ({"spoiler": True}, "SPOILER_making-1.webp")],
    ids=["open", "hidden"],
)
async def test_a_preview_is_seen_where_nothing_is_censored(
    fake, people, anne, two_steps, wait, pictures_of, options, name
):
    with wait() as prompt:
        asked = {"prompt": prompt, "size": "tiny square", "count": 2, **options}
        run = await people.slash("imagine", asked, user=anne, channel=fake.world.lewd)
        await fake.world.until(lambda: name in shown(run), 30, "a preview")
        await fake.world.until(lambda: "▰▰▰▰▰▱▱▱▱▱ 50 %" in run.text, 30, "half a bar")
        assert "🟨🟨" in run.text
        (file,) = run.original["attachments"]
        assert fake.world.blobs[file["id"]][8:12] == b"WEBP"
    files = await pictures_of(run, 2)
    hidden = "SPOILER_" if options else ""
    assert [one["filename"] for one in files] == [f"{hidden}1.webp", f"{hidden}2.webp"]


async def test_what_may_have_to_be_censored_is_not_seen_before_it_is_done(
    fake, people, anne, two_steps, channel, wait, pictures_of, said
):
    with wait() as prompt:
        asked = {"prompt": prompt, "size": "tiny square"}
        run = await people.slash("imagine", asked, user=anne, channel=channel)
        await said(run, "50 %")
    await pictures_of(run)
    assert shown(run) == {"1.webp"}
