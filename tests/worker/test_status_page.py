"""The status page and the metrics, over a socket as people and Prometheus read them."""

import asyncio
import json
import re

import httpx
import pytest

from worker import status_page
from worker.kind import Batch
from worker.progress import Lines
from worker.renderer import Held
from worker.tally import Tally

BATCH = Batch(ids=("12345678",), model='<b>"m"\\', work="64x64 <script>", steps=4)


@pytest.fixture
async def page():
    held = (Held('<b>"m"\\', 25 * 2**20), Held("sdxl", 6900 * 2**20, is_parked=True))
    tally = Tally(Lines(), held=lambda: held)
    tally.begin(BATCH)
    tally.step(BATCH, 1, 4)
    tally.settled(Batch(ids=("1", "2"), model=BATCH.model, work="", steps=1), 5.5, 1)
    async with status_page.serving(0, tally.counts, "my <worker>") as port:
        address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=address) as http:
            yield http


async def test_the_page_says_how_things_are_and_runs_nothing(page):
    answer = await page.get("/")
    assert answer.status_code == 200
    assert "my &lt;worker&gt;" in answer.text
    assert "64x64 &lt;script&gt;" in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "1 done, 1 lost" in answer.text
    assert "sdxl 6,900 MB (parked)" in answer.text


async def test_metrics_are_as_prometheus_reads_them(page):
    text = (await page.get("/metrics")).text
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert samples['horde_worker_jobs_total{outcome="done"}'] == "1"
    assert samples["horde_worker_kudos_total"] == "5.5"
    assert samples["horde_worker_jobs_at_work"] == "1"
    assert samples['horde_worker_model_jobs_total{model="<b>\\"m\\"\\\\"}'] == "1"
    assert samples['horde_worker_loaded_model_bytes{model="sdxl",parked="yes"}'] == "7235174400"
    assert 'horde_worker_loaded_model_bytes{model="<b>\\"m\\"\\\\",parked="no"}' in samples
    assert float(samples['horde_worker_resident_bytes{process="control"}']) > 1e6
    for name in {re.match(r"\w+", sample)[0] for sample in samples}:
        assert f"# TYPE {name} " in text
        assert f"# HELP {name} " in text


async def test_programs_read_json(page):
    told = json.loads((await page.get("/status.json")).text)
    assert told["done"] == 1
    assert told["at_work"][0]["step"] == 1
    assert told["held"][1] == {"name": "sdxl", "bytes": 6900 * 2**20, "is_parked": True}


async def test_a_page_from_elsewhere_cannot_read_it_by_a_name_of_its_own(page):
    for host in ("evil.example", "evil.example:80", "", "127.0.0.1.evil.example"):
        assert (await page.get("/", headers={"Host": host})).status_code == 403
    assert (await page.get("/", headers={"Host": "localhost:1"})).status_code == 200
    assert (await page.get("/", headers={"Host": "[::1]:1"})).status_code == 200


async def test_nothing_else_is_there(page):
    assert (await page.get("/nothing")).status_code == 404
    assert (await page.post("/")).status_code == 405


async def test_nonsense_harms_nobody(page):
    port = page.base_url.port
    for nonsense in (b"\r\n\r\n", b"GET\r\n\r\n", b"x" * 20_000, b"\xff\xfe\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(nonsense)
        writer.write_eof()
        await reader.read()
        writer.close()
    assert (await page.get("/")).status_code == 200


async def test_a_port_that_is_taken_is_an_error(page):
    with pytest.raises(OSError, match="in use"):
        async with status_page.serving(page.base_url.port, lambda: None, "x"):
            pass
