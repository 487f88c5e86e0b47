"""What is sent in odd shapes: too long, empty, invisible, beyond what anything holds."""

import base64
import json

import pytest
import pytest_asyncio

import pictures
import serving
from core.users.tables import Role
from serving import ANONYMOUS

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = "9" * 2000
ESCAPES = "fox\x1b]0;title\x07\x1b[31m\u202eder\u200b\ufeff\x9b"
SEEN = "fox]0;title[31mder"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moderator(shared):
    return await shared.user("Moderator", roles=int(Role.MODERATOR | Role.TRUSTED), kudos=1000)


async def refusal(answer, status=400):
    assert answer.status_code == status, answer.text
    return answer.json()


async def ask(server, kind="", **body):
    wanted = {"prompt": "a fox", "models": [], **body}
    return await server.post(f"/generate{kind}/async", wanted, key=ANONYMOUS)


@pytest.mark.parametrize(
    "path",
    [
        "filters/{}",
        "filters/١٢",
        "filters?filter_type={}",
        "reports?page={}",
        "status/models?min_count={}",
        "styles/image?page={}",
        "users/{}",
        "users?page={}",
        "workers/{}",
        "workers/messages?page={}",
        "workers/messages?user_id={}",
    ],
)
@pytest.mark.parametrize("sign", ["", "-"])
async def test_numbers_of_thousands_of_digits_are_no_failure(shared, moderator, path, sign):
    answer = await shared.get(f"/{path.format(sign + LONG)}", key=moderator.key)
    assert answer.status_code in (200, 400, 404), answer.text


async def test_urls_have_an_end(shared, moderator):
    answer = await shared.get(f"/users/{'9' * 5000}", key=moderator.key)
    assert answer.status_code == 414, answer.text


@pytest.mark.parametrize("field", ["params", "unknown", "special", "seed"])
async def test_so_are_they_in_a_body(shared, field):
    special = b'{"special": {"a": %s}}'
    content = {"params": b'{"n": %s}', "unknown": b"%s", "special": special, "seed": b"-%s"}[field]
    name = b"params" if field in ("params", "special") else field.encode()
    for digits in (b"9" * 5000, b"9" * 4000):
        body = b'{"prompt": "x\\u0020", "%s": %s}' % (name, content % digits)
        answer = await shared.post("/generate/async", body, key=ANONYMOUS)
        assert answer.status_code in (202, 400), answer.text
        answer = await shared.post("/generate/submit", body, key=ANONYMOUS)
        assert answer.status_code == 400, answer.text


async def test_a_type_of_filters_has_no_zeros_in_front(shared, moderator):
    path = "/filters?filter_type=00000001099999999999"
    told = await refusal(await shared.get(path, key=moderator.key))
    assert told["errors"].keys() == {"filter_type"}


async def test_page_nought_is_the_first_and_a_word_is_none(shared):
    first = await shared.get("/users?page=1")
    assert (await shared.get("/users?page=0")).json() == first.json()
    told = await refusal(await shared.get("/users?page=abc"))
    assert told["errors"].keys() == {"page"}


async def test_a_method_that_is_not_there_is_told_with_those_that_are(shared):
    answer = await shared.call("DELETE", "/status/heartbeat")
    assert answer.status_code == 405
    allowed = {method.strip() for method in answer.headers["Allow"].split(",")}
    assert allowed == {"GET", "HEAD", "OPTIONS"}
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json().keys() == {"message"}


async def test_a_shared_key_may_have_a_name_of_a_letter(shared, moderator):
    made = await shared.call("PUT", "/sharedkeys", {"name": "f"}, key=moderator.key)
    assert made.json()["name"] == "f"
    path = f"/sharedkeys/{made.json()['id']}"
    changed = await shared.call("PATCH", path, {"name": "fr"}, key=moderator.key)
    assert changed.json()["name"] == "fr"


