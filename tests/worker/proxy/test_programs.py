"""Orders handed on to stand-ins for other programs, as the engine process does it."""

import io
from pathlib import Path

import pytest
from PIL import Image

from handing_on import order, painter, render, stops_at_once, writer, writing
from other_programs import KEY, ComfyUI, KoboldCpp, OpenAI, WebUI
from worker.image.order import Source
from worker.image.samplers import SAMPLERS
from worker.proxy import a1111, comfyui, renderers
from worker.proxy.renderers import Gone, Proxies
from worker.proxy.servers import (
    NoServer,
    NotAnswering,
    Server,
    image_server,
    named,
    text_server,
)
from worker.renderer import CannotLoad, CannotRender, Stopped
from worker.text.order import Format, Sampling

# AUTOMATIC1111 and Forge


def test_the_web_ui_makes_pictures(start):
    program = start(WebUI)
    steps = []
    made = render(order(painter("a1111", program)), lambda *one: steps.append(one[:2]))
    [picture] = made.pictures
    assert (picture.width, picture.height, picture.rgb[0]) == (512, 320, 7)
    assert (2, 4) in steps
    [body] = program.bodies("/sdapi/v1/txt2img")
    assert (body["prompt"], body["negative_prompt"], body["seed"]) == ("a fox", "rain", 7)
    assert body["override_settings"]["sd_model_checkpoint"] == "v1-5-pruned-emaonly"
    assert body["save_images"] is False


def test_a_batch_of_following_seeds_is_one_call(start):
    program = start(WebUI)
    made = render(order(painter("a1111", program), seeds=(5, 6, 7, 20)))
    assert [picture.rgb[0] for picture in made.pictures] == [5, 6, 7, 20]
    assert [body["batch_size"] for body in program.bodies("/sdapi/v1/txt2img")] == [3, 1]


def test_sizes_are_made_that_it_can_make(start):
    program = start(WebUI)
    made = render(order(painter("a1111", program), width=500, height=333))
    assert (made.pictures[0].width, made.pictures[0].height) == (500, 333)
    [body] = program.bodies("/sdapi/v1/txt2img")
    assert (body["width"], body["height"]) == (504, 336)


def test_karras_is_said_as_each_version_has_it(start):
    newer, older = start(WebUI), start(WebUI)
    older.known["older"] = True
    for program in (newer, older):
        render(order(painter("a1111", program), sampler="k_dpmpp_2m", karras=True))
    new, old = (program.bodies("/sdapi/v1/txt2img")[0] for program in (newer, older))
    assert (new["sampler_name"], new["scheduler"]) == ("DPM++ 2M", "Karras")
    assert (old["sampler_name"], "scheduler" in old) == ("DPM++ 2M Karras", False)


def test_a_sampler_that_it_has_not_is_told(start):
    made = render(order(painter("a1111", start(WebUI)), sampler="k_dpm_2"))
    assert made.notes[0].ref == "sampled with Euler a instead of k_dpm_2"


