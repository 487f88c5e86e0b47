"""Adaptations and learned words on real pipelines: how much they do, and that nothing stays."""

from dataclasses import replace

import numpy as np
import pytest

import tiny_adaptations
import tiny_families
from worker import models
from worker.image.order import Adaptation, Word
from worker.renderer import BrokenResult, CannotRender

pytestmark = pytest.mark.filterwarnings("ignore")

BUILD = {"sd": tiny_families.sd, "sdxl": tiny_families.sdxl, "flux": tiny_families.flux}


def loaded(build, folder):
    from worker.image.pipeline import DiffusersRenderer

    renderer = DiffusersRenderer(device="cpu")
    renderer.load(models.inspect(folder.name, build(folder)))
    return renderer


@pytest.fixture(scope="module", params=BUILD)
def renderer(request, one_thread, tmp_path_factory):
    return loaded(BUILD[request.param], tmp_path_factory.mktemp("models") / request.param)


@pytest.fixture(scope="module")
def shared_pipes(one_thread, tmp_path_factory):
    """Pipelines of two families that have nothing in common."""
    folder = tmp_path_factory.mktemp("others")
    return {name: loaded(BUILD[name], folder / name).model.from_text for name in ("sd", "flux")}


@pytest.fixture
def pipe(renderer):
    return renderer.model.from_text


def order_of(renderer, **changes):
    from worker.image.pipeline import trial

    usual = replace(trial(renderer.model.checkpoint), exact=False, width=64, height=64, steps=2)
    return replace(usual, **changes)


@pytest.fixture
def make(renderer):
    """Make a picture; gives it and what is said about it."""

    def render(**changes):
        rendered = renderer.render(order_of(renderer, **changes), lambda *_: None)
        [made] = rendered.pictures
        noted = [(one.type, one.value, one.ref) for one in rendered.notes]
        return np.frombuffer(made.rgb, np.uint8).astype(int), [
            one for one in noted if one[0] in {"lora", "ti"}
        ]

    return render


def distance(one, other):
    return float(abs(one - other).mean())


@pytest.mark.parametrize("form", ["kohya", "peft", "diffusers"])
def test_an_adaptation_counts_by_its_strength_and_leaves_nothing(make, pipe, tmp_path, form):
    if form != "peft" and hasattr(pipe, "transformer"):
        pytest.skip("trainers of this family do not write so")
    file = tiny_adaptations.save(
        tmp_path / "style.safetensors", tiny_adaptations.tensors(pipe, form=form)
    )
    plain, _ = make()
    none, notes = make(adaptations=(Adaptation("style", file, 0.0, 0.0),))
    little, _ = make(adaptations=(Adaptation("style", file, 0.05, 0.05),))
    much, _ = make(adaptations=(Adaptation("style", file, 1.0, 1.0),))
    assert notes == []
    assert distance(plain, none) == 0
    assert 0 < distance(plain, little) < distance(plain, much)
    assert distance(plain, make()[0]) == 0


def test_both_strengths_count(make, pipe, tmp_path):
    file = tiny_adaptations.save(
        tmp_path / "a.safetensors", tiny_adaptations.tensors(pipe, form="peft")
    )
    both, _ = make(adaptations=(Adaptation("a", file, 1.0, 1.0),))
    for model, clip in ((1.0, 0.0), (0.0, 1.0)):
        assert distance(both, make(adaptations=(Adaptation("a", file, model, clip),))[0]) > 0


