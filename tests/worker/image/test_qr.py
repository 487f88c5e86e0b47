"""QR codes as maps, and the workflow that draws them."""

import numpy as np
import pytest
import segno

from fake_renderers import TINY, FakeRenderer, ThreadEngine
from worker.image import control, qr
from worker.image.kind import Pictures
from worker.image.order import ControlNetwork
from worker.image.sizes import Size
from worker.renderer import CannotRender

TEXT = "https://horde.example/a"


def squares(drawn, pixels):
    """The map's squares, each by the pixel in its middle: dark, light or ground."""
    levels = np.asarray(drawn.convert("L"))
    return levels[pixels // 2 :: pixels, pixels // 2 :: pixels]


def test_each_square_is_as_the_code_has_it():
    code = segno.make_qr(TEXT, error="h", boost_error=False)
    count = code.symbol_size(border=qr.QUIET)[0]
    drawn = qr.map_of(TEXT, Size(count * 10, count * 10))
    wanted = [[0 if dark else 255 for dark in row] for row in code.matrix_iter(border=qr.QUIET)]
    assert squares(drawn, 10).tolist() == wanted


def test_it_is_in_the_middle_of_a_ground_that_holds_to_nothing():
    drawn = np.asarray(qr.map_of(TEXT, Size(768, 512)).convert("L"))
    assert drawn.shape == (512, 768)
    assert (drawn[:, :100] == 128).all()
    assert (drawn[:, -100:] == 128).all()
    assert set(np.unique(drawn)) == {0, 128, 255}


def test_a_longer_text_has_less_correction_rather_than_none():
    assert qr.map_of("a" * 2900, Size(2048, 2048)).size == (2048, 2048)


@pytest.mark.parametrize(
    ("text", "side", "reason"),
    [("a" * 3000, 3072, "too long"), ("a" * 500, 512, "squares a side, too many for 512x512")],
)
def test_what_nobody_could_read_is_refused(text, side, reason):
    with pytest.raises(CannotRender, match=reason):
        qr.map_of(text, Size(side, side))


@pytest.fixture
def kind(monkeypatch, horde):
    """Pictures with a network for QR codes, whatever the model."""
    from worker.offers import image_offer
    from worker.settings import Settings

    network = ControlNetwork(frozenset({"qr"}), "/nowhere", "")
    monkeypatch.setattr(control, "_takes", lambda _: "")
    offer = image_offer(Settings(url=horde.url, name="tester"))
    return lambda client: Pictures(client, offer, controls=control.Controls((network,)))


async def test_the_text_of_the_workflow_is_what_the_code_says(horde, serve, kind):
    orders = []

    class Keeping(FakeRenderer):
        def render(self, order, on_step):
            orders.append(order)
            return super().render(order, on_step)

    texts = [{"text": "no", "reference": "other"}, {"text": TEXT, "reference": "qr_code"}]
    async with serve(ThreadEngine(Keeping()), kind=kind, models={"tiny": TINY}) as serving:
        await serving.until(lambda: horde.pops)
        asked = {"workflow": "qr_code", "extra_texts": texts}
        [job] = horde.add(payload=asked, source_image="aGVsbG8=")
        submit = await serving.submitted(job)
        [none] = horde.add(payload={"workflow": "qr_code"})
        faulted = await serving.submitted(none)
    assert "qr_code" in horde.pops[0]["also"]
    assert submit["state"] == "ok"
    held = next(one.control for one in orders if one.control is not None)
    assert (held.code, held.control_type, held.strength, held.is_map) == (TEXT, "qr", 1.3, True)
    refs = [note["ref"] for note in submit["gen_metadata"]]
    assert "the source picture does not count with a QR code" in refs
    assert "no extra text says" in faulted["gen_metadata"][-1]["ref"]
