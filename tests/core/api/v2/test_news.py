import json
import re

import pytest

import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_ships_is_whole(site):
    pieces = (await site.get("/status/news")).json()
    assert pieces
    for piece in pieces:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", piece["date_published"])
        assert piece["title"]
        assert piece["newspiece"]
        assert piece["importance"] == "Information"


async def test_the_newest_comes_first(databases, tmp_path):
    dates = ["2026-01-02", "2026-11-01", "2025-12-31"]
    news = [{"date_published": date, "title": date, "newspiece": "x"} for date in dates]
    (tmp_path / "news.json").write_text(json.dumps(news))
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, documents_dir=tmp_path) as server:
            pieces = (await server.get("/status/news")).json()
    assert [piece["title"] for piece in pieces] == sorted(dates, reverse=True)
    assert pieces[0].keys() == {
        "date_published",
        "newspiece",
        "importance",
        "tags",
        "title",
        "more_info_urls",
    }