def encoded(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_source_pictures_and_masks_go_along(start):
    program = start(WebUI)
    model = painter("a1111", program)
    image = Image.new("RGBA", (64, 64), "red")
    render(order(model, source=Source(encoded(image)), strength=0.4))
    image.putalpha(Image.new("L", (64, 64), 0))
    render(order(model, source=Source(encoded(image), painting=True)))
    plain, painted = program.bodies("/sdapi/v1/img2img")
    assert (plain["denoising_strength"], "mask" in plain) == (0.4, False)
    assert "mask" in painted


def test_hires_fix_is_asked_for_where_there_is_something_to_fix(start):
    program = start(WebUI)
    model = painter("a1111", program)
    render(order(model, hires_strength=0.5))
    render(order(model, hires_strength=0.5, width=1024, height=1536))
    small, large = program.bodies("/sdapi/v1/txt2img")
    assert "enable_hr" not in small
    assert (large["enable_hr"], large["width"], large["height"]) == (True, 512, 768)
    assert (large["hr_resize_x"], large["hr_resize_y"]) == (1024, 1536)


def test_what_it_refuses_is_the_jobs_fault(start):
    program = start(WebUI)
    with pytest.raises(CannotRender, match=r"422 body\.width: wrong width"):
        render(order(painter("a1111", program), width=4096))
    program.known["memory"] = True
    with pytest.raises(CannotRender, match="500 OutOfMemoryError"):
        render(order(painter("a1111", program)))


def test_what_nobody_wants_any_more_is_interrupted(start):
    program = start(WebUI)
    program.slow = True
    with pytest.raises(Stopped):
        render(order(painter("a1111", program)), stops_at_once)
    assert program.bodies("/sdapi/v1/interrupt")
    assert program.making == 0


def test_a_web_ui_without_its_api_is_said(start):
    with pytest.raises(NotAnswering, match="--api"):
        renderers.painters(Server("a1111", start(KoboldCpp).url), None)


def test_a_program_that_is_gone_ends_the_engine_and_not_the_model(start):
    program = start(WebUI)
    model = painter("a1111", program)
    proxies = Proxies()
    proxies.load(model)
    program.down = True
    with pytest.raises(Gone):
        proxies.render(order(model), lambda *_: None)
    with pytest.raises(Gone):
        proxies.load(model)


def test_a_model_that_it_has_no_more_is_dropped(start):
    program = start(WebUI)
    model = painter("a1111", program, "dreamshaper_8")
    program._server.RequestHandlerClass = type("Fewer", (WebUI,), {"MODELS": ("other",)})
    with pytest.raises(CannotLoad, match="dreamshaper_8"):
        Proxies().load(model)


# ComfyUI


def test_comfyui_makes_pictures(start):
    program = start(ComfyUI)
    steps = []
    made = render(
        order(painter("comfyui", program), seeds=(7, 9)), lambda *one: steps.append(one[:2])
    )
    assert [picture.rgb[0] for picture in made.pictures] == [7, 9]
    assert steps
    first, second = program.bodies("/prompt")
    sampler = first["prompt"]["sampled"]["inputs"]
    assert (sampler["sampler_name"], sampler["scheduler"], sampler["seed"]) == (
        "euler",
        "normal",
        7,
    )
    assert second["prompt"]["sampled"]["inputs"]["seed"] == 9
    assert first["prompt"]["model"]["inputs"]["ckpt_name"] == "v1-5-pruned-emaonly.safetensors"


def test_comfyui_keeps_what_is_not_to_be_painted(start):
    program = start(ComfyUI)
    image = Image.new("RGB", (64, 64), (255, 0, 0))
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (32, 0, 64, 64))
    source = Source(encoded(image), encoded(mask), painting=True)
    made = render(order(painter("comfyui", program), width=64, height=64, source=source))
    picture = Image.frombytes("RGB", (64, 64), made.pictures[0].rgb)
    assert picture.getpixel((2, 32)) == (255, 0, 0)
    assert picture.getpixel((60, 32)) == (7, 10, 200)
    assert program.bodies("/prompt")[0]["prompt"]["masked"]["class_type"] == "SetLatentNoiseMask"
    assert b"horde-" in program.known["uploaded"]


def test_what_comfyui_cannot_do_is_told(start):
    made = render(order(painter("comfyui", start(ComfyUI)), hires_strength=0.5, tiling=True))
    assert [note.ref for note in made.notes] == [
        "made without hires fix, which this worker's server has not",
        "made without tiling, which this worker's server has not",
    ]


def test_what_comfyui_refuses_is_the_jobs_fault(start):
    program = start(ComfyUI)
    model = painter("comfyui", program)
    program.known["memory"] = True
    with pytest.raises(CannotRender, match="Allocation on device"):
        render(order(model))
    gone = type(model)(**{**vars(model), "theirs": "gone.safetensors"})
    program.known["memory"] = False
    proxies = Proxies()
    proxies.load(model)
    with pytest.raises(CannotRender, match="400 Value not in list"):
        proxies.render(order(gone), lambda *_: None)


def test_what_nobody_wants_of_comfyui_any_more_is_interrupted(start):
    program = start(ComfyUI)
    program.slow = True
    with pytest.raises(Stopped):
        render(order(painter("comfyui", program)), stops_at_once)
    assert program.bodies("/interrupt")
    assert program.bodies("/queue")[0]["delete"]


def test_both_know_all_samplers():
    assert SAMPLERS.keys() <= a1111.SAMPLERS.keys()
    assert SAMPLERS.keys() <= comfyui.SAMPLERS.keys()


# KoboldCpp


def test_koboldcpp_writes_texts(start):
    program = start(KoboldCpp)
    model = writer("koboldcpp", program.url)
    assert (model.name, model.context) == ("story-7b", 8192)
    steps = []
    sampling = Sampling(temperature=0.5, top_k=40, rep_pen=1.1)
    [made] = render(writing(model, sampling=sampling), lambda *one: steps.append(one[:2]))
    assert made.text == KoboldCpp.TEXT
    assert (2, 50) in steps
    [body] = program.bodies("/api/v1/generate")
    told = {name: body[name] for name in ("temperature", "top_k", "rep_pen", "max_length")}
    assert told == {"temperature": 0.5, "top_k": 40, "rep_pen": 1.1, "max_length": 50}
    assert (body["sampler_seed"], body["sampler_order"]) == (3, [6, 0, 1, 2, 3, 4, 5])


