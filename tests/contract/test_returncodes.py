"""Each return code of the contract has a refusal with that status, or a reason why not."""

import json
from pathlib import Path

import pytest

import refusals

CONTRACT = Path(__file__).with_name("returncodes.json")

# Codes that no operation of ours can raise.
NEVER = {
    "AestheticsServerDown": "pictures are rated here, not by a service elsewhere",
    "AestheticsServerError": "pictures are rated here, not by a service elsewhere",
    "AestheticsServerRejected": "pictures are rated here, not by a service elsewhere",
    "AestheticsServerTimeout": "pictures are rated here, not by a service elsewhere",
    "BadCFGNumber": "the schema refuses it before",
    "BetaAnonForbidden": "SDXL_beta was a company's trial of a model, which is over",
    "BetaComparisonFault": "SDXL_beta was a company's trial of a model, which is over",
    "TooLongWorkerName": "the schema refuses it before",
}
# Statuses besides the one that the contract lists: of kudos/transfer, as its prose says.
ALSO = {"DeletedUser": {400}, "SharedKeyExpired": {400}}


@pytest.fixture(scope="module")
def codes():
    """Status by code: those that are really sent."""
    entries = json.loads(CONTRACT.read_text())["codes"]
    return {entry["rc"]: entry["http"] for entry in entries if entry["status"] == "live"}


def missing(codes, ours):
    """Codes of the contract that no refusal of ours has."""
    return codes.keys() - ours.keys()


def test_each_code_has_a_refusal(codes):
    assert len(codes) > 140
    assert missing(codes, refusals.statuses()) == NEVER.keys()


def test_each_refusal_has_the_status_of_the_contract(codes):
    ours = refusals.statuses()
    wanted = {code: {codes[code], *ALSO.get(code, ())} for code in codes.keys() & ours.keys()}
    assert {code: ours[code] for code in wanted} == wanted


def test_a_missing_code_is_seen(codes):
    ours = refusals.statuses()
    del ours["WorkerMaintenance"]
    assert "WorkerMaintenance" in missing(codes, ours)
