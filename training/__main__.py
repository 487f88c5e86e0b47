"""The command line: python -m training TASK, for the tasks that --help lists."""

import argparse
import json
import random
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import CLIPTokenizer

from training import (
    autoencoder,
    concepts,
    data,
    decoder,
    denoiser,
    enlarger,
    evaluate,
    export,
    keeping,
    latents,
    running,
    tokenizer,
    words,
)
from training.captions import Captions
from training.composer import Composer
from training.scenes import Planner

STATE = Path.home() / ".cache" / "stable-horde" / "training"
SHIPPED = Path(__file__).parents[1] / "worker" / "models" / "horde-tiny"
CATALOG = Path(__file__).parents[1] / "core" / "catalog" / "vocabularies"
DOCS = Path(__file__).parents[1] / "docs"
CORPUS_SCENES = 40_000


def vocabulary(state: Path) -> CLIPTokenizer:
    """The tokenizer of a state folder, learnt now if there is none.

    From captions of all concepts, whatever the recipe, so that recipes can follow one another.
    """
    folder = state / "tokenizer"
    if not folder.exists():
        composer = Composer.load(state / "icons.npz", concepts.recipe("gpu"))
        planner, captions = Planner(composer.icons), Captions(concepts.shipped())
        corpus = [
            captions.describe(planner.plan(index), random.Random(index))
            for index in range(CORPUS_SCENES)
        ]
        table = concepts.shipped().values()
        names = [word for each in table for word in (each.noun, each.plural, *each.also)]
        others = json.loads((state / "words.json").read_text())
        tokenizer.train([*corpus, *names * 20, *others]).save_pretrained(folder)
    return tokenizer.load(folder)


def _write_words(state: Path) -> None:
    """The vocabulary of the shipped weights, for the worker and for the server."""
    if not (state / data.WORDNET).exists():
        data.prepare(state)
    dictionary = words.Dictionary.read(state / data.WORDNET)
    made = words.of_recipe(concepts.shipped_recipe(), dictionary)
    for file in (SHIPPED / "vocabulary.json", CATALOG / f"{SHIPPED.name}.json"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(asdict(made), indent=0) + "\n")


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--state", type=Path, default=STATE, help="folder of all that is kept")
    parser.add_argument("--recipe", help="of recipes.toml; default: by the task and the device")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; more rarely help")
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("data", help="fetch the icons and pack them")
    task = tasks.add_parser("autoencoder", help="train it, or go on")
    task.add_argument("--minutes", type=float, required=True, help="in all")
    task = tasks.add_parser("cache", help="encode scenes for the denoiser")
    task.add_argument("--scenes", type=int, required=True, help="in all")
    task = tasks.add_parser("denoiser", help="train it, or go on")
    task.add_argument("--minutes", type=float, required=True, help="more")
    task.add_argument("--decay-minutes", type=float, default=0.0, help="of these, at the end")
    task.add_argument("--batch", type=int, help="default: 64, on a GPU 512")
    task = tasks.add_parser("decoder", help="train the autoencoder's decoder alone, or go on")
    task.add_argument("--minutes", type=float, required=True, help="more")
    task.add_argument("--critic-minutes", type=float, default=0.0, help="of these, at the end")
    task.add_argument("--decay-minutes", type=float, default=0.0, help="of these, at the end")
    task = tasks.add_parser("import", help="make a state of an exported folder's weights")
    task.add_argument("--model", type=Path, default=SHIPPED)
    task = tasks.add_parser("keep", help="write the state into one file")
    task.add_argument("file", type=Path)
    task = tasks.add_parser("restore", help="take the state from such a file")
    task.add_argument("file", type=Path)
    tasks.add_parser("words", help="write down which words the shipped model knows")
    task = tasks.add_parser("enlarger", help="fetch the network that enlarges its pictures")
    task.add_argument("--to", type=Path, default=SHIPPED)
    task = tasks.add_parser("export", help="write the diffusers folder")
    task.add_argument("--to", type=Path, default=SHIPPED)
    task = tasks.add_parser("evaluate", help="score a folder, write docs/model.md")
    task.add_argument("--model", type=Path, default=SHIPPED)
    task.add_argument("--docs", type=Path, default=DOCS)
    choice = parser.parse_args()
    torch.set_num_threads(choice.threads)
    _do(choice, running.device())


def _do(choice: argparse.Namespace, where: str) -> None:
    state: Path = choice.state
    at_once: dict[str, Callable[[], None]] = {
        "data": lambda: data.prepare(state),
        "import": lambda: keeping.take_up(choice.model, state),
        "keep": lambda: keeping.keep(state, choice.file),
        "restore": lambda: keeping.restore(choice.file, state),
        "words": lambda: _write_words(state),
        "enlarger": lambda: enlarger.fetch(choice.to),
        "export": lambda: export.write(export.from_state(state, vocabulary(state)), choice.to),
    }
    if choice.task in at_once:
        at_once[choice.task]()
        return
    if not (state / "icons.npz").exists():
        data.prepare(state)
    usual = "gpu" if where == "cuda" else "cpu"
    if choice.task == "evaluate":
        usual = concepts.shipped_recipe()
    recipe = concepts.recipe(choice.recipe or usual)
    composer = Composer.load(state / "icons.npz", recipe, device=where)
    if choice.task == "autoencoder":
        autoencoder.train(composer, state / "autoencoder.pt", minutes=choice.minutes)
        export.measure(state, composer)
    elif choice.task == "cache":
        latents.grow(
            state / "scenes",
            choice.scenes,
            model=export.trained_autoencoder(state).to(where),
            composer=composer,
            captions=Captions(concepts.shipped()),
            tokenizer=vocabulary(state),
        )
    elif choice.task == "denoiser":
        batch = choice.batch or (512 if where == "cuda" else 64)
        training = denoiser.Training(vocabulary(state), state / "denoiser.pt", where=where)
        training.run(
            state / "scenes",
            minutes=choice.minutes,
            batch=batch,
            decay_minutes=choice.decay_minutes,
        )
    elif choice.task == "decoder":
        model = export.trained_autoencoder(state)
        decoder.Training(model, composer, state / "decoder.pt").run(
            minutes=choice.minutes,
            critic_minutes=choice.critic_minutes,
            decay_minutes=choice.decay_minutes,
        )
    else:
        places = recipe.landscapes
        evaluate.report(choice.model, composer, choice.docs, state / "judge.pt", places=places)


if __name__ == "__main__":
    main()
