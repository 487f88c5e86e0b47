import torch

from training.composer import recoloured
from training.scenes import COLOURS, Item, Planner, Scene


def test_the_same_scenes_give_the_same_pictures(composer, icons):
    planner = Planner(icons)
    scenes = [planner.plan(index) for index in range(8)]

    pictures = composer.paint(scenes, 64)

    assert pictures.shape == (8, 3, 64, 64)
    assert torch.equal(pictures, composer.paint(scenes, 64))
    assert pictures.min() >= -1
    assert pictures.max() <= 1


def test_the_icon_stands_where_the_scene_says(composer, icons):
    scene = Scene((Item(icons[0], 0.25, 0.75, 0.4),), "left", "white", None)

    picture = composer.paint([scene], 64)[0]

    dark = (picture.mean(0) < 0.5).nonzero().float().mean(0) / 64
    assert torch.allclose(dark, torch.tensor([0.75, 0.25]), atol=0.02)


def test_a_gradient_runs_from_one_colour_to_the_other(composer, icons):
    scene = Scene((Item(icons[0], 0.5, 0.5, 0.3),), "small", "red", "blue")

    picture = (composer.paint([scene], 64)[0] + 1) / 2 * 255

    assert torch.allclose(picture[:, 0, 0], torch.tensor(COLOURS["red"]).float(), atol=1)
    assert torch.allclose(picture[:, -1, 0], torch.tensor(COLOURS["blue"]).float(), atol=1)


def test_recolouring_keeps_black_white_and_the_outline():
    icon = torch.ones(4, 1, 4)
    icon[:3, 0, 1] = 0.0
    icon[:3, 0, 2] = 0.5
    icon[:, 0, 3] = 0.0
    green = torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)

    made = recoloured(icon, green, 1.0)

    assert made[:3, 0, 0].tolist() == [1, 1, 1]
    assert made[:3, 0, 1].tolist() == [0, 0, 0]
    assert made[:3, 0, 2].tolist() == [0, 1, 0]
    assert torch.equal(made[3], icon[3])
