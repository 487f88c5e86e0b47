"""`python -m core user …` on a database of its own."""

import sys

import pytest

from core.__main__ import main


@pytest.fixture
def horde(sqlite_url, tmp_path, monkeypatch, capsys):
    """Runs a command; its exit status, and what it printed."""
    monkeypatch.setenv("HORDE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("HORDE_DATA_DIR", str(tmp_path))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["core", "user", *arguments])
        status = main()
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


@pytest.fixture
def alice(horde):
    status, said = horde("create", "--name", "alice")
    assert status == 0
    alias, key = said.split()
    assert len(key) == 22
    return alias


def test_a_user_is_shown_by_alias_and_by_id(horde, alice):
    said = horde("show", alice)
    assert said == horde("show", alice.partition("#")[2])
    assert said[0] == 0
    assert "roles        none" in said[1]
    assert "kudos        14.00, of which 0.00 can be spent\nheld back    0.00 until" in said[1]


def test_roles_are_given_and_taken(horde, alice):
    said = horde("roles", alice, "--grant", "customizer", "trusted")[1]
    assert "trusted customizer" in said
    assert "held back" not in said
    said = horde("roles", alice, "--grant", "vpn", "--revoke", "customizer", "trusted")[1]
    assert "roles        vpn\n" in said


def test_kudos_are_given_and_taken_down_to_the_floor(horde, alice):
    assert "kudos        114.00, of which 100.00 can" in horde("kudos", alice, "100")[1]
    assert "kudos        14.00" in horde("kudos", alice, "--", "-1000")[1]


def test_a_new_key_replaces_the_old(horde, alice):
    status, said = horde("rotate-key", alice)
    assert (status, said.split()[0], len(said.split()[1])) == (0, alice, 22)


def test_an_account_is_disabled_and_enabled(horde, alice):
    said = horde("disable", alice)[1]
    assert "roles        none" in said
    assert "account      disabled" in said
    assert "disabled" not in horde("disable", alice, "--undo")[1]
    assert horde("disable", alice, "--undo")[0] == 1


@pytest.mark.parametrize("command", [("show",), ("kudos",), ("rotate-key",)])
def test_what_cannot_be_done_is_said(horde, command):
    amount = ["10"] if command == ("kudos",) else []
    status, said = horde(*command, "nobody#7", *amount)
    assert (status, said) == (1, "User 'nobody#7' not found.\n")


def test_the_anonymous_user_gets_nothing(horde):
    assert horde("kudos", "0", "10")[0] == 1
    assert horde("rotate-key", "0")[0] == 1


def test_the_key_file_is_kept(horde, tmp_path):
    file = tmp_path / "admin.key"
    for _ in range(2):
        assert horde("create", "--name", "admin", "--admin", "--key-file", str(file)) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "admin" in horde("show", "1")[1]
    assert horde("show", "2")[0] == 1
