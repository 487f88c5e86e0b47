"""Scores a model folder and draws its sample sheet, for docs/model.md.

The judge is `classifier`. Chance and its score on painted pictures stand beside the model's, so
that a figure can be read: the model cannot be expected to do better than real pictures.
"""

import random
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline
from PIL import Image, ImageDraw
from torch import Tensor

from training import autoencoder, classifier, concepts
from training.captions import with_article
from training.classifier import Classifier
from training.composer import Composer
from training.scenes import COLOURS, Icon, Item, Scene, held_out

PROMPTS = 64
SEEDS = 4
STEPS = 20
GUIDANCE = 4.0
JUDGE_STEPS = 600
BATCH = 16
THUMBNAIL = 72  # pixels
FIGURES = ("<!-- figures: python -m training evaluate -->\n", "<!-- end of figures -->")


@dataclass(frozen=True)
class Question:
    """A prompt and what the picture must show. style: None where the prompt names none."""

    prompt: str
    concept: str
    ground: str
    style: str | None


@dataclass(frozen=True)
class Score:
    """Shares of pictures told right, 0 to 1. style: over those whose prompt names one."""

    count: int
    object_first: float
    object_five: float
    ground: float
    style: float


def questions(icons: Sequence[Icon], *, unseen: bool, count: int = PROMPTS) -> list[Question]:
    """Prompts for pairs of thing and background, all held out from training or all trained.

    Every second one names a style. The same icons always give the same prompts.
    """
    dice = random.Random(f"questions {unseen}")
    table = concepts.shipped()
    names = sorted({icon.concept for icon in icons})
    styles = sorted({icon.style for icon in icons})
    pairs = [
        (name, colour)
        for name in names
        for colour in COLOURS
        if colour != "white" and held_out(name, colour) == unseen
    ]
    asked = []
    for number, (name, ground) in enumerate(dice.sample(pairs, min(count, len(pairs)))):
        style = dice.choice(styles) if number % 2 else None
        noun = table[name].noun
        thing = noun if noun.endswith("s") else with_article(noun)
        prompt = f"{thing} on {with_article(ground)} background"
        asked.append(Question(prompt + (f", {style} style" if style else ""), name, ground, style))
    return asked


def pictures(pipeline: StableDiffusionPipeline, asked: Sequence[Question]) -> Tensor:
    """SEEDS pictures for each question, (questions * seeds, 3, side, side), -1 to 1."""
    jobs = [(question.prompt, seed) for question in asked for seed in range(SEEDS)]
    made = []
    for start in range(0, len(jobs), BATCH):
        part = jobs[start : start + BATCH]
        drawn = pipeline(
            [prompt for prompt, _ in part],
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            generator=[torch.Generator().manual_seed(seed) for _, seed in part],
            output_type="pt",
        )
        made.append(drawn.images.float() * 2 - 1)
    return torch.cat(made)


def painted(composer: Composer, asked: Sequence[Question]) -> Tensor:
    """Real pictures for the questions, as many as `pictures` gives, painted from the icons."""
    dice = random.Random("painted")
    scenes = []
    for question in asked:
        fitting = [
            icon
            for icon in composer.icons
            if icon.concept == question.concept and question.style in (None, icon.style)
        ]
        for _ in range(SEEDS):
            item = Item(dice.choice(fitting), 0.5, 0.5, 0.86)
            scenes.append(Scene((item,), "centre", question.ground, None))
    return composer.paint(scenes, autoencoder.SIDE)


@torch.no_grad()
def again(pipeline: StableDiffusionPipeline, shown: Tensor) -> Tensor:
    """The pictures encoded and decoded: as good as the denoiser could make them."""
    vae = pipeline.vae
    parts = [vae.decode(vae.encode(part).latent_dist.mean).sample for part in shown.split(BATCH)]
    return torch.cat(parts)