async def test_names_and_descriptions_are_kept_without_what_cannot_be_seen(shared, moderator):
    async def kept(method, path, body):
        answer = await shared.call(method, path, body, key=moderator.key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    text = f"{ESCAPES}\nand more"
    seen_text = f"{SEEN}\nand more"
    team = await kept("POST", "/teams", {"name": ESCAPES, "info": text})
    assert (team["name"], team["info"]) == (SEEN, seen_text)
    assert (await kept("PUT", "/sharedkeys", {"name": ESCAPES}))["name"] == SEEN
    put = {"regex": "a fine word", "filter_type": 10, "description": text}
    assert (await kept("PUT", "/filters", put))["description"] == seen_text
    patch = {"description": f"{text}!"}
    filter_id = (await kept("PUT", "/filters", put))["id"]
    assert (await kept("PATCH", f"/filters/{filter_id}", patch))["description"] == f"{seen_text}!"
    style = {"name": ESCAPES, "info": text, "tags": [ESCAPES, "\u200b"], "models": ["Deliberate"]}
    made = await kept("POST", "/styles/image", style)
    read = (await shared.get(f"/styles/image/{made['id']}")).json()
    assert (read["name"], read["info"], read["tags"]) == (SEEN, seen_text, [SEEN])
    some = {"name": ESCAPES, "info": text, "styles": [made["id"]]}
    made = await kept("POST", "/collections", some)
    read = (await shared.get(f"/collections/{made['id']}")).json()
    assert (read["name"], read["info"]) == (SEEN, seen_text)
    changed = {"contact": text, "admin_comment": text, "username": ESCAPES}
    done = await kept("PUT", f"/users/{moderator.id}", changed)
    assert (done["contact"], done["admin_comment"]) == (seen_text, seen_text)
    assert done["username"].startswith(SEEN)
    everybody = {"message": text, "origin": ESCAPES}
    message = await kept("POST", "/workers/messages", everybody)
    assert (message["message"], message["origin"]) == (seen_text, SEEN)


async def test_so_are_workers_and_their_programs(shared, moderator):
    agent = f"{ESCAPES}:1:https://example.org"
    popped = {"name": ESCAPES, "models": ["stable_diffusion"], "bridge_agent": agent}
    assert (await shared.post("/generate/pop", popped, key=moderator.key)).status_code == 200
    worker = (await shared.get(f"/workers/name/{SEEN}")).json()
    assert worker["name"] == SEEN
    assert worker["bridge_agent"] == f"{SEEN}:1:https://example.org"
    foreign = popped | {"models": ["stable_diffusion", "a model\x1b[31m"]}
    customizer = await shared.user("Customizer", roles=int(Role.CUSTOMIZER))
    foreign["name"] = "a customizer's"
    assert (await shared.post("/generate/pop", foreign, key=customizer.key)).status_code == 200
    assert b"\\u001b" not in (await shared.get("/status/models?model_state=all")).content
    changed = {"info": f"{ESCAPES}\nx", "maintenance": True, "maintenance_msg": ESCAPES}
    path = f"/workers/{worker['id']}"
    done = await shared.call("PUT", path, changed, key=moderator.key)
    assert done.json()["info"] == f"{SEEN}\nx"
    told = await shared.post("/generate/pop", popped, key=moderator.key)
    assert SEEN in told.json()["message"]
    assert "\x1b" not in told.json()["message"]
    done = await shared.call("PUT", path, {"name": f"{ESCAPES} two"}, key=moderator.key)
    assert done.json()["name"] == f"{SEEN} two"
    refused = await shared.call("PUT", path, {"name": "\u200b" * 6}, key=moderator.key)
    await refusal(refused)


@pytest.mark.parametrize(
    "webhook",
    [
        "https://127.0.0.1/x",
        "https://localhost:3000/api/webhook",
        "https://me.localhost./x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://192.168.1.7/hook",
        "https://exa mple.org/x",
        "https://a..org/x",
        "https://example.org:99999/",
        "https://me@example.org/",
        "https:///nothing",
        "https://xn--.org/",
        "http://example.org/",
        "HTTP://example.org/",
        "example.org/hook",
        "https://example.org/" + "x" * 1024,
    ],
)
@pytest.mark.parametrize("kind", ["", "/text"])
async def test_a_webhook_that_could_never_be_called_is_refused(shared, webhook, kind):
    told = await refusal(await ask(shared, kind, webhook=webhook))
    assert "webhook" in told.get("errors", {}) or "webhook" in told["message"]


@pytest.mark.parametrize("kind", ["", "/text"])
@pytest.mark.parametrize("webhook", ["HTTPS://Example.org/Hook", "https://1.1.1.1/x"])
async def test_a_webhook_that_may_be_called_is_taken(shared, webhook, kind):
    answer = await ask(shared, kind, webhook=webhook)
    assert answer.status_code == 202, answer.text


async def test_an_empty_text_is_no_picture(shared):
    alone = await ask(shared, source_image="", source_mask="", extra_source_images=[{"image": ""}])
    assert alone.status_code == 202, alone.text
    masked = await ask(shared, source_image=pictures.SOURCE, source_mask="")
    assert masked.status_code == 202, masked.text
    text = await ask(shared, "/text", extra_source_images=[{"image": ""}, {}])
    assert text.status_code == 202, text.text
    forms = {"forms": [{"name": "caption"}], "source_image": ""}
    told = await refusal(await shared.post("/interrogate/async", forms, key=ANONYMOUS))
    assert told["errors"] == {"source_image": "'source_image' is a required property"}
    sent = {"api_key": ANONYMOUS, "id": "x", "seed": 1, "generation": ""}
    told = await refusal(await shared.http.post("/api/v1/generate/submit", json=sent))
    assert told["errors"].keys() == {"generation"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (f"data:image/png;base64,{pictures.SOURCE}", "what follows its comma"),
        (base64.urlsafe_b64encode(b"\xff\xfe\xfd" * 9).decode(), "+ and /"),
        ("HTTP://127.0.0.1/x.png", "not on the public internet"),
        ("HTTPS://" + "x" * 5000, "too long"),
    ],
)
async def test_what_is_no_picture_is_told_as_what_it_is(shared, source, words):
    both = {"source_image": pictures.SOURCE, "source_mask": source}
    for sent in ({"source_image": source}, both):
        assert words in (await refusal(await ask(shared, **sent)))["message"]


