"""The docs say what is: settings, links, targets and commands."""

import re
from pathlib import Path

import pytest

from bot.settings import Settings as BotSettings
from cli.settings import ClientSettings, EmbeddedSettings
from core.settings import Settings as ServerSettings
from worker.settings import Settings as WorkerSettings

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def variables():
    for settings in (ServerSettings, WorkerSettings, ClientSettings, EmbeddedSettings, BotSettings):
        prefix = settings.model_config["env_prefix"]
        for name, field in settings.model_fields.items():
            yield pytest.param(f"{prefix}{name}".upper(), field, id=f"{prefix}{name}".upper())


@pytest.mark.parametrize(("variable", "field"), list(variables()))
def test_each_setting_is_documented(variable, field):
    pages = (ROOT / "docs" / "settings.md").read_text() + (ROOT / "docs" / "cli.md").read_text()
    assert f"`{variable}`" in pages
    assert field.description, f"{variable} says nothing about itself"


def test_no_documented_setting_is_gone():
    documented = re.findall(
        r"^\| `((?:HORDE|WORKER|BOT)_\w+)`",
        (ROOT / "docs" / "settings.md").read_text(),
        re.MULTILINE,
    )
    there = {parameter.values[0] for parameter in variables()}
    assert documented
    assert set(documented) <= there


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not broken


def test_the_code_named_in_the_docs_is_there():
    named = set()
    for page in PAGES:
        named |= set(re.findall(r"`((?:core|web|worker|cli|bot)/[\w/]+\.py)`", page.read_text()))
    assert named
    assert not [path for path in sorted(named) if not (ROOT / path).is_file()]


def test_each_refusal_of_the_docs_exists_in_the_code():
    """The codes that the docs name are codes that the server can answer."""
    sources = "".join(path.read_text() for path in (ROOT / "core").rglob("*.py"))
    for page in PAGES:
        for code in re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", page.read_text()):
            assert code in sources, f"{page.name} names {code}"
