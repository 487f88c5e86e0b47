import os

import pytest

from worker.configuration import files
from worker.configuration.reload import AT_ONCE, Reloader
from worker.settings import Settings
from worker.shelf import Kept, Shelf


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "worker.toml"
    write(file, "")
    return file


def write(file, text):
    file.write_text(f'data_dir = "{file.parent}"\n{text}')
    file.chmod(0o600)
    earlier = file.stat().st_mtime_ns - 10**9 * len(text)
    os.utime(file, ns=(earlier, earlier))  # a clock that is too coarse would hide a change


class Applied(list):
    def __init__(self, path):
        self.said = []
        settings = files.load(path).settings
        self.reloader = Reloader(path, settings, self.append, self.said.append)


def test_a_changed_file_is_read_again(path):
    applied = Applied(path)
    applied.reloader.look()
    assert applied == []
    write(path, "nsfw = false\nmax_pixels = 65536\n")
    applied.reloader.look()
    assert [(one.nsfw, one.max_pixels) for one in applied] == [(False, 65536)]
    assert applied.said == ["settings read again: max_pixels, nsfw"]


def test_what_cannot_change_waits_for_the_next_start(path):
    applied = Applied(path)
    write(path, 'device = "mps"\nnsfw = false\n')
    applied.reloader.look()
    assert [(one.device, one.nsfw) for one in applied] == [("auto", False)]
    assert applied.said[1] == "takes effect at the next start: device"


def test_a_file_that_makes_no_sense_changes_nothing(path):
    applied = Applied(path)
    write(path, "threads = 0")
    applied.reloader.look()
    assert applied == []
    assert "settings not read again" in applied.said[0]
    assert "threads" in applied.said[0]
    write(path, "nsfw = false")
    applied.reloader.look()
    assert len(applied) == 1


def test_a_model_that_was_added_is_served_without_a_start(path):
    applied = Applied(path)
    Shelf(path.parent).put(Kept("new", "image", "new", "a test"))
    applied.reloader.look()
    assert len(applied) == 1
    assert applied.said == []


def test_a_file_that_goes_away_leaves_the_defaults(path, monkeypatch):
    monkeypatch.setenv("WORKER_DATA_DIR", str(path.parent))
    write(path, "nsfw = false")
    applied = Applied(path)
    path.unlink()
    applied.reloader.look()
    assert [one.nsfw for one in applied] == [True]


def test_what_changes_at_once_are_settings():
    assert Settings.model_fields.keys() >= AT_ONCE
