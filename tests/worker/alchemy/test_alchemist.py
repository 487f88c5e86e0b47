import io

import pytest
from PIL import Image

import tiny_esrgan
from core.features import FORMS, OURS
from worker import pictures
from worker.alchemy.alchemist import ANSWERS, Alchemist
from worker.alchemy.offered import WITHOUT_WEIGHTS
from worker.alchemy.order import Description, FormOrder
from worker.checking import Safety
from worker.faces import fixer
from worker.post_processing import REMOVER
from worker.processing import Processing
from worker.renderer import CannotRender, Model
from worker.upscaler import FACTORS, Upscaler


@pytest.fixture
def alchemist(one_thread):
    return Alchemist(processing=Processing("cpu"), vision=lambda: None, safety=Safety(None))


def encoded(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def ignore(step, steps, shown=None):
    pass


def test_a_palette_is_the_main_colours_and_their_shares(alchemist):
    image = Image.new("RGB", (100, 100), "#102030")
    image.paste("#ff0000", (0, 0, 100, 25))
    answered = alchemist.render(FormOrder(Description("palette"), encoded(image)), ignore)
    assert answered.result == [
        {"colour": "#102030", "share": 0.75},
        {"colour": "#ff0000", "share": 0.25},
    ]


def test_a_photograph_has_few_main_colours(alchemist):
    picture = encoded(Image.radial_gradient("L"))
    answered = alchemist.render(FormOrder(Description("palette"), picture), ignore)
    shares = [colour["share"] for colour in answered.result]
    assert shares == sorted(shares, reverse=True)
    assert 1 < len(shares) <= 8
    assert sum(shares) == pytest.approx(1, abs=0.001)


def test_an_upscaler_gives_a_larger_picture(alchemist, tmp_path):
    file = tmp_path / "RealESRGAN_x4plus.pth"
    tiny_esrgan.save(file)
    upscaler = Upscaler("RealESRGAN_x4plus", file)
    alchemist.load(upscaler)
    picture = encoded(Image.new("RGB", (20, 10), "red"))
    answered = alchemist.render(FormOrder(upscaler, picture), ignore)
    assert (answered.result.width, answered.result.height) == (80, 40)


def test_what_is_no_picture_and_no_form_is_refused(alchemist, tmp_path):
    with pytest.raises(CannotRender, match="source_image"):
        alchemist.render(FormOrder(Description("palette"), b"no picture"), ignore)
    picture = encoded(Image.new("RGB", (8, 8)))
    with pytest.raises(CannotRender, match="caption"):
        alchemist.render(FormOrder(Model("caption", tmp_path), picture), ignore)


def test_what_the_table_says_of_our_worker_is_answered():
    ours = {name for name, form in FORMS.items() if OURS in (form.since or {})}
    assert ours == {*ANSWERS, *FACTORS, *fixer.NAMES, REMOVER.name}
    assert set(WITHOUT_WEIGHTS) == ANSWERS.keys()


def test_a_form_about_shapes_is_answered_with_a_graphic(alchemist):
    picture = encoded(Image.new("RGB", (30, 20), "red"))
    answered = alchemist.render(FormOrder(Description("vectorize"), picture), ignore)
    assert answered.result.startswith("<svg")


def test_a_picture_without_its_background_is_transparent_there(alchemist):
    image = Image.new("RGB", (60, 60), "white")
    image.paste("red", (20, 20, 40, 40))
    made = alchemist.render(FormOrder(REMOVER, encoded(image)), ignore).result
    webp = Image.open(io.BytesIO(pictures.to_webp(made)))
    assert webp.mode == "RGBA"
    assert webp.getpixel((2, 2))[3] == 0
    assert webp.getpixel((30, 30)) == (255, 0, 0, 255)