@pytest.mark.parametrize("tiling", [False, True])
def test_it_is_what_adding_it_to_the_weights_would_be(one_thread, tmp_path, tiling):
    import torch

    from worker.image.lora import Adaptations

    renderer = loaded(tiny_families.sd, tmp_path / "sd")
    unet = renderer.model.from_text.unet
    tensors = tiny_adaptations.tensors(
        renderer.model.from_text, parts={"unet"}, alpha=1, rank=4, form="kohya"
    )
    file = tiny_adaptations.save(tmp_path / "a.safetensors", tensors)
    given = (torch.randn(1, 4, 8, 8), 10, torch.randn(1, 16, 32))
    with (
        torch.inference_mode(),
        renderer.model.seamless(tiling=tiling),
        Adaptations(renderer.model.from_text).applied([Adaptation("a", file, 0.7)]),
    ):
        hooked = unet(*given).sample
    with torch.inference_mode(), renderer.model.seamless(tiling=tiling):
        for name, module in unet.named_modules():
            key = f"lora_unet_{name.replace('.', '_')}"
            if f"{key}.lora_down.weight" in tensors:
                up, down = (tensors[f"{key}.lora_{one}.weight"] for one in ("up", "down"))
                delta = (up.flatten(1) @ down.flatten(1)).reshape(module.weight.shape)
                module.weight += 0.7 * (1 / 4) * delta
        merged = unet(*given).sample
    assert (hooked - merged).abs().max() < 1e-3 * merged.abs().max()


def test_several_add_up(make, pipe, tmp_path):
    files = [
        tiny_adaptations.save(
            tmp_path / f"{seed}.safetensors", tiny_adaptations.tensors(pipe, form="peft", seed=seed)
        )
        for seed in range(2)
    ]
    one, two = (Adaptation(str(file), file, 0.3) for file in files)
    both, _ = make(adaptations=(one, two))
    assert distance(both, make(adaptations=(one,))[0]) > 0
    assert distance(both, make(adaptations=(two,))[0]) > 0


def test_what_does_not_fit_or_is_broken_is_noted_and_left_out(make, pipe, tmp_path):
    import torch

    other = tiny_adaptations.tensors(pipe, form="peft")
    wider = {
        name: torch.cat([one, one], 1) if "lora_A" in name else one for name, one in other.items()
    }
    elsewhere = {name.replace("blocks", "rocks"): one for name, one in other.items()}
    elsewhere = {name: one for name, one in elsewhere.items() if "rocks" in name}
    files = {
        "wider": tiny_adaptations.save(tmp_path / "wider.safetensors", wider),
        "elsewhere": tiny_adaptations.save(tmp_path / "elsewhere.safetensors", elsewhere),
        "other form": tiny_adaptations.save(
            tmp_path / "form.safetensors", {"unet.x.hada_w1_a": torch.zeros(2, 2)}
        ),
        "no numbers": tiny_adaptations.save(
            tmp_path / "nan.safetensors",
            tiny_adaptations.tensors(pipe, form="peft", size=float("nan")),
        ),
        "cut off": tmp_path / "cut.safetensors",
        "gone": tmp_path / "gone.safetensors",
    }
    files["cut off"].write_bytes(files["wider"].read_bytes()[:-9])
    plain, _ = make()
    made, notes = make(adaptations=tuple(Adaptation(name, file) for name, file in files.items()))
    assert distance(plain, made) == 0
    assert notes == [
        ("lora", "baseline_mismatch", "wider"),
        ("lora", "baseline_mismatch", "elsewhere"),
        ("lora", "parse_failed", "other form"),
        ("lora", "parse_failed", "no numbers"),
        ("lora", "parse_failed", "cut off"),
        ("lora", "parse_failed", "gone"),
    ]


def test_too_large_an_adaptation_is_its_orders_fault_and_not_the_models(
    make, renderer, pipe, tmp_path, monkeypatch
):
    file = tiny_adaptations.save(
        tmp_path / "loud.safetensors", tiny_adaptations.tensors(pipe, form="peft", size=1e18)
    )
    loud, model = Adaptation("loud", file, 5.0, 5.0), renderer.model
    plain, _ = make()
    with pytest.raises(CannotRender, match="brought beside the model") as told:
        make(adaptations=(loud,))
    assert not isinstance(told.value, BrokenResult)
    monkeypatch.setattr(model, "call", lambda pipe, **given: np.zeros((1, 64, 64, 3)))
    assert not renderer.render(order_of(renderer, adaptations=(loud,)), lambda *_: None).blank
    assert renderer.render(order_of(renderer), lambda *_: None).blank == 1
    monkeypatch.undo()
    assert renderer.model is model
    assert distance(plain, make()[0]) == 0


