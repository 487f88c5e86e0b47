import os

import pytest
from pydantic import ValidationError

from worker.environment import ENGINE_ENVIRONMENT, prepare_environment
from worker.owner import key_of
from worker.settings import Settings, default_name


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("WORKER_MODELS", '["a=/b", "c"]')
    monkeypatch.setenv("WORKER_MAX_PIXELS", "262144")
    settings = Settings()
    assert (settings.models, settings.max_pixels) == (["a=/b", "c"], 262144)


def test_every_setting_is_described():
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_the_key_comes_from_its_file_or_directly(tmp_path):
    file = tmp_path / "key"
    file.write_text("from-the-file\n")
    assert key_of(Settings(api_key_file=file)) == "from-the-file"
    assert key_of(Settings(api_key_file=file, api_key="direct")) == "direct"
    assert key_of(Settings()) == ""
    assert "direct" not in repr(Settings(api_key="direct"))


@pytest.mark.parametrize("wrong", [{"max_pixels": 1}, {"threads": 0}, {"wait_seconds": 31}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        Settings(**wrong)


@pytest.mark.parametrize(
    ("host", "name"), [("Box.lan", "box"), ("my-colab-1", "worker"), ("", "worker")]
)
def test_the_default_name_is_one_that_hordes_accept(monkeypatch, host, name):
    monkeypatch.setattr("socket.gethostname", lambda: host)
    assert default_name() == name


def test_the_operators_environment_comes_first(monkeypatch):
    for variable in ENGINE_ENVIRONMENT:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    prepare_environment()
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    for variable in ENGINE_ENVIRONMENT:
        monkeypatch.delenv(variable)
