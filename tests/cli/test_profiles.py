"""Which horde is called, and as whom."""

import stat

import pytest

from cli import profiles
from cli.exits import Failure

HOME = "http://home.test"
FILE = f"""
profile = "home"

[profiles.home]
url = "{HOME}"
key = "home-key"

[profiles."work place"]
url = "http://work.test"
key = "work-key"
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    for name in ("HORDE_URL", "AI_HORDE_URL", "HORDE_API_KEY", "HORDE_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HORDE_CONFIG_DIR", str(tmp_path))
    return tmp_path


def chosen(**options):
    given = {"url": None, "key": None, "name": None} | options
    profile = profiles.resolve(**given)
    return profile.url, profile.key


def test_without_anything_it_is_this_machines_horde_and_nobody():
    assert chosen() == (profiles.DEFAULT_URL, profiles.ANONYMOUS_KEY)


def test_options_go_before_the_environment_and_that_before_the_file(folder, monkeypatch):
    (folder / "config.toml").write_text(FILE)
    assert chosen() == (HOME, "home-key")
    assert chosen(name="work place") == ("http://work.test", "work-key")
    monkeypatch.setenv("HORDE_PROFILE", "work place")
    assert chosen() == ("http://work.test", "work-key")
    monkeypatch.setenv("HORDE_API_KEY", "another-key")
    assert chosen() == ("http://work.test", "another-key")
    assert chosen(name="home") == (HOME, "home-key")
    assert chosen(key="given") == ("http://work.test", "given")
    monkeypatch.setenv("AI_HORDE_URL", "http://old.test/api/")
    assert chosen() == ("http://old.test/api/", "another-key")


def test_a_key_goes_only_to_the_horde_that_it_was_kept_for(folder, monkeypatch):
    (folder / "config.toml").write_text(FILE)
    assert chosen(url="http://evil.test") == ("http://evil.test", profiles.ANONYMOUS_KEY)
    assert chosen(url=f"{HOME}/") == (f"{HOME}/", "home-key")
    monkeypatch.setenv("HORDE_URL", "http://evil.test")
    assert chosen() == ("http://evil.test", profiles.ANONYMOUS_KEY)
    assert profiles.key_of(HOME) == "home-key"
    assert profiles.key_of("http://evil.test") == profiles.ANONYMOUS_KEY


def test_what_is_kept_can_be_read_by_its_owner_alone_and_is_read_again(folder):
    (folder / "config.toml").write_text(FILE)
    place = profiles.keep('a "strange" name', "http://new.test", "new-key")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert chosen() == ("http://new.test", "new-key")
    assert chosen(name="work place") == ("http://work.test", "work-key")
    profiles.keep("home", HOME, None)
    assert chosen() == (HOME, profiles.ANONYMOUS_KEY)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("profile = ", "is not TOML"),
        ("profiles = 1", "a profile has `url` and `key`"),
        ("[profiles.home]\nkey = 1", "a profile has `url` and `key`"),
        ('profile = "home"\n[profiles.home]\nurl = "home.test"', "is no address"),
        ('profile = "home"\n[profiles.home]\nkey = "f\\u00f6x"', "characters that no key has"),
    ],
)
def test_a_file_that_is_wrong_is_told(folder, content, told):
    (folder / "config.toml").write_text(content)
    with pytest.raises(Failure, match=told):
        chosen()


def test_a_profile_that_is_not_there_is_told_with_those_that_are(folder):
    (folder / "config.toml").write_text(FILE)
    with pytest.raises(Failure, match="there are: home, work place"):
        chosen(name="away")
