"""Scores a model folder and draws its sheets, for docs/model.md.

The judge is `classifier`. Chance and its score on painted pictures stand beside the model's, so
that a figure can be read: the model cannot be expected to do better than real pictures. How the
free prompts come out is for people to judge: `verdicts`.
"""

import random
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline
from PIL import Image, ImageDraw
from torch import Tensor

from training import autoencoder, classifier, prompts, questions, running, sheets, verdicts
from training.classifier import COUNTED, Classifier
from training.composer import Composer
from training.prompts import Prompt
from training.questions import Question
from training.scenes import Planner
from training.sheets import Worker

SEEDS = 2
STEPS = 12
GUIDANCE = 4.0
JUDGE_STEPS = 1500
BATCH = 16
THUMBNAIL = 72  # pixels
COMPOSED = frozenset(
    (
        "counts",
        "two things",
        "things in places, never trained",
        "things in places, trained",
    )
)
"""What a worker draws in layers, so that the model alone has figures of its own."""
FIGURES = ("<!-- figures: python -m training evaluate -->\n", "<!-- end of figures -->")


@dataclass(frozen=True)
class Score:
    """Shares of pictures told right, 0 to 1, each over those whose prompt says it; None: none does.

    both: two things, each in its half, in either order.
    """

    count: int
    object_first: float | None
    object_five: float | None
    ground: float | None
    style: float | None
    place: float | None
    number: float | None
    both: float | None


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


def drawn_by(worker: Worker, asked: Sequence[Question]) -> Tensor:
    """The same as a worker draws them: by the model's words, and in layers."""
    made = [
        worker.draw(Prompt(question.prompt, ""), seed=seed, side=autoencoder.SIDE).image
        for question in asked
        for seed in range(SEEDS)
    ]
    pixels = torch.stack([torch.from_numpy(np.asarray(image, np.float32)) for image in made])
    return pixels.permute(0, 3, 1, 2) / 127.5 - 1


def painted(composer: Composer, asked: Sequence[Question]) -> Tensor:
    """Real pictures for the questions, as many as `pictures` gives, painted from the icons."""
    dice, planner = random.Random("painted"), Planner(composer.icons)
    scenes = [questions.scene_for(each, planner, dice) for each in asked for _ in range(SEEDS)]
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

    def right(logits: Tensor, classes: Sequence, wanted: Sequence, *, of: int = 1) -> float | None:
        """The share of pictures where the wanted class is among the first so many."""
        said = [row for row, each in enumerate(wanted) if each is not None]
        if not said:
            return None
        best = logits[said].topk(min(of, len(classes)), dim=1).indices
        found = torch.tensor([list(classes).index(wanted[row]) for row in said])
        return (best == found[:, None].to(best.device)).any(dim=1).float().mean().item()

    single = [row.concept if row.other is None else None for row in rows]
    return Score(
        count=len(rows),
        object_first=right(answer.objects, judge.concepts, single),
        object_five=right(answer.objects, judge.concepts, single, of=5),
        ground=right(answer.grounds, judge.grounds, [row.ground for row in rows]),
        style=right(answer.styles, judge.styles, [row.style for row in rows]),
        place=right(answer.places, judge.places, [row.place for row in rows]),
        number=right(answer.counts, COUNTED, [row.count for row in rows]),
        both=_both(judge, shown, rows) if rows[0].other is not None else None,
    )


def _both(judge: Classifier, shown: Tensor, rows: Sequence[Question]) -> float:
    """The share of pictures that show one thing in the left half and the other in the right."""
    side = shown.shape[-1]
    half, quarter = side // 2, side // 4
    halves = [shown[..., quarter : quarter + half, left : left + half] for left in (0, half)]
    seen = [judge(each).objects.argmax(1).tolist() for each in halves]
    hits = [
        {judge.concepts[left], judge.concepts[right]} == {row.concept, row.other}
        for left, right, row in zip(*seen, rows, strict=True)
    ]
    return sum(hits) / len(hits)


