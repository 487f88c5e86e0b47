"""The committed description of the API is the one the server gives."""

import json

import pytest

from core.api import openapi
from serving import ROOT

COMMITTED = ROOT / "docs" / "openapi.json"
STALE = "refresh it: python -m core.api.openapi > docs/openapi.json"


def test_what_is_committed_is_up_to_date():
    assert openapi.to_text() == COMMITTED.read_text(), STALE


@pytest.mark.asyncio(loop_scope="module")
async def test_the_committed_document_is_what_the_server_says(server):
    told = (await server.http.get("/api/swagger.json")).json()
    assert told == json.loads(COMMITTED.read_text()), STALE


def test_every_reference_leads_somewhere():
    schemas = json.loads(COMMITTED.read_text())["components"]["schemas"]
    references = {
        line.rpartition("/")[2].strip('", ')
        for line in COMMITTED.read_text().splitlines()
        if '"$ref"' in line
    }
    assert len(references) > 30
    assert references <= schemas.keys()
