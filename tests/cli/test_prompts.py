"""Prompt files, and what stands in braces."""

import json

import pytest

from cli import prompts
from cli.batch.items import items
from cli.exits import Failure


@pytest.mark.parametrize(
    ("prompt", "meant"),
    [
        ("a fox", ["a fox"]),
        ("a {red|blue} fox", ["a red fox", "a blue fox"]),
        ("{a|b} {1|2}", ["a 1", "a 2", "b 1", "b 2"]),
        ("a {red} fox", ["a {red} fox"]),
        ("a {|small }fox", ["a fox", "a small fox"]),
    ],
)
def test_braces_stand_for_each_of_their_choices(prompt, meant):
    assert list(prompts.combinations(prompt)) == meant


def test_a_spreadsheet_names_parameters_files_and_what_goes_into_the_manifest(tmp_path):
    file = tmp_path / "articles.csv"
    file.write_text(
        "prompt,name,steps,model,karras,title\n"
        'a fox,fox,12,tiny|other,no,"Foxes, and how"\n'
        "a cat,,,,,\n",
        encoding="utf-8-sig",
    )
    fox, cat = prompts.read(str(file))
    assert (fox.prompt, fox.name) == ("a fox", "fox")
    assert fox.given == {"steps": 12, "model": ["tiny", "other"], "karras": False}
    assert fox.row == {"title": "Foxes, and how"}
    assert (cat.prompt, cat.name, cat.given, cat.row) == ("a cat", "", {}, {})


def test_lines_of_json_are_texts_or_objects(tmp_path):
    file = tmp_path / "prompts.jsonl"
    file.write_text('"a fox"\n\n' + json.dumps({"prompt": "a cat", "n": 2, "id": 7}) + "\n")
    fox, cat = prompts.read(str(file))
    assert fox.prompt == "a fox"
    assert (cat.given, cat.row) == ({"n": 2}, {"id": 7})


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "text\na fox\n", "column `prompt`"),
        ("a.csv", "prompt,steps\na fox,many\n", "line 2: steps: 'many' is not a number"),
        ("a.csv", "prompt\na fox,1\n", "line 2 has too many cells"),
        ("a.csv", "prompt,steps\n,1\n", "line 2 has no prompt"),
        ("a.csv", "prompt,tiling\na fox,perhaps\n", "neither yes nor no"),
        ("a.jsonl", '"a fox"\n{', "line 2 is not JSON"),
        ("a.jsonl", "[1]", "line 1 is neither"),
        ("a.txt", "# nothing\n\n", "has no prompts"),
        ("a.txt", "x" * (prompts.MAX_LINE_CHARS + 1), "line 1 is longer"),
        ("a.txt", b"\xff\xfe", "not UTF-8"),
        ("b.txt", None, "No such file"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(tmp_path, name, content, told):
    if content is not None:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
    with pytest.raises(Failure, match=told):
        prompts.read(str(tmp_path / name))


def test_too_many_prompts_are_refused_before_anything_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(prompts, "MAX_PROMPTS", 3)
    (tmp_path / "a.txt").write_text("fox\n" * 4)
    with pytest.raises(Failure, match="more than 3 prompts"):
        prompts.read(str(tmp_path / "a.txt"))


def test_an_item_stays_the_same_wherever_its_line_goes():
    before = items([prompts.Wanted("a"), prompts.Wanted("b"), prompts.Wanted("b")], {"steps": 8})
    after = items([prompts.Wanted(one) for one in "xbabb"], {"steps": 8})
    assert {one.key for one in before} < {one.key for one in after}
    assert len({one.key for one in after}) == 5
    other = items([prompts.Wanted("a")], {"steps": 9})
    assert other[0].key not in {one.key for one in before}


def test_a_matrix_has_an_item_for_each_combination():
    made = items([prompts.Wanted("a {red|blue} fox", name="fox")], {}, matrix=True)
    assert [one.wanted.prompt for one in made] == ["a red fox", "a blue fox"]
    assert [one.wanted.name for one in made] == ["fox", "fox-1"]