def sheet(shown: Tensor, asked: Sequence[Question], *, columns: int = 4) -> Image.Image:
    """The pictures with their prompts, SEEDS in a row for each."""
    tiles = ((shown.clamp(-1, 1) + 1) * 127.5).byte().permute(0, 2, 3, 1).numpy()
    wide, high = SEEDS * THUMBNAIL + 8, THUMBNAIL + 18
    rows = -(-len(asked) // columns)
    page = Image.new("RGB", (columns * wide, rows * high), "white")
    pen = ImageDraw.Draw(page)
    for number, question in enumerate(asked):
        left, top = number % columns * wide, number // columns * high
        pen.text((left + 2, top + 2), question.prompt[:26], fill="black")
        for seed in range(SEEDS):
            tile = Image.fromarray(tiles[number * SEEDS + seed])
            small = tile.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
            page.paste(small, (left + seed * THUMBNAIL, top + 15))
    return page


def sorts(composer: Composer, *, places: bool) -> dict[str, list[Question]]:
    """What is asked, by what it is called. places: whether the model was trained on them."""
    icons = composer.icons
    asked = {
        "things, pairs never trained": questions.of_things(icons, unseen=True),
        "things, trained pairs": questions.of_things(icons, unseen=False),
        "counts": questions.of_counts(icons),
        "two things": questions.of_pairs(icons),
    }
    if places:
        asked |= {
            "places": questions.of_places(),
            "things in places, never trained": questions.of_things_in_places(icons, unseen=True),
            "things in places, trained": questions.of_things_in_places(icons, unseen=False),
        }
    return asked


def judge_of(composer: Composer, file: Path, *, places: bool) -> Classifier:
    """The judge for these concepts, trained now unless the file has it."""
    saved = running.load(file, "cpu")
    styles = sorted({icon.style for icon in composer.icons})
    names = sorted({icon.concept for icon in composer.icons})
    if saved is not None and saved["concepts"] == names:
        judge = Classifier(names, styles)
        judge.load_state_dict(saved["weights"])
        return judge.eval()
    judge = classifier.train(composer, steps=JUDGE_STEPS, places=places)
    running.save(file, {"concepts": names, "weights": judge.state_dict()})
    return judge


def report(model: Path, composer: Composer, docs: Path, judge_file: Path, *, places: bool) -> None:
    """Score the model, print the figures, put them into its card and docs, and draw the sheets."""
    pipeline, cost = measured(model)
    judge, worker = judge_of(composer, judge_file, places=places), Worker(model)
    scores = {}
    drawn: list[tuple[Tensor, list[Question]]] = []
    for name, asked in sorts(composer, places=places).items():
        whole = pictures(pipeline, asked)
        shown, real = whole, painted(composer, asked)
        if name in COMPOSED:
            shown = drawn_by(worker, asked)
        drawn.append((shown, asked))
        scores[name] = score(judge, shown, asked)
        if name in COMPOSED:
            scores[f"as one picture: {name}"] = score(judge, whole, asked)
        scores[f"real ones: {name}"] = score(judge, real, asked)
        scores[f"real ones through the autoencoder: {name}"] = score(
            judge, again(pipeline, real), asked
        )
    free = {name: sheets.draw(model, asked) for name, asked in prompts.tables().items()}
    told = "\n".join(verdicts.summary(asked, name) for name, asked in prompts.tables().items())
    text = f"\n{told}\n\n{table(scores, judge)}\n{cost}\n"
    print(text)
    (docs / "model").mkdir(parents=True, exist_ok=True)
    tiles, rows = (
        torch.cat([shown for shown, _ in drawn]),
        [row for _, all_ in drawn for row in all_],
    )
    sheet(tiles, rows, columns=7).save(docs / "model" / "sheet.webp", quality=80)
    for name, pictures_of in free.items():
        sheets.sheet(pictures_of).save(docs / "model" / f"{name}.webp", quality=85)
    put_figures(model / "README.md", text)
    tables = "\n\n".join(verdicts.table(each, name) for name, each in free.items())
    put_figures(docs / "model.md", f"{text}\n{tables}\n")


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
    kinds = len(judge.concepts)
    chance = Score(
        0,
        1 / kinds,
        5 / kinds,
        1 / len(judge.grounds),
        1 / len(judge.styles),
        1 / len(judge.places),
        1 / len(COUNTED),
        2 / kinds**2,
    )
    rows = [
        "| pictures | n | thing, first | first five | background | style | place | number | both |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, found in {**scores, "chance": chance}.items():
        count, *shares = vars(found).values()
        cells = " | ".join("" if share is None else f"{share:.0%}" for share in shares)
        rows.append(f"| {name} | {count or ''} | {cells} |")
    return "\n".join(rows) + "\n"


def put_figures(page: Path, text: str) -> None:
    """Replace what stands between the two marks of the page, or start a page with them."""
    begin, end = FIGURES
    old = page.read_text() if page.exists() else f"{begin}{end}\n"
    before, rest = old.split(begin, 1)
    page.write_text(before + begin + text + end + rest.split(end, 1)[1])
