import random
import tomllib

import pytest
import torch

from training import evaluate, landscapes, prompts, questions, verdicts
from training.classifier import COUNTED, Answer, Classifier
from training.questions import Question
from training.scenes import COLOURS, Planner, held_apart, held_out


class Sure:
    """A judge that sees the first of everything, whatever is shown."""

    def __init__(self, concepts):
        self.concepts, self.grounds, self.styles = concepts, list(COLOURS), ["cartoon", "flat"]
        self.places = list(landscapes.shipped())

    def __call__(self, pictures):
        def first(classes):
            logits = torch.zeros(len(pictures), len(classes))
            logits[:, 0] = 1
            return logits

        heads = (self.concepts, self.grounds, self.styles, self.places, COUNTED)
        return Answer(*map(first, heads))


@pytest.fixture
def judge(icons):
    return Sure(sorted({icon.concept for icon in icons}))


def test_questions_are_all_unseen_or_all_seen(icons):
    for unseen in (True, False):
        asked = questions.of_things(icons, unseen=unseen)
        assert asked
        assert all(held_out(each.concept, each.ground) == unseen for each in asked)
        assert asked == questions.of_things(icons, unseen=unseen)
        amid = questions.of_things_in_places(icons, unseen=unseen)
        assert amid
        assert all(held_apart(each.concept, each.place) == unseen for each in amid)


def test_questions_say_what_they_ask_for(icons):
    prompts = [each.prompt for each in (*questions.of_counts(icons), *questions.of_pairs(icons))]

    assert any(prompt.startswith("two ") for prompt in prompts)
    assert any(" and " in prompt for prompt in prompts)
    assert all("{" not in prompt for prompt in prompts)
    assert "a forest" in [each.prompt for each in questions.of_places(100)]


def test_score_counts_what_the_judge_saw(judge):
    asked = [
        Question("", "apple", "white", "cartoon"),
        Question("", "car", "red", "flat"),
        Question("", "apple", "red", None),
    ]

    found = evaluate.score(judge, torch.zeros(len(asked) * evaluate.SEEDS, 3, 8, 8), asked)

    assert found.count == len(asked) * evaluate.SEEDS
    assert found.object_first == pytest.approx(2 / 3)
    assert found.object_five == 1
    assert found.ground == pytest.approx(1 / 3)
    assert found.style == pytest.approx(1 / 2)
    assert found.place is found.number is found.both is None


def test_two_things_count_only_where_both_are_seen(judge):
    shown = torch.zeros(evaluate.SEEDS, 3, 8, 8)

    other = evaluate.score(judge, shown, [Question("", "apple", other="car")])

    assert (other.both, other.object_first) == (0, None)


def test_places_and_counts_are_scored(judge):
    asked = [Question("", place="mountains"), Question("", "apple", count=1)]

    found = evaluate.score(judge, torch.zeros(2 * evaluate.SEEDS, 3, 8, 8), asked)

    assert (found.place, found.number) == (1, 1)


@pytest.mark.parametrize("places", [False, True])
def test_painted_pictures_are_as_many_as_generated_ones(composer, places):
    for asked in evaluate.sorts(composer, places=places).values():
        few = asked[:2]
        assert len(evaluate.painted(composer, few)) == len(few) * evaluate.SEEDS


def test_the_real_classifier_answers_for_every_sort_of_scene(icons, composer):
    model = Classifier(sorted({icon.concept for icon in icons}), ["cartoon", "flat"])
    planner = Planner(icons)
    scenes = [planner.judged(index, places=True) for index in range(40)]

    answer = model(composer.paint(scenes, 32))

    for logits, right in zip(vars(answer).values(), model.targets(scenes), strict=True):
        assert len(logits) == len(right) == 40
        assert right.max() < logits.shape[1]
        assert right.max() >= 0


def test_a_table_leaves_open_what_was_not_asked(judge):
    shown = torch.zeros(evaluate.SEEDS, 3, 8, 8)
    found = evaluate.score(judge, shown, [Question("", place="mountains")])

    text = evaluate.table({"places": found}, judge)

    assert "| places | 2 |  |  |  |  | 100% |  |  |" in text


def test_a_right_scene_is_found_for_every_question(icons):
    planner, dice = Planner(icons), random.Random(1)
    pair = questions.scene_for(Question("", "apple", other="car"), planner, dice)
    assert [item.icon.concept for item in pair.items] == ["apple", "car"]
    three = questions.scene_for(Question("", "apple", count=3), planner, dice)
    assert len(three.items) == 3
    with pytest.raises(ValueError, match="asks for nothing"):
        questions.scene_for(Question("nothing"), planner, dice)


@pytest.mark.parametrize("name", prompts.tables())
def test_every_free_prompt_has_one_verdict(name):
    asked = prompts.tables()[name]
    table = tomllib.loads(verdicts.TABLE.read_text())[name]

    judged = sorted(number for numbers in table.values() for number in numbers)
    assert judged == list(range(1, len(asked) + 1))
    assert set(table) <= set(verdicts.VERDICTS)
    assert verdicts.summary(asked, name).startswith(f"Of the {len(asked)} ")


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
