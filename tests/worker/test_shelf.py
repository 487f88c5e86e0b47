import pytest

from worker import lookup
from worker.settings import SHIPPED, Settings
from worker.shelf import BrokenList, FileFacts, Kept, Shelf

NEW = Kept("My Model", "image", "my-model", "a hub", "MIT", {"": FileFacts(3, "ab" * 32)})


def test_what_was_put_there_is_there_until_it_is_taken(tmp_path):
    shelf = Shelf(tmp_path)
    assert shelf.read() == {}
    shelf.put(NEW)
    assert Shelf(tmp_path).read() == {"My Model": NEW}
    assert shelf.path(NEW) == tmp_path / "models" / "my-model"
    shelf.take("My Model")
    assert shelf.read() == {}
    assert [one.name for one in shelf.folder.iterdir()] == ["models.json"]


def test_a_broken_list_is_said_and_not_written_over(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.folder.mkdir()
    (shelf.folder / "models.json").write_text("{")
    with pytest.raises(BrokenList):
        shelf.put(NEW)
    assert (shelf.folder / "models.json").read_text() == "{"
    assert lookup.wanted(Settings(data_dir=tmp_path), "image") == ["horde-tiny"]


def test_added_models_are_served_where_the_settings_name_none(tmp_path):
    Shelf(tmp_path).put(NEW)
    place = tmp_path / "models" / "my-model"
    assert lookup.wanted(Settings(data_dir=tmp_path), "image") == [
        "horde-tiny",
        f"My Model={place}",
    ]
    chosen = Settings(data_dir=tmp_path, models=["My Model", "other"])
    assert lookup.wanted(chosen, "image") == [f"My Model={place}", "other"]
    assert lookup.folders(chosen) == [SHIPPED, tmp_path, tmp_path / "models"]
