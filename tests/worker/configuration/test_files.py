"""worker.toml: made with every setting, read with the environment before it, never by others."""

import os
import stat
import tomllib

import pytest

from worker.configuration import files, template
from worker.configuration.files import WrongSettings
from worker.settings import Settings


def test_a_new_file_says_every_setting_and_changes_none(tmp_path):
    path = tmp_path / "new" / "worker.toml"
    files.make(path)
    text = path.read_text()
    missing = [name for name in Settings.model_fields if f"\n#{name} = " not in text]
    assert missing == ["config"]  # which says where this file is
    assert tomllib.loads(text) == {}
    assert files.load(path).settings.model_dump() == Settings().model_dump()


def test_each_line_of_a_new_file_can_be_put_to_use(tmp_path):
    path = tmp_path / "worker.toml"
    files.make(path)
    lines = path.read_text().splitlines()
    settings = [line.removeprefix("#") for line in lines if line[:1] == "#" and line[1:2] != " "]
    path.write_text("\n".join(line for line in settings if line))
    path.chmod(0o600)
    loaded = files.load(path)
    assert loaded.notes == ()
    assert loaded.settings.max_pixels == Settings().max_pixels


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_nobody_else_can_read_what_holds_a_key(tmp_path):
    path = tmp_path / "worker.toml"
    files.make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text('api_key = "a-secret"\n')
    path.chmod(0o644)
    assert "chmod 600" in files.load(path).notes[0]


def test_a_file_that_is_there_is_never_written_over(tmp_path):
    path = tmp_path / "worker.toml"
    path.write_text("nsfw = false\n")
    with pytest.raises(FileExistsError):
        files.make(path)
    assert path.read_text() == "nsfw = false\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits")
def test_half_a_file_does_not_stay_where_the_disk_is_full(tmp_path):
    import resource

    path = tmp_path / "worker.toml"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            files.make(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not path.exists()
    assert files.make(path)


def test_the_environment_comes_before_the_file_and_the_file_before_defaults(tmp_path, monkeypatch):
    path = tmp_path / "worker.toml"
    path.write_text('max_pixels = 65536\nmax_length = 100\nmodels = ["a", "b"]\n')
    monkeypatch.setenv("WORKER_MAX_LENGTH", "200")
    settings = files.load(path).settings
    assert (settings.max_pixels, settings.max_length) == (65536, 200)
    assert (settings.models, settings.batch) == (["a", "b"], 0)


def test_the_file_is_the_one_named_or_lies_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKER_DATA_DIR", str(tmp_path))
    assert files.place() == tmp_path / "worker.toml"
    monkeypatch.setenv("WORKER_CONFIG", str(tmp_path / "mine.toml"))
    assert files.place() == tmp_path / "mine.toml"
    assert files.place(tmp_path / "given.toml") == tmp_path / "given.toml"
    with pytest.raises(WrongSettings, match="no such file"):
        files.load()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("threads = 0", "worker.toml: threads: "),
        ("threads =", "worker.toml: "),
        ('kinds = ["video"]', "worker.toml: kinds"),
        ("\x00", "worker.toml: "),
        ("blacklist = " + "[" * 5000, "worker.toml: "),
        ("batch = " + "9" * 5000, "worker.toml: "),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, told):
    path = tmp_path / "worker.toml"
    path.write_text(text)
    with pytest.raises(WrongSettings, match=told):
        files.load(path)


@pytest.mark.parametrize("name", ["bridgeData.yaml", "bridgeData.py"])
def test_former_settings_that_are_nested_without_end_are_wrong(tmp_path, name):
    path = tmp_path / name
    path.write_text("BRIDGE = " + "[" * 20_000 if name.endswith("py") else "[" * 20_000)
    with pytest.raises(WrongSettings, match=name):
        files.load(path)


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    path = tmp_path / "worker.toml"
    path.write_text("batch = 2\r\n", encoding="utf-8-sig")
    assert files.load(path).settings.batch == 2


def test_what_is_wrong_is_said_without_the_secret(tmp_path, monkeypatch):
    path = tmp_path / "worker.toml"
    path.write_text('api_key = ["top-secret"]\n')
    with pytest.raises(WrongSettings) as raised:
        files.load(path)
    assert "top-secret" not in str(raised.value)


def test_a_slip_of_the_pen_is_said_with_what_was_meant(tmp_path):
    path = tmp_path / "worker.toml"
    path.write_text("max_pixel = 65536\nzzz = 1\n")
    assert files.load(path).notes == (
        "'max_pixel' is no setting; 'max_pixels' is",
        "'zzz' is no setting",
    )


@pytest.mark.parametrize(
    "value", ["plain", 'with "quotes" and \\', "ein Ä", "a\nb\x7f", 3, 2.5, True, ["a", "b"], []]
)
def test_values_are_written_as_they_are_read(value):
    assert tomllib.loads(f"key = {template.toml(value)}") == {"key": value}
