"""What installing promises: nothing shadowed, nothing of one machine, no torch in the server."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import alembic
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONSTRAINTS = (ROOT / "constraints.txt").read_text().splitlines()
EXCLUDED = {
    line for line in (ROOT / "excludes.txt").read_text().splitlines() if not line.startswith("#")
}
HEAVY = {"accelerate", "diffusers", "safetensors", "scipy", "torch", "torchsde", "transformers"}

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for found in pkgutil.walk_packages(package.__path__, name + "."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
print(*sys.modules)
"""


IMPORT_WITH_NOTHING_ELSE = """
import importlib, importlib.metadata, json, pkgutil, sys
wanted, distributions = json.loads(sys.argv[1]), set(json.loads(sys.argv[2]))
normal = lambda name: name.lower().replace("_", "-").replace(".", "-")
installed = importlib.metadata.packages_distributions()
class Absent:
    def find_spec(self, name, path=None, target=None):
        owners = {normal(one) for one in installed.get(name.partition(".")[0], ())}
        if owners and not owners & distributions:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
for name in wanted:
    package = importlib.import_module(name)
    for found in pkgutil.walk_packages(package.__path__, name + "."):
        importlib.import_module(found.name)
print(*sys.modules)
"""


def needed(extra: str) -> set[str]:
    """Names of all distributions that `stable-horde[extra]` asks for, however far down."""
    seen, waiting = set(), {("stable-horde", extra), ("stable-horde", "")}
    while waiting:
        seen.add(here := waiting.pop())
        name, wanted = here
        for requirement in map(Requirement, metadata.requires(name) or []):
            if requirement.name in EXCLUDED:
                continue
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                below = canonicalize_name(requirement.name)
                waiting |= {(below, one) for one in {"", *requirement.extras}} - seen
    return {name for name, _ in seen}


def test_the_migrations_folder_does_not_hide_alembic():
    assert not (ROOT / "alembic" / "__init__.py").exists()
    assert "site-packages" in Path(alembic.__file__).parts


def test_what_is_installed_fits_together():
    check = [sys.executable, "-m", "pip", "check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    left_out = [f" requires {one}, which is not installed." for one in EXCLUDED]
    wrong = [line for line in done.stdout.splitlines() if not line.endswith(tuple(left_out))]
    assert done.returncode == 0 or not wrong, done.stdout


@pytest.mark.parametrize("extra", ["server", "cli"])
def test_the_server_and_the_command_line_install_without_torch(extra):
    assert {"httpx", "pydantic"} < needed(extra)
    assert not needed(extra) & HEAVY
    assert needed("worker") > HEAVY, "otherwise this test sees nothing"


def test_the_server_and_the_command_line_import_no_torch():
    command = [sys.executable, "-c", IMPORT_EVERYTHING, "core", "web", "cli"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split())
    assert {"core.db", "sqlalchemy"} < imported
    assert not imported & HEAVY


@pytest.mark.parametrize(
    ("extra", "packages"), [("", ["core.client", "core.wire"]), ("cli", ["core.client", "cli"])]
)
def test_clients_need_no_part_of_the_server(extra, packages):
    """As in an environment where nothing is installed but what the extra asks for."""
    allowed = sorted(needed(extra))
    assert not {"quart", "sqlalchemy", "torch"} & set(allowed)
    script = [sys.executable, "-c", IMPORT_WITH_NOTHING_ELSE]
    told = [json.dumps(packages), json.dumps(allowed)]
    done = subprocess.run([*script, *told], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert {"httpx", "core.client.horde"} < set(done.stdout.split())
    assert not {"quart", "sqlalchemy", "torch"} & set(done.stdout.split())


def test_constraints_hold_versions_alone():
    pin = re.compile(r"[a-z0-9-]+==[0-9a-z.]+( ; [^/@]+)?")
    assert len(CONSTRAINTS) > 50
    assert [line for line in CONSTRAINTS if not pin.fullmatch(line)] == []


def test_constraints_cover_every_direct_dependency():
    project = PROJECT["project"]
    asked = sum(project["optional-dependencies"].values(), start=project["dependencies"])
    names = {canonicalize_name(Requirement(line).name) for line in asked} - {"stable-horde"}
    assert names <= {line.partition("==")[0] for line in CONSTRAINTS}


def test_torch_is_pinned_with_and_without_the_constraints():
    (pin,) = [one for one in CONSTRAINTS if one.startswith("torch==")]
    assert pin in PROJECT["project"]["optional-dependencies"]["worker"]


def test_every_tool_speaks_of_the_same_packages():
    tools = PROJECT["tool"]
    packages = tools["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert tools["importlinter"]["root_packages"] == packages
    assert tools["coverage"]["run"]["source"] == packages


def test_no_tracked_file_names_a_package_index():
    index = re.compile(rb"pypi\.(org|python)|pythonhosted|download\.pytorch|index-url")
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True, cwd=ROOT)
    tracked = {ROOT / name for name in listed.stdout.decode().split("\0") if name}
    assert Path(__file__) in tracked
    there = [path for path in tracked - {Path(__file__)} if path.is_file()]
    assert [path for path in there if index.search(path.read_bytes())] == []


def test_the_readme_names_targets_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    readme = (ROOT / "README.md").read_text("utf-8")
    named = set(re.findall(r"(?:^|[`$ ])make ([a-z-]+)(?=[ `\n])", code_of(readme)))
    assert {"up", "demo", "test"} <= named <= targets


def code_of(markdown: str) -> str:
    """Keep what stands in fences or backticks: "make" is also a word."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", markdown, re.DOTALL))
