"""Networks of the real architectures look at pictures; their weights are random."""

import json
import math

import pytest
from PIL import Image

import tiny_vision
from worker import vision
from worker.alchemy import offered
from worker.models import NotUsable
from worker.renderer import BrokenResult, CannotLoad
from worker.settings import Settings
from worker.shelf import Kept, Shelf
from worker.upscaler import STOOD_IN_FOR
from worker.vision import NETWORKS, VisionModel

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(400)]
PICTURE = Image.radial_gradient("L").convert("RGB")
FORMS = {"caption", "describe", "interrogation", "aesthetic", "nsfw"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("networks")
    for name in NETWORKS:
        tiny_vision.build(root / name, name)
    return root


@pytest.fixture
def answer(one_thread, folder):
    from worker.seeing import Vision

    seeing = Vision("cpu")
    models = vision.find({}, [folder])

    def answered(form):
        seeing.load(models[form])
        return seeing.answer(models[form], PICTURE)

    return answered


def copied(folder, name, to, **changes):
    """Copy a network, with some of its tensors changed."""
    from safetensors.torch import load_file, save_file

    to.mkdir()
    (to / "config.json").write_bytes((folder / name / "config.json").read_bytes())
    tensors = load_file(folder / name / "model.safetensors")
    changed = {changes["named"](key): tensor for key, tensor in tensors.items()}
    changed.pop(None, None)
    save_file(changed, to / "model.safetensors", metadata={"format": "pt"})
    return to


@pytest.mark.parametrize("form", ["caption", "describe"])
def test_a_captioner_says_words(answer, form):
    said = answer(form)
    assert isinstance(said, str)
    assert set(said) <= set("a fox house##s")


def test_an_interrogator_ranks_the_words_of_each_list(answer):
    told = answer("interrogation")
    assert {"mediums", "movements", "tags", "flavors"} == told.keys()
    for ranked in told.values():
        confidences = [one["confidence"] for one in ranked]
        assert confidences == sorted(confidences, reverse=True)
        assert len(ranked) == 5
        assert all(one["text"] for one in ranked)


def test_a_checker_says_yes_or_no_and_a_judge_gives_a_number(answer):
    assert answer("nsfw") in {True, False}
    assert math.isfinite(answer("aesthetic"))


def test_what_is_whole_is_offered_and_nothing_else(folder, tmp_path):
    assert vision.find({}, [folder]).keys() == FORMS
    for name in NETWORKS:
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "safety_checker").unlink()
    (tmp_path / "blip").unlink()
    (tmp_path / "blip").symlink_to(folder / "safety_checker")
    assert vision.find({}, [tmp_path]).keys() == {"interrogation", "aesthetic"}
    (tmp_path / "clip").unlink()
    copied(folder, "clip", tmp_path / "clip", named=lambda key: key)
    assert vision.find({}, [tmp_path]).keys() == {"interrogation"}


def test_an_added_network_is_offered_by_its_forms(folder, tmp_path):
    place = folder / "safety_checker"
    Shelf(tmp_path).put(Kept("safety_checker", "vision", str(place), "a test"))
    found = offered.forms(Settings(data_dir=tmp_path))
    assert list(found) == [*offered.WITHOUT_WEIGHTS, "nsfw", "strip_background", *STOOD_IN_FOR]
    assert found["nsfw"] == VisionModel("nsfw", place, "StableDiffusionSafetyChecker")
    wanted = Settings(data_dir=tmp_path, forms=["nsfw", "caption"])
    assert list(offered.forms(wanted)) == ["nsfw"]


def test_a_folder_of_another_kind_is_refused(folder, tmp_path):
    with pytest.raises(NotUsable, match="StableDiffusionSafetyChecker, not CLIPModel"):
        vision.inspect("clip", folder / "safety_checker")
    with pytest.raises(NotUsable, match="are called blip, clip, safety_checker"):
        vision.inspect("palette", folder / "safety_checker")
    with pytest.raises(NotUsable):
        vision.inspect("safety_checker", tmp_path)


def test_a_checker_in_the_layout_of_its_download_is_read(folder, tmp_path, one_thread):
    from worker.seeing import Checker

    def as_published(key):
        return f"vision_model.{key}" if key.startswith("vision_model.") else key

    place = copied(folder, "safety_checker", tmp_path / "it", named=as_published)
    one, other = (
        Checker(at, "cpu")._model.state_dict() for at in (folder / "safety_checker", place)
    )
    assert all(one[key].equal(other[key]) for key in one)


def test_weights_that_are_missing_are_not_made_up(folder, tmp_path, one_thread):
    from worker.seeing import Vision

    place = copied(
        *(folder, "safety_checker", tmp_path / "it"),
        named=lambda key: None if key == "visual_projection.weight" else key,
    )
    model = vision.inspect("safety_checker", place)
    with pytest.raises(CannotLoad, match="no weights for visual_projection"):
        Vision("cpu").load(model)


def test_broken_weights_are_found_when_they_are_loaded(folder, tmp_path, one_thread):
    from worker.seeing import Vision

    place = copied(folder, "safety_checker", tmp_path / "it", named=lambda key: key)
    config = json.loads((place / "config.json").read_text())
    config["vision_config"]["hidden_size"] = 4
    (place / "config.json").write_text(json.dumps(config))
    with pytest.raises(CannotLoad):
        Vision("cpu").load(vision.inspect("safety_checker", place))


def test_numbers_out_of_range_are_no_answer(answer, monkeypatch):
    import torch

    answer("interrogation")
    monkeypatch.setattr(
        "worker.seeing._unit", lambda vectors: torch.full_like(vectors, float("nan"))
    )
    with pytest.raises((BrokenResult, CannotLoad), match="out of range"):
        answer("interrogation")
