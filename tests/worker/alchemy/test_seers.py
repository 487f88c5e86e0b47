"""Networks of the real architectures look at pictures; their weights are random."""

import json

import pytest
from PIL import Image

import tiny_seers
from worker.alchemy import served
from worker.alchemy.served import ARCHITECTURES, Seer
from worker.image.inspection import NotUsable
from worker.renderer import CannotLoad, CannotRender
from worker.settings import Settings
from worker.shelf import Kept, Shelf

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(400)]
PICTURE = Image.radial_gradient("L").convert("RGB")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("seers")
    return {form: tiny_seers.build(root / form, form) for form in ARCHITECTURES}


@pytest.fixture
def seers(one_thread):
    from worker.alchemy.seers import Seers

    return Seers("cpu")


def answer(seers, folders, form):
    seer = served.inspect(form, folders[form])
    seers.load(seer)
    return seers.answer(seer, PICTURE)


@pytest.mark.parametrize("form", ["caption", "describe"])
def test_a_writer_says_words(seers, folders, form):
    said = answer(seers, folders, form)
    assert isinstance(said, str)
    assert set(said) <= set("a fox house##s")


def test_an_interrogator_ranks_the_words_of_each_list(seers, folders):
    told = answer(seers, folders, "interrogation")
    assert {"mediums", "movements", "tags", "flavors"} == told.keys()
    for ranked in told.values():
        confidences = [one["confidence"] for one in ranked]
        assert confidences == sorted(confidences, reverse=True)
        assert len(ranked) == 5
        assert all(one["text"] for one in ranked)


def test_a_guard_says_yes_or_no(seers, folders):
    assert answer(seers, folders, "nsfw") in {True, False}


def test_a_judge_gives_a_number(seers, folders):
    assert isinstance(answer(seers, folders, "aesthetic"), float)


def test_what_is_not_whole_is_not_offered(folders, tmp_path):
    settings = Settings(data_dir=tmp_path)
    for form, folder in folders.items():
        (tmp_path / form).symlink_to(folder)
    assert served.seers(settings, [tmp_path]).keys() == set(ARCHITECTURES)
    (tmp_path / "nsfw").unlink()
    (tmp_path / "caption").unlink()
    (tmp_path / "caption").symlink_to(folders["nsfw"])
    assert served.seers(settings, [tmp_path]).keys() == set(ARCHITECTURES) - {"nsfw", "caption"}


def test_an_added_form_is_offered_by_its_name(folders, tmp_path):
    Shelf(tmp_path).put(Kept("nsfw", "form", str(folders["nsfw"]), "a test"))
    found = served.forms(Settings(data_dir=tmp_path), [])
    assert list(found) == ["palette", "vectorize", "strip_background", "nsfw"]
    assert found["nsfw"] == Seer("nsfw", folders["nsfw"])
    wanted = Settings(data_dir=tmp_path, forms=["nsfw", "caption"])
    assert list(served.forms(wanted, [])) == ["nsfw"]


def test_a_folder_of_another_kind_is_refused(folders, tmp_path):
    with pytest.raises(NotUsable, match="StableDiffusionSafetyChecker, not CLIPModel"):
        served.inspect("interrogation", folders["nsfw"])
    with pytest.raises(NotUsable, match="no form"):
        served.inspect("palette", folders["nsfw"])
    with pytest.raises(NotUsable):
        served.inspect("nsfw", tmp_path)


def test_broken_weights_are_found_when_they_are_loaded(seers, folders, tmp_path):
    config = json.loads((folders["nsfw"] / "config.json").read_text())
    config["vision_config"]["hidden_size"] = 4
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes(
        (folders["nsfw"] / "model.safetensors").read_bytes()
    )
    with pytest.raises(CannotLoad):
        seers.load(Seer("nsfw", tmp_path))
    with pytest.raises(CannotRender):
        seers.answer(Seer("nsfw", tmp_path), PICTURE)
