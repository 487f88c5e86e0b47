"""The whole program in a few seconds: two steps of each training, export, and the real loader."""

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file

from training import (
    autoencoder,
    concepts,
    decoder,
    denoiser,
    export,
    keeping,
    latents,
    running,
    tokenizer,
)
from training.captions import Captions
from training.scenes import Planner

# diffusers and numpy warn about each other
pytestmark = pytest.mark.filterwarnings("ignore")

A_MOMENT = 0.005  # minutes; at least one step


@pytest.fixture(scope="module")
def state(tmp_path_factory, composer):
    """A state folder after the shortest of trainings."""
    folder = tmp_path_factory.mktemp("state")
    words = tokenizer.train(["a red fox on a blue background"], size=600)
    words.save_pretrained(folder / "tokenizer")
    autoencoder.train(composer, folder / "autoencoder.pt", minutes=A_MOMENT)
    export.measure(folder, composer, scenes=16)
    latents.grow(
        folder / "scenes",
        16,
        model=export.trained_autoencoder(folder),
        composer=composer,
        captions=Captions(concepts.shipped()),
        tokenizer=words,
        shard=16,
    )
    training = denoiser.Training(words, folder / "denoiser.pt", where="cpu")
    training.run(folder / "scenes", minutes=A_MOMENT, batch=4, decay_minutes=A_MOMENT)
    return folder


def test_the_export_loads_and_draws(state, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "NOTICE").write_text("thanks")
    export.write(export.from_state(state, tokenizer.load(state / "tokenizer")), folder)

    pipeline = DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    again = [
        pipeline(
            "a red fox", num_inference_steps=2, generator=torch.Generator().manual_seed(1)
        ).images[0]
        for _ in range(2)
    ]

    assert again[0].size == (autoencoder.SIDE, autoencoder.SIDE)
    assert again[0].tobytes() == again[1].tobytes()
    assert (folder / "NOTICE").read_text() == "thanks"
    assert sum(file.stat().st_size for file in folder.rglob("*")) < 30_000_000


def test_training_goes_on_from_its_state(state):
    words = tokenizer.load(state / "tokenizer")
    saved = running.load(state / "denoiser.pt", "cpu")

    training = denoiser.Training(words, state / "denoiser.pt", where="cpu")

    assert training.step == saved["step"] > 0
    assert torch.equal(training.average.weights[0], saved["average"][0])
    momenta = training.optimizers[0].state_dict()["state"]
    assert torch.equal(momenta[0]["momentum"], saved["optimizers"][0]["state"][0]["momentum"])


def test_the_state_before_the_decay_is_kept(state):
    steady = running.load(state / "denoiser.steady", "cpu")

    assert steady["step"] <= running.load(state / "denoiser.pt", "cpu")["step"]


def test_a_state_is_kept_and_restored_whole(state, tmp_path):
    keeping.keep(state, tmp_path / "kept.tar.gz")
    keeping.restore(tmp_path / "kept.tar.gz", tmp_path / "again")

    words = tokenizer.load(tmp_path / "again" / "tokenizer")
    training = denoiser.Training(words, tmp_path / "again" / "denoiser.pt", where="cpu")

    assert training.step == running.load(state / "denoiser.pt", "cpu")["step"]
    assert not (tmp_path / "again" / "scenes").exists()


def test_an_exported_model_is_taken_up_and_exported_the_same(state, tmp_path):
    words = tokenizer.load(state / "tokenizer")
    export.write(export.from_state(state, words), tmp_path / "model")
    keeping.take_up(tmp_path / "model", tmp_path / "taken")

    export.write(export.from_state(tmp_path / "taken", words), tmp_path / "again")

    for part in ("unet", "vae", "text_encoder"):
        first, second = (
            load_file(next((tmp_path / folder / part).glob("*.safetensors")))
            for folder in ("model", "again")
        )
        assert first.keys() == second.keys()
        assert all(torch.equal(first[name], second[name]) for name in first)
    training = denoiser.Training(words, tmp_path / "taken" / "denoiser.pt", where="cpu")
    assert training.step == 0


def test_pictures_of_other_shapes_are_cached_apart(state, composer, tmp_path):
    words = tokenizer.load(state / "tokenizer")
    latents.grow(
        tmp_path / "scenes",
        5 * 4,
        model=export.trained_autoencoder(state),
        composer=composer,
        captions=Captions(concepts.shipped()),
        tokenizer=words,
        shard=4,
    )

    shapes = {tuple(pictures.shape) for pictures, _ in latents.read(tmp_path / "scenes", "cpu")}

    assert shapes == {(12, 16, 8, 8), (4, 16, 10, 6), (4, 16, 6, 10)}


def test_latents_are_cached_normalised_with_their_captions(state):
    [(pictures, captions)] = latents.read(state / "scenes", "cpu")

    assert pictures.shape == (16, 16, 8, 8)
    assert captions.shape == (16, latents.CAPTIONS, tokenizer.LENGTH)
    assert pictures.float().mean().abs() < 0.5


def test_a_decoder_alone_learns_and_leaves_the_latents_as_they_are(state, composer, tmp_path):
    keeping.keep(state, tmp_path / "kept.tar.gz")
    keeping.restore(tmp_path / "kept.tar.gz", tmp_path / "own")
    file = tmp_path / "own" / "decoder.pt"
    old = export.trained_autoencoder(state)

    first = decoder.Training(export.trained_autoencoder(state), composer, file)
    first.run(minutes=A_MOMENT, critic_minutes=0, decay_minutes=A_MOMENT)
    more = decoder.Training(export.trained_autoencoder(tmp_path / "own"), composer, file)
    assert more.step == first.step > 0
    more.run(minutes=A_MOMENT, critic_minutes=A_MOMENT, decay_minutes=0)

    assert more.criticised > 0
    new = export.trained_autoencoder(tmp_path / "own")
    pictures = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        latent = old.encode(pictures).latent_dist.mean
        assert torch.equal(new.encode(pictures).latent_dist.mean, latent)
        assert not torch.equal(new.decode(latent).sample, old.decode(latent).sample)
    assert more.step == running.load(file, "cpu")["step"]
    assert running.load(file.with_suffix(".plain"), "cpu")["criticised"] == 0


def test_latents_of_the_export_have_no_noise(state):
    vae = export.trained_autoencoder(state)

    said = vae.encode(torch.rand(1, 3, 64, 64)).latent_dist

    assert (said.sample() - said.mean).abs().max() < 1e-5


def test_normalising_changes_latents_and_not_pictures(composer, icons):
    torch.manual_seed(0)
    model = autoencoder.build().eval()
    pictures = composer.paint([Planner(icons).plan(index) for index in range(2)], 64)
    with torch.no_grad():
        before = model.encode(pictures).latent_dist.mean
        drawn = model.decode(before).sample
        mean, spread = before.mean((0, 2, 3)), before.std((0, 2, 3))
        export.normalise(model, mean, spread.clamp(min=float(spread.max()) / 2))
        after = model.encode(pictures).latent_dist.mean
        again = model.decode(after).sample

    assert after.mean((0, 2, 3)).abs().max() < 1e-3
    assert torch.allclose(drawn, again, atol=1e-3)


def test_the_moving_average_swaps_and_swaps_back():
    weight = torch.nn.Parameter(torch.zeros(2))
    average = running.MovingAverage([weight], decay=0.5)
    weight.data.fill_(1.0)
    average.follow(100)

    average.swap()
    assert weight.tolist() == [0.5, 0.5]
    average.swap()
    assert weight.tolist() == [1.0, 1.0]