async def test_an_alchemists_picture_may_be_anywhere_in_any_case(shared, moderator):
    forms = {"forms": [{"name": "caption"}], "source_image": "HTTPS://example.org/Fox.png"}
    asked = await shared.post("/interrogate/async", forms, key=moderator.key)
    assert asked.status_code == 202, asked.text
    offer = {"name": "an alchemist", "forms": ["caption"], "bridge_agent": serving.WORKER}
    popped = (await shared.post("/interrogate/pop", offer, key=moderator.key)).json()
    assert popped["forms"][0]["source_image"] == "https://example.org/Fox.png"
    long = forms | {"source_image": "https://example.org/" + "x" * 5000}
    await refusal(await shared.post("/interrogate/async", long, key=moderator.key))


async def test_a_prompt_is_no_longer_than_its_context(shared):
    params = {"max_length": 16, "max_context_length": 100}
    fits = await ask(shared, "/text", prompt="x" * 3200, params=params)
    assert fits.status_code == 202, fits.text
    told = await refusal(await ask(shared, "/text", prompt="x" * 3201, params=params))
    assert told["rc"] == "InvalidPromptSize"
    usual = await ask(shared, "/text", prompt="x" * 60_000)
    assert usual.status_code == 202, usual.text


async def test_a_text_is_no_longer_than_its_tokens(shared, moderator):
    params = {"max_length": 40, "max_context_length": 100}
    asked = await ask(shared, "/text", models=["a model of mine"], params=params)
    assert asked.status_code == 202, asked.text
    offer = {"name": "a scribe", "models": ["a model of mine"], "bridge_agent": serving.WORKER}
    popped = (await shared.post("/generate/text/pop", offer, key=moderator.key)).json()
    most = 32 * popped["payload"]["max_length"]
    told = {"id": popped["id"], "seed": 1, "generation": "x" * (most + 1)}
    long = await shared.post("/generate/text/submit", told, key=moderator.key)
    assert f"{most} characters" in (await refusal(long))["message"]
    told["generation"] = "x" * most
    fits = await shared.post("/generate/text/submit", told, key=moderator.key)
    assert fits.status_code == 200, fits.text


async def test_whatever_is_too_long_for_its_column_is_told_by_its_field(shared, moderator):
    service = await shared.user("Service", roles=int(Role.SERVICE))
    for kind in ("", "/text"):
        body = {"prompt": "x", "models": [], "proxied_account": "x" * 256}
        answer = await shared.post(f"/generate{kind}/async", body, key=service.key)
        assert (await refusal(answer))["errors"].keys() == {"proxied_account"}
        body["proxied_account"] = "x" * 255
        answer = await shared.post(f"/generate{kind}/async", body, key=service.key)
        assert answer.status_code == 202, answer.text


async def test_a_pop_may_name_thousands_of_models_and_an_ask_hundreds(shared, moderator):
    names = [f"model {number}" for number in range(4000)]
    offer = {"name": "offers all", "models": ["stable_diffusion", *names], "blacklist": names}
    popped = await shared.post("/generate/pop", offer, key=moderator.key)
    assert popped.status_code == 200, popped.text
    assert (await ask(shared, models=names[:300])).status_code == 202
    for field, sent in (("models", names), ("workers", names[:301])):
        told = await refusal(await ask(shared, **{field: sent}))
        assert told["errors"].keys() == {field}
    told = await refusal(await ask(shared, models=["x" * 256]))
    assert told["errors"].keys() == {"models.0"}
    assert json.loads(popped.content)["id"] is None


@pytest.mark.parametrize("amount", [2**62, 2**63 - 1, -(2**62)])
async def test_more_kudos_than_there_can_be_are_not_given(shared, moderator, amount):
    body = {"username": "Anonymous#0", "amount": amount}
    for path in ("transfer", "award"):
        answer = await shared.post(f"/kudos/{path}", body, key=moderator.key)
        assert answer.status_code in (400, 403), answer.text
    body = {"kudos": float(amount), "monthly_kudos": amount, "worker_invited": amount}
    answer = await shared.call("PUT", f"/users/{moderator.id}", body, key=moderator.key)
    assert answer.status_code in (400, 403), answer.text
