"""The journal of a batch: whole lines count, half ones do not, and one process has it."""

import json

import pytest

from cli.batch.journal import JOURNAL, MANIFEST, Journal
from cli.exits import Failure

ENTRY = {"index": 0, "file": "a.webp", "id": "1", "seed": "7"}


def test_a_journal_is_read_again(tmp_path):
    (tmp_path / "a.webp").touch()
    with Journal(tmp_path) as journal:
        journal.asking("a", "7", "key a")
        journal.asked("a", "request 1", key_is_read=True)
        journal.saved("a", ENTRY)
        journal.ended("a")
        journal.asking("b", "8", "key b")
        journal.asking("c", "9", "key c")
        journal.asked("c", "request 3")
        journal.asking("d", "1", "key d")
        journal.ended("d", "Refused.")
    with Journal(tmp_path) as journal:
        assert journal.of("a").is_done
        assert journal.of("a").entries == {0: ENTRY}
        doubted = journal.of("b")
        assert (doubted.in_doubt, doubted.seed, doubted.asking_key) == (True, "8", "key b")
        assert journal.of("a").asking_key is None  # another request would need another
        assert journal.keys_are_read
        assert journal.requests == {"request 3"}
        assert (journal.of("d").is_done, journal.of("d").failure) == (False, "Refused.")
        assert not journal.of("e").ended


@pytest.mark.parametrize("name", [JOURNAL, MANIFEST])
def test_half_a_line_is_cut_off_and_the_next_one_is_whole(tmp_path, name):
    (tmp_path / "a.webp").touch()
    with Journal(tmp_path) as journal:
        journal.asking("a", "7", "key a")
        journal.saved("a", ENTRY)
    with (tmp_path / name).open("ab") as file:
        file.write(b'{"key": "b", "requ')
    with Journal(tmp_path) as journal:
        assert set(journal.states) == {"a"}
        journal.asking("b", "8", "key b")
        journal.saved("b", ENTRY)
    for line in (tmp_path / name).read_text().splitlines():
        json.loads(line)
    with Journal(tmp_path) as journal:
        assert journal.of("b").seed == "8"


def test_what_somebody_deleted_is_made_again(tmp_path):
    (tmp_path / "a.webp").touch()
    with Journal(tmp_path) as journal:
        journal.saved("a", ENTRY)
        journal.ended("a")
    (tmp_path / "a.webp").unlink()
    with Journal(tmp_path) as journal:
        assert not journal.of("a").is_done
    assert (tmp_path / MANIFEST).read_text() == ""


def test_two_processes_do_not_work_on_one_folder(tmp_path):
    with Journal(tmp_path), pytest.raises(Failure, match="Another `horde`"), Journal(tmp_path):
        raise AssertionError("both have it")


def test_another_programs_file_is_left_alone(tmp_path):
    (tmp_path / MANIFEST).write_text("not ours\n")
    with pytest.raises(Failure, match="not the batch's own"), Journal(tmp_path):
        raise AssertionError("it was taken")
    assert (tmp_path / MANIFEST).read_text() == "not ours\n"
