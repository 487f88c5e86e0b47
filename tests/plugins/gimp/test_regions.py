"""Which part of a canvas is sent, at which size."""

from hypothesis import example, given
from hypothesis import strategies as st

from stable_horde import regions
from stable_horde.regions import Box

SIDE = st.integers(1, 20_000)


@st.composite
def chosen(draw):
    """A canvas, and a box on it."""
    canvas = Box(0, 0, draw(SIDE), draw(SIDE))
    width, height = draw(st.integers(1, canvas.width)), draw(st.integers(1, canvas.height))
    x = draw(st.integers(0, canvas.width - width))
    y = draw(st.integers(0, canvas.height - height))
    return canvas, Box(x, y, width, height)


@given(chosen(), st.one_of(st.none(), st.integers(0, 500)), st.sampled_from([2**16, 2**20, 2**22]))
@example((Box(0, 0, 12_000, 8_000), Box(0, 0, 12_000, 8_000)), None, 2**20)
@example((Box(0, 0, 12_000, 8_000), Box(5_000, 3_000, 1, 1)), None, 2**20)
@example((Box(0, 0, 20_000, 1), Box(0, 0, 20_000, 1)), None, 2**20)
@example((Box(0, 0, 1, 1), Box(0, 0, 1, 1)), None, 2**20)
def test_a_region_covers_what_was_chosen_in_sizes_that_can_be_asked_for(case, context, most):
    canvas, box = case
    region = regions.around(box, canvas, context=context, max_pixels=most)
    assert box.within(region.box) == box
    assert region.box.within(canvas) == region.box
    for sent, content in zip(region.sent, region.content, strict=True):
        assert sent % 64 == 0
        assert 64 <= sent <= regions.MAX_SIDE
        assert 1 <= content <= sent
    assert region.sent[0] * region.sent[1] <= most


@given(chosen())
def test_a_region_is_hardly_stretched(case):
    """Both sides are enlarged alike, to a pixel of what is sent."""
    canvas, box = case
    region = regions.around(box, canvas)
    across, down = (
        content / length
        for content, length in zip(
            region.content, (region.box.width, region.box.height), strict=True
        )
    )
    assert abs(across - down) <= 2 / region.box.width + 2 / region.box.height


def test_a_region_with_room_is_sent_pixel_by_pixel():
    region = regions.around(Box(700, 400, 300, 300), Box(0, 0, 2000, 2000), context=106)
    assert region == regions.Region(Box(594, 294, 512, 512), (512, 512), (512, 512))


def test_a_canvas_that_is_no_multiple_of_64_is_continued_on_its_right_and_bottom():
    region = regions.around(Box(0, 0, 600, 500), Box(0, 0, 600, 500))
    assert region == regions.Region(Box(0, 0, 600, 500), (600, 500), (640, 512))


def test_a_pixel_is_sent_with_its_surroundings_enlarged():
    region = regions.around(Box(5_000, 3_000, 1, 1), Box(0, 0, 12_000, 8_000))
    assert region.sent == (512, 512)
    assert region.box == Box(4_968, 2_968, 65, 65)
