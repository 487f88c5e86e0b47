"""`documents/…` and their pages: what ships, and the operator's own."""

import re

import pytest

import serving
from core import static

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ("terms", "privacy", "sponsors")


@pytest.mark.parametrize("name", NAMES)
async def test_a_document_comes_in_one_form(site, name):
    html = (await site.get(f"/documents/{name}")).json()
    assert html.keys() == {"html"}
    assert html == (await site.get(f"/documents/{name}?format=html")).json()
    assert html["html"].startswith(f"<h1>{name.capitalize()}")
    markdown = (await site.get(f"/documents/{name}?format=markdown")).json()
    assert markdown.keys() == {"markdown"}
    assert markdown["markdown"].startswith(f"# {name.capitalize()}")
    page = await site.http.get(f"/{name}")
    assert html["html"] in page.text
    assert page.headers["Content-Type"].startswith("text/html")


async def test_no_other_form_is_known(site):
    answer = await site.get("/documents/terms?format=pdf")
    assert (answer.status_code, answer.json()["rc"]) == (400, "BadRequest")
    assert (await site.get("/documents/imprint")).status_code == 404


async def test_the_privacy_page_says_the_times_that_hold(databases, tmp_path):
    times = {"request_minutes": 33, "picture_minutes": 444, "session_days": 5}
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, **times) as server:
            text = (await server.get("/documents/privacy?format=markdown")).json()["markdown"]
    for promised in ("33 minutes", "444 minutes", "5 days", "No address is told"):
        assert promised in text
    assert "$" not in text


async def test_the_privacy_page_names_who_judges_addresses(databases, tmp_path):
    scorer = "https://judge.example/v1?key=secret&ip={address}"
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, address_scorer_url=scorer) as server:
            text = (await server.get("/documents/privacy?format=markdown")).json()["markdown"]
    assert "`judge.example` is asked" in text
    assert "secret" not in text


async def test_an_operator_has_documents_of_their_own(databases, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "terms.md").write_text("# Be kind\n\n<script>alert(1)</script> costs $5 & ${more}")
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, documents_dir=own) as server:
            terms = (await server.http.get("/terms")).text
            privacy = (await server.http.get("/privacy")).text
    assert "<h1>Be kind</h1>" in terms
    assert "&lt;script&gt;alert(1)&lt;/script&gt; costs $5 &amp; ${more}" in terms
    assert "<h1>Privacy</h1>" in privacy


async def test_pages_link_to_what_is_there(site):
    pages = [(await site.http.get(path)).text for path in ("/register", "/transfer", "/privacy")]
    links = {link for page in pages for link in re.findall(r'(?:href|src)="(/[^"]*)"', page)}
    files = {link.rpartition("/")[2] for link in links if link.startswith("/assets/")}
    assert files >= {"look.css", "site.css", "mark.svg"}
    assert "/terms" in links
    for link in links - {"/"}:  # the front page is the plug-in's
        assert (await site.http.get(link)).status_code in (200, 308), link


HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_files_have_addresses_that_differ_with_what_they_say(site, tmp_path):
    page = (await site.http.get("/register")).text
    (look,) = re.findall(r'"(/assets/[0-9a-f]{12}/look.css)"', page)
    answer = await site.http.get(look)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    missing = await site.http.get("/assets/0123456789ab/look.css")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers.get("Cache-Control", "")
    (tmp_path / "a.js").write_text("one")
    first = static.address("/web", tmp_path)
    assert static.address("/web", tmp_path) == first
    (tmp_path / "a.js").write_text("two")
    assert static.address("/web", tmp_path) != first


@pytest.mark.parametrize(("path", "status"), [("/nope", 404), ("/login", 405)])
async def test_people_at_a_wrong_address_get_a_page_and_programs_json(site, path, status):
    person = await site.http.get(path, headers=HTML)
    assert person.status_code == status
    assert "There is nothing here" in person.text
    assert "default-src 'none'" in person.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in person.headers
    program = await site.http.get(path, headers={"Accept": "*/*"})
    assert (program.status_code, list(program.json())) == (status, ["message"])
    assert "message" in (await site.http.get("/api/v2/nope", headers=HTML)).json()


async def test_the_mark_is_where_browsers_look_for_it(site):
    for path in ("/favicon.ico", "/assets/mark.svg"):
        answer = await site.http.get(path)
        assert (answer.status_code, answer.headers["Content-Type"][:13]) == (200, "image/svg+xml")