@torch.no_grad()
def score(judge: Classifier, shown: Tensor, asked: Sequence[Question]) -> Score:
    """How often the judge sees in the pictures what was asked for."""
    answer = judge(shown)
    rows = [question for question in asked for _ in range(SEEDS)]
    objects = torch.tensor([judge.concepts.index(row.concept) for row in rows])
    grounds = torch.tensor([judge.grounds.index(row.ground) for row in rows])
    best = answer.objects.topk(min(5, len(judge.concepts)), dim=1).indices
    hits = best == objects[:, None]
    styled = [place for place, row in enumerate(rows) if row.style is not None]
    styles = torch.tensor([judge.styles.index(str(rows[place].style)) for place in styled])
    return Score(
        count=len(rows),
        object_first=hits[:, 0].float().mean().item(),
        object_five=hits.any(dim=1).float().mean().item(),
        ground=(answer.grounds.argmax(1) == grounds).float().mean().item(),
        style=(answer.styles[styled].argmax(1) == styles).float().mean().item(),
    )


def sheet(shown: Tensor, asked: Sequence[Question], *, columns: int = 4) -> Image.Image:
    """The pictures with their prompts, SEEDS in a row for each."""
    tiles = ((shown.clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()
    wide, high = SEEDS * THUMBNAIL + 8, THUMBNAIL + 18
    rows = -(-len(asked) // columns)
    page = Image.new("RGB", (columns * wide, rows * high), "white")
    pen = ImageDraw.Draw(page)
    for number, question in enumerate(asked):
        left, top = number % columns * wide, number // columns * high
        pen.text((left + 2, top + 2), question.prompt, fill="black")
        for seed in range(SEEDS):
            tile = Image.fromarray(tiles[number * SEEDS + seed])
            small = tile.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
            page.paste(small, (left + seed * THUMBNAIL, top + 15))
    return page


def report(model: Path, composer: Composer, docs: Path) -> None:
    """Score the model, print the figures, put them into its card and docs, and draw the sheet."""
    pipeline, cost = measured(model)
    judge = classifier.train(composer, steps=JUDGE_STEPS)
    unseen = questions(composer.icons, unseen=True)
    seen = questions(composer.icons, unseen=False)
    drawn, real = pictures(pipeline, unseen), painted(composer, unseen)
    scores = {
        "pairs never trained": score(judge, drawn, unseen),
        "trained pairs": score(judge, pictures(pipeline, seen), seen),
        "real ones through the autoencoder": score(judge, again(pipeline, real), unseen),
        "real pictures (ceiling)": score(judge, real, unseen),
    }
    text = f"\n{table(scores, judge)}\n{cost}\n"
    print(text)
    (docs / "model").mkdir(parents=True, exist_ok=True)
    sheet(drawn, unseen).save(docs / "model" / "sheet.webp", quality=85)
    for page in (docs / "model.md", model / "README.md"):
        put_figures(page, text)


def measured(model: Path) -> tuple[StableDiffusionPipeline, str]:
    """The loaded pipeline, and a sentence on what loading and one picture took."""
    started = time.perf_counter()
    pipeline = DiffusionPipeline.from_pretrained(model, local_files_only=True)
    loading = time.perf_counter() - started
    pipeline.set_progress_bar_config(disable=True)
    started = time.perf_counter()
    pipeline("a red fox on a blue background", num_inference_steps=STEPS, guidance_scale=GUIDANCE)
    making = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pipeline, (
        f"Loading took {loading:.1f} s, one picture of {autoencoder.SIDE} px with {STEPS} guided "
        f"steps {making:.1f} s on {torch.get_num_threads()} CPU thread(s), and the process had "
        f"grown to {memory:.0f} MB by then."
    )


def table(scores: dict[str, Score], judge: Classifier) -> str:
    """The scores as a Markdown table, with chance."""
    chance = (1 / len(judge.concepts), 5 / len(judge.concepts), 1 / 12, 1 / len(judge.styles))
    rows = [
        "| pictures | n | object, first | object, first five | background | style |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in scores.items():
        shares = (found.object_first, found.object_five, found.ground, found.style)
        cells = " | ".join(f"{share:.1%}" for share in shares)
        rows.append(f"| {name} | {found.count} | {cells} |")
    rows.append("| chance | | " + " | ".join(f"{share:.1%}" for share in chance) + " |")
    return "\n".join(rows) + "\n"


def put_figures(page: Path, text: str) -> None:
    """Replace what stands between the two marks of the page, or start a page with them."""
    begin, end = FIGURES
    old = page.read_text() if page.exists() else f"{begin}{end}\n"
    before, rest = old.split(begin, 1)
    page.write_text(before + begin + text + end + rest.split(end, 1)[1])
