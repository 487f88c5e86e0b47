"""Scripts and templates of AI-Horde-CLI, as people have them."""

import json

import pytest

from cli import old_options, parameters, templates
from cli.exits import Failure

YAML = """
filename: "horde.webp"
api_key: "0000000000"
# source_image: ""
imgen_params:
  n: 2
  width: 512
  height: 768
  steps: 20
  sampler_name: "k_euler_a"
  cfg_scale: 7.5
  karras: true
  seed: 1312
  post_processing:
    - GFPGAN
  loras:
    - name: "GlowingRunesAIV6"
      inject_trigger: any
  tis:
    - name: 7808
      inject_ti: "negprompt"
      strength: 0.5
submit_dict:
  prompt: "a horde of cute, fluffy monsters ### fog"
  nsfw: false
  censor_nsfw: false
  trusted_workers: false
  slow_workers: true
  shared: false
  r2: true
  dry_run: false
  models:
    - "Deliberate"
  workers:
    - "abc"
source_processing: img2img
source_mask: ""
extra_source_images:
"""

PYTHON = """
import os
filename = "horde.png"
os.system("touch ran")
imgen_params = {
    "n": 1,
    "width": 64*8,
    "height": 512,
    "steps": 50,
}
imgen_params = {"n": 1, "width": 512, "height": 512, "steps": 50}
submit_dict = {"prompt": "a horde of cute stable robots", "api_key": "0000000000"}
"""


def test_a_template_in_yaml_asks_for_the_same(tmp_path):
    (tmp_path / "cliRequestsData.yml").write_text(YAML)
    read = templates.read(str(tmp_path / "cliRequestsData.yml"))
    assert (read.out, read.key, read.dry_run) == ("horde.webp", "0000000000", False)
    assert read.prompt is not None
    body = parameters.body(read.prompt, read.given)
    assert body == {
        "prompt": "a horde of cute, fluffy monsters ### fog",
        "models": ["Deliberate"],
        "workers": ["abc"],
        "nsfw": False,
        "censor_nsfw": False,
        "trusted_workers": False,
        "slow_workers": True,
        "shared": False,
        "params": {
            "n": 2,
            "width": 512,
            "height": 768,
            "steps": 20,
            "sampler_name": "k_euler_a",
            "cfg_scale": 7.5,
            "karras": True,
            "seed": "1312",
            "post_processing": ["GFPGAN"],
            "loras": [
                {"name": "GlowingRunesAIV6", "model": 1.0, "clip": 1.0, "inject_trigger": "any"}
            ],
            "tis": [{"name": "7808", "inject_ti": "negprompt", "strength": 0.5}],
        },
    }


def test_a_template_in_python_is_read_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cliRequestsData.py").write_text(PYTHON)
    read = templates.read("cliRequestsData.py")
    assert not (tmp_path / "ran").exists()
    assert read.prompt == "a horde of cute stable robots"
    assert read.given == {"n": 1, "width": 512, "height": 512, "steps": 50}


def test_special_parameters_lie_beside_the_template(tmp_path):
    (tmp_path / "a.yml").write_text("submit_dict: {prompt: a fox}")
    (tmp_path / "special.json").write_text('{"a": [1]}')
    given = templates.read(str(tmp_path / "a.yml")).given
    assert parameters.body("a fox", given)["params"]["special"] == {"a": [1]}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.yml", "a: [", "is not a template"),
        ("a.yml", "just words", "it has no names"),
        ("a.yml", "submit_dict: [1]", "submit_dict is not a table"),
        ("a.py", "filename = ", "is not a template: line 1"),
        ("b.yml", None, "cannot be read"),
    ],
)
def test_what_is_no_template_is_told(tmp_path, name, content, told):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(Failure, match=told):
        templates.read(str(tmp_path / name))


def test_old_options_have_todays_names():
    old = ["-p", "a", "--api_key=0", "--source_image", "f", "-vvq", "--horde", "u", "--", "-v"]
    new = ["-p", "a", "--key=0", "--source", "f", "--url", "u", "--", "-v"]
    assert old_options.renamed(old) == new


def test_an_old_command_line_works_as_it_is(town, tmp_path):
    town.run(
        *("generate", "-p", "a horde of robots", "-n", "1", "-w", "128", "-l", "64", "-s", "8"),
        *("--api_key", "0000000000", "-f", "horde.png", "--censor_nsfw", "-v"),
        cwd=tmp_path,
    )
    assert (tmp_path / "horde.png").stat().st_size


def test_an_old_template_works_as_it_is(town, tmp_path):
    template = tmp_path / "cliRequestsData.yml"
    template.write_text(
        "filename: robots.webp\napi_key: '0000000000'\nimgen_params: {n: 2, steps: 8}\n"
        "submit_dict: {prompt: robots, r2: true, models: []}\n"
    )
    told = town.run("generate", "--yml", template, "--json", cwd=tmp_path)
    made = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert [one["file"] for one in made["pictures"]] == ["robots.webp", "robots-1.webp"]
