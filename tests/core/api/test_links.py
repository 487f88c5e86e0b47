"""Which programs get pictures as links, and which as base64, by what the horde's address is."""

import pytest

from core.api import links
from core.catalog import agents

HTTP, HTTPS = "http://horde.test:7001", "https://horde.test"
ASKED = {"r2": True, "r2_named": True}
CLI, GIMP2 = "python-requests/2.32", "Python-urllib/2.7"


@pytest.mark.parametrize(
    ("delivery", "url", "params", "names", "by_link"),
    [
        ("auto", HTTPS, {"r2": True}, (), True),
        ("auto", HTTPS, ASKED, (GIMP2,), True),
        ("auto", HTTPS, {"r2": False, "r2_named": True}, (), False),
        ("auto", HTTP, {"r2": True}, (), False),  # as requests of before say nothing more
        ("auto", HTTP, {"r2": True, "r2_named": False}, (CLI,), False),
        ("auto", HTTP, {"r2": False, "r2_named": True}, (CLI,), False),
        ("auto", HTTP, ASKED, ("unknown:0:unknown", CLI), True),
        ("auto", HTTP, ASKED, (), True),
        ("auto", HTTP, ASKED, ("unknown:0:unknown", GIMP2), False),
        ("auto", HTTP, ASKED, ("AIHordeForGimp:1:x", CLI), False),
        ("auto", HTTP, ASKED, ("unknown:0:unknown", "AIHordeForLibreOffice/0.5"), False),
        ("url", HTTP, {"r2": True}, (GIMP2,), True),
        ("url", HTTP, {"r2": False}, (), False),
        ("base64", HTTPS, ASKED, (), False),
    ],
)
def test_results(delivery, url, params, names, by_link):
    assert links.result_by_link(delivery, url, params, names) == by_link


@pytest.mark.parametrize(
    ("agent", "over_http"),
    [
        ("AI Horde Worker reGen:13:x", True),
        ("AI Horde Worker reGen~a fork:13:x", True),
        ("Stable Horde Worker:1:x", True),
        ("AI Horde Worker:24:x", False),
        ("AI Horde Worker~unknown:24:x", False),
        ("SD-WebUI Stable Horde Worker Bridge:1:x", False),
    ],
)
def test_sources(agent, over_http):
    program = agents.agent(agent)
    assert links.source_by_link("auto", HTTPS, program)
    assert links.source_by_link("auto", HTTP, program) == over_http
    assert links.source_by_link("url", HTTP, program)
    assert not links.source_by_link("base64", HTTPS, program)


@pytest.mark.parametrize("agent", ["HordeAutoWebBridge:3:x", "somebody's:99:x", ""])
@pytest.mark.parametrize("delivery", ["auto", "url"])
def test_programs_that_take_no_links_get_none(agent, delivery):
    assert not links.source_by_link(delivery, HTTPS, agents.agent(agent))
    assert not links.source_by_link(delivery, HTTP, agents.agent(agent))
