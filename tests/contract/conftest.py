"""The contract as it is written down, and a server of each engine to hold against it."""

import json
from pathlib import Path

import pytest
import pytest_asyncio

import databases as clones
import serving


@pytest.fixture(scope="session")
def contract():
    return json.loads((Path(__file__).parent / "models.json").read_text())


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=clones.ENGINES)
async def server(request, databases, tmp_path_factory):
    with databases.fresh(request.param) as url:
        async with serving.in_process(url, tmp_path_factory.mktemp("contract")) as server:
            yield server
