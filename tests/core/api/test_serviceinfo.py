import pytest

from core.version import VERSION
from serving import PUBLIC_URL

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_program_finds_the_api(site):
    told = (await site.http.get("/.well-known/serviceinfo")).json()
    assert told["version"] == "0.2"
    assert told["software"].keys() == {"name", "version", "repository", "homepage", "logo"}
    assert told["software"]["version"] == VERSION
    assert (await site.http.get(told["software"]["logo"])).status_code == 200
    api = told["api"]["aihorde"]
    assert api.keys() == {"name", "version", "base_url", "rel_url", "documentation"}
    assert (api["base_url"], api["rel_url"]) == (f"{PUBLIC_URL}/api/v2", "/api/v2")
    found = await site.http.get(f"{api['base_url']}/status/heartbeat")
    assert found.json()["message"] == "OK"
    assert (await site.http.get(api["documentation"])).status_code == 200
