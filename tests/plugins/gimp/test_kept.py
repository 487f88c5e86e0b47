"""What the plug-in keeps on the disk: settings, and requests that are left."""

import stat
import time

import pytest

from records import record
from stable_horde.errors import Trouble
from stable_horde.left import Left
from stable_horde.places import Place
from stable_horde.regions import Box, Region
from stable_horde.settings import DEFAULT_URL, FILE, Settings

REGION = Region(Box(-3, 4, 5, 2), (64, 26), (64, 64))
PLACE = Place(REGION, bytes(range(10)), Box(-3, 0, 20, 20), 7)


def test_settings_are_read_as_they_were_saved_and_only_by_their_owner(tmp_path):
    chosen = Settings(url="https://horde.test", key="secret", nsfw=True, minutes=5)
    chosen.save(tmp_path / "new")
    assert Settings.load(tmp_path / "new", {}) == chosen
    assert stat.S_IMODE((tmp_path / "new" / FILE).stat().st_mode) == 0o600
    assert "secret" not in repr(chosen)


def test_the_environment_goes_before_the_file(tmp_path):
    Settings(url="https://horde.test", key="secret").save(tmp_path)
    given = {"HORDE_URL": "http://127.0.0.1:7001", "HORDE_API_KEY": "other"}
    read = Settings.load(tmp_path, given)
    assert (read.url, read.key) == ("http://127.0.0.1:7001", "other")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"url": 3, "minutes": -1, "max_pixels": 1e9, "nsfw": "yes"}']
)
def test_settings_that_make_no_sense_are_the_defaults(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert Settings.load(tmp_path, {}) == Settings()
    assert Settings().url == DEFAULT_URL


def test_a_record_is_kept_until_it_is_removed(tmp_path):
    left = Left(tmp_path)
    assert left.all() == []
    left.add(record("a-b", place=PLACE.stored()))
    left.add(record("c-d", asked=time.time() - 10))
    assert [each.id for each in left.all()] == ["a-b", "c-d"]
    assert left.get("c-d").id == "c-d"
    assert Place.of_stored(left.get("").place) == PLACE
    left.remove("a-b")
    left.remove("a-b")
    assert [each.id for each in left.all()] == ["c-d"]
    with pytest.raises(Trouble, match="no such request"):
        left.get("a-b")
    (file,) = (tmp_path / "left").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_id_never_leads_out_of_the_folder(tmp_path):
    Left(tmp_path).add(record("../../escaped"))
    assert [path.name for path in tmp_path.rglob("*.json")] == ["escaped.json"]
    assert (tmp_path / "left" / "escaped.json").exists()


def test_old_and_broken_records_are_thrown_away(tmp_path):
    left = Left(tmp_path)
    left.add(record("old", asked=time.time() - 8 * 86_400))
    (tmp_path / "left" / "broken.json").write_text("{")
    assert left.all() == []
    assert list((tmp_path / "left").iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"mask": "x"},
        {"mask": 3},
        {"region": {"box": {}}},
        {"canvas": {"x": 0, "y": 0, "width": 10**9, "height": 1}},
        {"above": True},
    ],
)
def test_a_place_that_makes_no_sense_is_refused(change):
    with pytest.raises(Trouble, match="cannot be read"):
        Place.of_stored({**PLACE.stored(), **change})