def test_texts_end_and_look_as_was_asked(start):
    model = writer("koboldcpp", start(KoboldCpp).url)
    assert render(writing(model, stops=("fox",)))[0].text == " there was a fox"
    assert (
        render(writing(model, single_line=True))[0].text == " there was a fox. It lived in a wood."
    )
    [made] = render(writing(model, format=Format(whole=True)))
    assert made.text == " there was a fox. It lived in a wood."


def test_a_busy_koboldcpp_gives_the_job_back(start):
    program = start(KoboldCpp)
    model = writer("koboldcpp", program.url)
    program.busy = True
    with pytest.raises(CannotRender, match="503 Server is busy"):
        render(writing(model))
    program.busy = False
    with pytest.raises(CannotRender, match="422 max_length: too long"):
        render(writing(model, length=5000))


def test_a_text_that_nobody_wants_any_more_is_aborted(start):
    program = start(KoboldCpp)
    program.slow = True
    with pytest.raises(Stopped):
        render(writing(writer("koboldcpp", program.url)), stops_at_once)
    assert program.bodies("/api/extra/abort")


# OpenAI's API


def test_a_server_with_openais_api_writes_texts_token_by_token(start):
    program = start(OpenAI, key=KEY)
    model = writer("openai", f"{program.url}/v1", KEY)
    assert (model.name, model.theirs, model.context) == ("story-7b", "org/story-7b", 4096)
    steps = []
    [made] = render(writing(model), lambda *one: steps.append(one[:2]), key=KEY)
    assert made.text == "".join(OpenAI.WORDS)
    assert [step for step, _ in steps] == list(range(1, 9))


def test_a_strict_one_gets_nothing_that_it_does_not_know(start):
    program = start(OpenAI)
    program.known["strict"] = True
    model = writer("openai", f"{program.url}/v1")
    stops = ("a1", "b2", "c3", "d4", "fox")
    assert render(writing(model, stops=stops))[0].text == " there was a fox"
    first, second = program.bodies("/v1/completions")
    assert "min_p" in first
    assert set(second) <= OpenAI.PARAMETERS
    assert len(second["stop"]) == 4


def test_a_wrong_key_is_said(start):
    program = start(OpenAI, key=KEY)
    with pytest.raises(NotAnswering, match="wants a key"):
        writer("openai", f"{program.url}/v1", "wrong")


def test_leaving_a_text_closes_the_connection(start):
    program = start(OpenAI)
    program.slow = True
    with pytest.raises(Stopped):
        render(writing(writer("openai", f"{program.url}/v1")), stops_at_once)
    assert program.stopped.wait(20)


def test_the_key_goes_nowhere_else(start):
    program = start(WebUI)
    render(order(painter("a1111", program)), key="")
    assert program.calls


# Names and settings


def test_models_are_offered_under_the_names_that_are_wanted():
    theirs = ["v1-5-pruned.safetensors", "xl\\sdxl_base.safetensors [31e3]", "org/story"]
    assert named(None, theirs) == {
        "v1-5-pruned": "v1-5-pruned.safetensors",
        "sdxl_base": "xl\\sdxl_base.safetensors [31e3]",
        "story": "org/story",
    }
    assert named(["stable_diffusion=v1-5-pruned", "SDXL 1.0=SDXL_base", "gone"], theirs) == {
        "stable_diffusion": "v1-5-pruned.safetensors",
        "SDXL 1.0": "xl\\sdxl_base.safetensors [31e3]",
    }


@pytest.mark.parametrize(
    "setting", ["", "a1111", "a1111=", "a1111=/x", "dalle=http://x", "http://x"]
)
def test_what_is_no_server_is_said(setting):
    with pytest.raises(NoServer, match="a1111=URL"):
        image_server(setting)


def test_servers_are_named_with_their_kind():
    assert image_server("comfyui=http://127.0.0.1:8188/") == Server(
        "comfyui", "http://127.0.0.1:8188"
    )
    assert str(text_server("openai=http://x/v1")) == "openai at http://x/v1"


def test_nobody_there_is_said(free_port):
    with pytest.raises(NotAnswering, match="ConnectError"):
        renderers.painters(Server("a1111", f"http://127.0.0.1:{free_port}"), None)


def test_files_of_this_machine_are_no_models():
    from worker.image.order import Checkpoint

    model = Checkpoint("m", Path(), native=64, multiple=8)
    with pytest.raises(CannotLoad):
        Proxies().load(model)
