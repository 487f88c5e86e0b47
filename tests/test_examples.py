"""The examples work as their first lines say."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

import town as towns

EXAMPLES = Path(__file__).parent.parent / "examples"

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def town(databases, tmp_path_factory):
    with towns.open_town(tmp_path_factory.mktemp("town"), databases) as town:
        yield town


def test_articles_get_pictures_with_texts_for_who_cannot_see_them(town, tmp_path):
    site = tmp_path / "public"
    for _ in range(2):
        town.program(sys.executable, EXAMPLES / "cms.py", EXAMPLES / "articles.csv", site)
    page = (site / "index.html").read_text()
    assert '<img src="foxes.webp" alt="A red fox"><figcaption>Foxes, and where they' in page
    assert 'alt="a rocket on a blue background"' in page
    assert len((site / "manifest.jsonl").read_text().splitlines()) == 2


def test_sprites_come_on_one_sheet(town, tmp_path):
    town.program("sh", EXAMPLES / "sprites.sh", tmp_path / "sprites", SIZE="64x64")
    lines = (tmp_path / "sprites" / "manifest.jsonl").read_text().splitlines()
    assert len({json.loads(line)["prompt"] for line in lines}) == 8
    with Image.open(tmp_path / "sprites" / "sheet.png") as sheet:
        assert (sheet.size, sheet.mode) == ((4 * 64, 2 * 64), "RGBA")
