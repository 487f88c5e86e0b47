"""Settings of earlier workers are taken over, and their Python files are never run."""

import pytest

from worker.configuration import bridge_data, files
from worker.configuration.bridge_data import NoBridgeData
from worker.configuration.files import WrongSettings
from worker.owner import key_of

YAML = """
horde_url: "https://horde.example"
api_key: "a-key"
dreamer_name: "My Machine"
scribe_name: "An Awesome Scribe"
priority_usernames: ["me#1"]
max_power: 32
max_batch: 4
max_threads: 2
queue_size: 1
nsfw: false
censor_nsfw: true
blacklist: ["a word"]
allow_img2img: true
allow_painting: false
extra_slow_worker: true
models_to_load:
  - "stable_diffusion"
  - "top 2"
  - "ALL SDXL MODELS"
  - "Deliberate"
models_to_skip: ["deliberate"]
kai_url: "http://localhost:5001"
inference_step_timeout: 30
something_of_theirs: 7
"""


def test_the_keys_of_a_yaml_file_are_known(tmp_path):
    path = tmp_path / "bridgeData.yaml"
    path.write_text(YAML)
    loaded = files.load(path)
    settings = loaded.settings
    assert (settings.url, key_of(settings), settings.name) == (
        "https://horde.example",
        "a-key",
        "My Machine",
    )
    assert settings.max_pixels == 32 * 64 * 64 * 8
    assert (settings.batch, settings.nsfw, settings.extra_slow) == (4, False, True)
    assert (settings.img2img, settings.painting) == (True, False)
    assert (settings.blacklist, settings.priority_usernames) == (["a word"], ["me#1"])
    assert settings.models == ["stable_diffusion"]
    assert settings.text_server == "koboldcpp=http://localhost:5001"
    assert settings.step_timeout == 30
    told = "\n".join(loaded.notes)
    assert "'top 2' chose by a list" in told
    assert "'ALL SDXL MODELS' chose by a list" in told
    assert "something_of_theirs has no counterpart here" in told
    assert "queue_size" not in told
    assert "censor" not in told


PYTHON = """
# Made by hand, long ago
import os
open({trap!r}, "w")
horde_url = "https://horde.example"
worker_name = "An Awesome Instance"
api_key: str = "0000000000"
max_power = 8
models_to_load = ["stable_diffusion", "Deliberate"]
nsfw = os.environ.get("NSFW")
class Later:
    max_length = 100
"""


def test_a_python_file_is_parsed_and_not_run(tmp_path):
    trap = tmp_path / "trap"
    path = tmp_path / "bridgeData.py"
    path.write_text(PYTHON.format(trap=str(trap)))
    imported = bridge_data.read(path)
    assert not trap.exists()
    assert imported.values == {
        "url": "https://horde.example",
        "max_pixels": 8 * 64 * 64 * 8,
        "models": ["stable_diffusion", "Deliberate"],
        "max_length": 100,
    }
    told = "\n".join(imported.notes)
    assert "nsfw is computed by the file" in told
    assert "api_key was the anonymous one" in told


def test_the_first_start_takes_over_what_lies_in_the_folder(tmp_path):
    (tmp_path / "bridgeData.yaml").write_text("api_key: 'mine'\nnsfw: false\n")
    path = tmp_path / "data" / "worker.toml"
    said = files.make(path, files.former(tmp_path))
    assert "with what bridgeData.yaml says" in said[0]
    settings = files.load(path).settings
    assert (key_of(settings), settings.nsfw) == ("mine", False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bridgeData.yaml", "a: [1"),
        ("bridgeData.yaml", "just words"),
        ("bridgeData.yaml", "!!python/object/apply:os.system ['true']"),
        ("bridgeData.py", "if"),
        ("bridgeData.py", "x = " + "(" * 5000),
    ],
)
def test_what_is_no_such_file_is_said(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(NoBridgeData):
        bridge_data.read(path)
    with pytest.raises(WrongSettings, match=name):
        files.load(path)


def test_files_under_names_become_models(tmp_path):
    path = tmp_path / "bridgeData.yaml"
    path.write_text("custom_models:\n - {name: Mine, baseline: any, filepath: /m/mine.safetensors}")
    assert bridge_data.read(path).values == {"models": ["Mine=/m/mine.safetensors"]}


@pytest.mark.parametrize("value", ["many", -1, None, True])
def test_nonsense_in_a_file_is_no_failure(tmp_path, value):
    path = tmp_path / "bridgeData.py"
    path.write_text(f"max_power = {value!r}\nmodels_to_load = {value!r}\ncustom_models = {value!r}")
    assert bridge_data.read(path).values.get("max_pixels", 32768) == 32768