@pytest.mark.parametrize("form", ["kohya", "peft", "diffusers"])
def test_an_adaptation_of_another_family_is_named_as_such(
    make, renderer, shared_pipes, tmp_path, form
):
    name = renderer.model.checkpoint.name
    if name == "sdxl":
        pytest.skip("its layers have the sizes of sd's, which real ones have not")
    other = shared_pipes["flux" if name == "sd" else "sd"]
    if form != "peft" and hasattr(other, "transformer"):
        pytest.skip("trainers of this family do not write so")
    file = tiny_adaptations.save(
        tmp_path / "other.safetensors", tiny_adaptations.tensors(other, form=form)
    )
    _, notes = make(adaptations=(Adaptation("other", file),))
    assert notes == [("lora", "baseline_mismatch", "other")]


def test_what_is_not_used_is_forgotten_where_it_takes_too_much(
    make, renderer, tmp_path, monkeypatch
):
    from worker.image import lora

    monkeypatch.setattr(lora, "MAX_KEPT_BYTES", 1)
    pipe, kept = renderer.model.from_text, renderer.model._adaptations._read
    for seed in range(4):
        file = tiny_adaptations.save(
            tmp_path / f"{seed}.safetensors", tiny_adaptations.tensors(pipe, form="peft", seed=seed)
        )
        make(adaptations=(Adaptation("a", file),))
        assert list(kept) == [file]


def word(path, pipe, *, size=2.0, tokens=2):
    """A learned word for each text encoder of a pipeline."""
    import torch

    generator = torch.Generator().manual_seed(5)

    def vectors(encoder):
        return torch.randn(tokens, encoder.config.hidden_size, generator=generator) * size

    if hasattr(pipe, "unet") and hasattr(pipe, "text_encoder_2"):
        made = {"clip_l": vectors(pipe.text_encoder), "clip_g": vectors(pipe.text_encoder_2)}
    else:
        made = {"emb_params": vectors(pipe.text_encoder)}
    return tiny_adaptations.save(path, made)


def test_a_learned_word_counts_where_the_prompt_has_it(make, renderer, pipe, tmp_path):
    learned = Word("Blurry", word(tmp_path / "w.safetensors", pipe))
    prompt = "a fox, embedding:blurry"
    plain, _ = make(prompt=prompt)
    without, notes = make(prompt="a fox", words=(learned,))
    made, _ = make(prompt=prompt, words=(learned,))
    weak, _ = make(prompt="a fox, (embedding:BLURRY:0.1)", words=(learned,))
    assert notes == []
    assert distance(plain, made) > 0
    assert distance(made, weak) > 0
    assert distance(without, make(prompt="a fox")[0]) == 0
    assert distance(plain, make(prompt=prompt)[0]) == 0


def test_words_of_other_models_and_broken_ones_are_noted(make, renderer, pipe, tmp_path):
    import torch

    wide = tiny_adaptations.save(tmp_path / "wide.safetensors", {"x": torch.zeros(1, 99)})
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"nothing")
    many = tiny_adaptations.save(
        tmp_path / "many.safetensors", {"a": torch.zeros(1, 9), "b": torch.zeros(1, 9)}
    )
    none = tiny_adaptations.save(
        tmp_path / "none.safetensors",
        {"x": torch.full((1, pipe.text_encoder.config.hidden_size), float("inf"))},
    )
    words = tuple(
        Word(name, file)
        for name, file in {"wide": wide, "broken": broken, "many": many, "none": none}.items()
    )
    _, notes = make(words=words, prompt="embedding:wide embedding:broken")
    assert notes == [
        ("ti", "baseline_mismatch", "wide"),
        ("ti", "parse_failed", "broken"),
        ("ti", "parse_failed", "many"),
        ("ti", "parse_failed", "none"),
    ]


def test_a1111s_own_files_of_words_are_read(make, pipe, tmp_path):
    import torch

    file = tmp_path / "word.pt"
    width = pipe.text_encoder.config.hidden_size
    torch.save({"string_to_param": {"*": torch.ones(3, width)}, "name": "word"}, file)
    plain, _ = make(prompt="embedding:word")
    made, notes = make(prompt="embedding:word", words=(Word("word", file),))
    assert notes == []
    assert distance(plain, made) > 0
