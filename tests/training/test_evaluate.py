import pytest
import torch

from training import evaluate
from training.classifier import Answer
from training.scenes import COLOURS, held_out


class Sure:
    """A judge that sees the first concept on white in the first style, whatever is shown."""

    def __init__(self, concepts):
        self.concepts, self.grounds, self.styles = concepts, list(COLOURS), ["cartoon", "flat"]

    def __call__(self, pictures):
        def first(classes):
            logits = torch.zeros(len(pictures), len(classes))
            logits[:, 0] = 1
            return logits

        return Answer(first(self.concepts), first(self.grounds), first(self.styles))


def test_questions_are_all_unseen_or_all_seen(icons):
    for unseen in (True, False):
        asked = evaluate.questions(icons, unseen=unseen)
        assert asked
        assert all(held_out(each.concept, each.ground) == unseen for each in asked)
        assert asked == evaluate.questions(icons, unseen=unseen)


def test_score_counts_what_the_judge_saw(icons):
    judge = Sure(sorted({icon.concept for icon in icons}))
    asked = [
        evaluate.Question("", "apple", "white", "cartoon"),
        evaluate.Question("", "car", "red", "flat"),
        evaluate.Question("", "apple", "red", None),
    ]

    found = evaluate.score(judge, torch.zeros(len(asked) * evaluate.SEEDS, 3, 8, 8), asked)

    assert found.count == len(asked) * evaluate.SEEDS
    assert found.object_first == pytest.approx(2 / 3)
    assert found.object_five == 1
    assert found.ground == pytest.approx(1 / 3)
    assert found.style == pytest.approx(1 / 2)


def test_painted_pictures_are_as_many_as_generated_ones(composer, icons):
    asked = evaluate.questions(icons, unseen=True, count=2)

    assert len(evaluate.painted(composer, asked)) == 2 * evaluate.SEEDS


def test_figures_replace_the_old_ones(tmp_path):
    page = tmp_path / "model.md"
    evaluate.put_figures(page, "old\n")
    page.write_text("before\n" + page.read_text() + "after\n")

    evaluate.put_figures(page, "new\n")

    text = page.read_text()
    assert "old" not in text
    assert "new" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
