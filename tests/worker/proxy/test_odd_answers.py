"""Programs that hang, lie, fail or go away: each costs a job at most, and the worker knows why."""

import base64
import io
import json

import pytest
from PIL import Image

from handing_on import order, painter, render, writer, writing
from other_programs import ComfyUI, KoboldCpp, OpenAI, WebUI
from worker.proxy import calls, comfyui
from worker.proxy.renderers import Gone, Proxies
from worker.renderer import BrokenResult, CannotRender, Shown, Stopped

TXT2IMG, GENERATE, COMPLETIONS = "/sdapi/v1/txt2img", "/api/v1/generate", "/v1/completions"


def says(told, status=200):
    return lambda handler: handler.json(status, told)


def html(handler):
    handler.content(200, b"<html><title>Please wait</title></html>", "text/html")


def png(width, height):
    out = io.BytesIO()
    Image.radial_gradient("L").resize((width, height)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def streams(*pieces, ends=True):
    """Answer with these lines; ends: and say that it is over."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        try:
            for piece in pieces:
                handler.wfile.write(piece if isinstance(piece, bytes) else f"{piece}\n\n".encode())
            if ends:
                handler.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            handler.program.stopped.set()

    return answer


def token(text):
    return f"data: {json.dumps({'choices': [{'text': text}]}, ensure_ascii=False)}"


PICTURES = {
    "nothing": None,
    "a list": [],
    "no pictures": {"images": None},
    "too few": {"images": []},
    "numbers": {"images": [7]},
    "no base64": {"images": ["ü"]},
    "no picture": {"images": [base64.b64encode(b"<html>").decode()]},
    "a much smaller one": {"images": [png(1, 1)]},
}


@pytest.mark.parametrize("told", PICTURES.values(), ids=PICTURES)
def test_what_is_no_picture_counts_against_the_model(start, told):
    program = start(WebUI)
    program.odd[TXT2IMG] = says(told)
    with pytest.raises(BrokenResult) as raised:
        render(order(painter("a1111", program)))
    assert not raised.value.notes  # the requester's own picture is fine


def test_a_picture_of_one_colour_is_counted(start):
    program = start(WebUI)
    out = io.BytesIO()
    Image.new("RGB", (512, 320)).save(out, "PNG")
    program.odd[TXT2IMG] = says({"images": [base64.b64encode(out.getvalue()).decode()]})
    assert render(order(painter("a1111", program))).blank == 1
    program.odd.clear()
    assert render(order(painter("a1111", program))).blank == 0


@pytest.mark.parametrize(("status", "counts"), [(500, True), (404, True), (422, False)])
def test_a_program_that_refuses_everything_is_not_offered_for_ever(start, status, counts):
    program = start(WebUI)
    program.odd[TXT2IMG] = says({"detail": "no"}, status)
    with pytest.raises(CannotRender, match=f"{status} no") as raised:
        render(order(painter("a1111", program)))
    assert isinstance(raised.value, BrokenResult) is counts


@pytest.mark.parametrize("progress", [float("nan"), float("inf"), -1, 7, None, "soon", []])
def test_odd_progress_is_left_out_or_bounded(start, progress):
    program = start(WebUI)
    program.odd["/sdapi/v1/progress"] = says({"progress": progress})
    steps = []
    made = render(order(painter("a1111", program)), lambda *one: steps.append(one[0]))
    assert len(made.pictures) == 1
    assert set(steps) <= {0, 4}


def test_what_the_web_ui_shows_is_shown(start):
    program = start(WebUI)
    shown = []

    def on_step(step, steps, show):
        program.odd["/sdapi/v1/progress"] = says({"progress": 0.5, "current_image": png(64, 40)})
        shown.append(show())

    render(order(painter("a1111", program)), on_step)
    with Image.open(io.BytesIO(shown[0].data)) as seen:
        assert (seen.format, seen.size) == ("WEBP", (192, 120))


def test_an_answer_without_end_is_left(start, monkeypatch):
    monkeypatch.setattr(calls, "MAX_BYTES", 2**20)
    program = start(WebUI)
    program.odd[TXT2IMG] = streams(*[b"x" * 2**16] * 64)
    with pytest.raises(BrokenResult, match="too long"):
        render(order(painter("a1111", program)))


def test_html_in_the_place_of_an_answer_is_another_program(start):
    program = start(WebUI)
    model = painter("a1111", program)
    program.odd[TXT2IMG] = html
    with pytest.raises(Gone) as raised:
        render(order(model))
    assert raised.value.reason == "the program behind this worker does not answer"
    assert program.url not in raised.value.reason


def test_a_program_that_does_not_let_go_is_left_alone(start, monkeypatch):
    monkeypatch.setattr(calls, "ASK_SECONDS", 0.1)
    program = start(WebUI)
    program.slow = True
    program.odd["/sdapi/v1/interrupt"] = says({})  # and nothing else

    def stops(*_):
        raise Stopped

    with pytest.raises(Gone):
        render(order(painter("a1111", program)), stops)
    assert program.making == 1


# ComfyUI


def test_a_prompt_that_was_taken_out_of_the_queue_is_given_back(start):
    program = start(ComfyUI)
    program.odd["/queue"] = says({"queue_running": [], "queue_pending": []})
    program.slow = True
    with pytest.raises(BrokenResult, match="dropped the prompt"):
        render(order(painter("comfyui", program)))


def test_how_far_comfyui_is_is_not_guessed(start):
    program = start(ComfyUI)
    steps = []
    render(order(painter("comfyui", program), seeds=(7, 9)), lambda *one: steps.append(one[:2]))
    assert set(steps) == {(0, 8), (4, 8)}


def test_a_picture_that_does_not_get_done_is_left(start, monkeypatch):
    monkeypatch.setattr(comfyui, "MAKE_SECONDS", 0.1)
    program = start(ComfyUI)
    program.slow = True
    with pytest.raises(Gone):
        render(order(painter("comfyui", program)))


@pytest.mark.parametrize("told", [[], {"queue_running": None}, None], ids=str)
def test_an_odd_queue_costs_its_job(start, told):
    program = start(ComfyUI)
    program.slow = True
    program.odd["/queue"] = says(told)
    with pytest.raises(BrokenResult, match="cannot be read"):
        render(order(painter("comfyui", program)))


# Texts


@pytest.mark.parametrize(
    "told", [{"results": []}, {"results": [{"text": None}]}, {}, [], None], ids=str
)
def test_what_is_no_text_counts_against_the_model(start, told):
    program = start(KoboldCpp)
    program.odd[GENERATE] = says(told)
    with pytest.raises(BrokenResult, match="no text"):
        render(writing(writer("koboldcpp", program.url)))


def test_a_text_is_seen_while_it_is_written(start):
    program = start(KoboldCpp)
    shown = []
    render(
        writing(writer("koboldcpp", program.url)),
        lambda step, steps, show: shown.append(show()),
    )
    assert shown[0] == Shown(0, " there was")
    streaming, shown = start(OpenAI), []
    render(
        writing(writer("openai", f"{streaming.url}/v1")),
        lambda step, steps, show: shown.append(show().data),
    )
    assert shown[:3] == [" there", " there was", " there was a"]


@pytest.mark.parametrize("length", [0, -1, "8192", float("inf"), None, True])
def test_a_context_that_is_none_is_not_taken(start, length):
    program = start(KoboldCpp)
    program.odd["/api/extra/true_max_context_length"] = says({"value": length})
    assert writer("koboldcpp", program.url).context == 4096
    other = start(OpenAI)
    other.odd["/v1/models"] = says({"data": [{"id": "a", "max_model_len": length}]})
    assert writer("openai", f"{other.url}/v1").context == 4096


PIECES = {
    "no choices": 'data: {"choices": []}',
    "counts at the end": 'data: {"choices": [], "usage": {"completion_tokens": 2}}',
    "no text": 'data: {"choices": [{"text": null, "finish_reason": "stop"}]}',
    "a comment": ": wait",
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_pieces_without_text_are_none(start, piece):
    program = start(OpenAI)
    program.odd[COMPLETIONS] = streams(piece, token("a\u2028b"), piece)
    [made] = render(writing(writer("openai", f"{program.url}/v1")))
    assert made.text == "a\u2028b"


BROKEN = {
    "HTML": (html, "no text"),
    "no end of a line": (streams(b"x" * 2**21), "no lines"),
    "no JSON": (streams("data: {"), "no text"),
    "nothing": (streams(), "no text"),
    "a failure": (streams('data: {"error": {"message": "CUDA died"}}'), "failed: CUDA died"),
    "a failure in words": (streams('data: {"error": "no memory"}'), "failed: no memory"),
    "500": (says({"error": {"message": "no"}}, 500), "500 no"),
    "404": (says({"error": {"message": "no"}}, 404), "404 no"),
}


@pytest.mark.parametrize(("answer", "reason"), BROKEN.values(), ids=BROKEN)
def test_streams_that_are_no_text_count_against_the_model(start, answer, reason):
    program = start(OpenAI)
    model = writer("openai", f"{program.url}/v1")
    program.odd[COMPLETIONS] = answer
    with pytest.raises(BrokenResult, match=reason):
        render(writing(model))


@pytest.mark.parametrize("piece", [token("word "), token("x" * 1000), token("")])
def test_a_stream_without_end_ends_where_it_should_have(start, piece):
    program = start(OpenAI)
    program.odd[COMPLETIONS] = streams(*[piece] * 2000)
    pieces = []
    [made] = render(writing(writer("openai", f"{program.url}/v1")), lambda *one: pieces.append(one))
    assert len(pieces) <= 50 + 64 + 1
    assert len(made.text) <= 50 * 32


def test_a_stop_beyond_what_the_server_takes_ends_the_call(start):
    program = start(OpenAI)
    program.slow = True
    stops = ("a1", "b2", "c3", "d4", "fox")
    [made] = render(writing(writer("openai", f"{program.url}/v1"), stops=stops))
    assert made.text == " there was a fox"
    assert program.stopped.wait(20)


def test_a_stream_that_is_cut_off_is_a_program_that_went_away(start):
    def cut(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.wfile.write(f"{token('a')}\n\n".encode())
        handler.close_connection = True

    program = start(OpenAI)
    program.odd[COMPLETIONS] = cut
    with pytest.raises(Gone):
        render(writing(writer("openai", f"{program.url}/v1")))


@pytest.mark.parametrize("depth", ["[" * 100_000, '{"a":' * 100_000])
def test_answers_that_are_nested_without_end_are_no_json(start, depth):
    program = start(WebUI)
    model = painter("a1111", program)
    program.odd["/sdapi/v1/sd-models"] = lambda handler: handler.content(
        200, depth.encode(), "application/json"
    )
    with pytest.raises(Gone):
        Proxies().load(model)
    program.odd = {"/sdapi/v1/samplers": says([{"title": "no name"}])}
    with pytest.raises(BrokenResult, match="cannot be read"):
        render(order(model))
