"""Which models are kept, by the room that they take and how much they are asked for."""

from pathlib import Path

import pytest

import tiny_families
from worker import models
from worker.image.order import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore")
MB = 2**20


class Model:
    """Stands for a loaded model of so many megabytes."""

    def __init__(self, name, megabytes=100):
        self.checkpoint = Checkpoint(
            name, Path("/nowhere"), native=64, multiple=8, megabytes=megabytes
        )
        self.size, self.device = megabytes * MB, "cuda"

    def to(self, device):
        self.device = device


@pytest.fixture
def machine(monkeypatch, one_thread):
    """The memory of a machine, as tests say it: megabytes by device."""
    from worker.image import kept

    class Machine:
        def __init__(self):
            self.total = {"cuda": 1000, "cpu": 1000}
            self.others = {"cuda": 0, "cpu": 0}
            self.kept = None

        def measured(self, device):
            there = [one.loaded for one in self.kept._kept.values()]
            used = sum(one.size for one in there if one.device == device)
            return kept.Memory(
                (self.total[device] - self.others[device]) * MB - used, self.total[device] * MB
            )

    made = Machine()
    monkeypatch.setattr(kept, "memory", made.measured)
    monkeypatch.setattr(kept, "_collect", lambda _: None)
    return made


def load(kept, machine, model, seconds=1.0):
    """Load a model as the renderer does."""
    machine.kept = kept
    if (here := kept.get(model.checkpoint)) is not None:
        return here
    kept.make_room(model.checkpoint)
    model.device = kept._device
    kept.put(model.checkpoint, model, seconds)
    return model


@pytest.fixture
def kept(machine):
    from worker.image.kept import KeptModels

    return KeptModels("cuda")


def test_as_many_are_kept_as_fit_and_the_rest_is_parked(kept, machine):
    loaded = [load(kept, machine, Model(str(number), 200)) for number in range(5)]
    there = [one.device for one in loaded]
    assert there == ["cpu", "cpu", "cuda", "cuda", "cuda"]  # 300 of 1000 stay free
    again = kept.get(loaded[0].checkpoint)
    assert (again, again.device) == (loaded[0], "cuda")
    assert [one.device for one in loaded].count("cuda") == 3


def test_what_fits_nowhere_is_let_go(kept, machine):
    loaded = [load(kept, machine, Model(str(number), 200)) for number in range(9)]
    assert sum(one.checkpoint in kept for one in loaded) == 5  # a model is loaded by way of memory
    assert loaded[-1].checkpoint in kept


def test_what_is_asked_for_most_stays(kept, machine):
    popular = load(kept, machine, Model("popular", 200))
    for number in range(20):
        assert load(kept, machine, popular) is popular
        load(kept, machine, Model(f"other {number}", 200))
    assert popular.checkpoint in kept


def test_what_takes_long_to_load_stays_longer(kept, machine):
    machine.others["cpu"] = 1000  # nothing can be parked
    slow = load(kept, machine, Model("slow", 200), seconds=60)
    quick = load(kept, machine, Model("quick", 200), seconds=1)
    load(kept, machine, Model("third", 200))
    load(kept, machine, Model("fourth", 200))
    assert slow.checkpoint in kept
    assert quick.checkpoint not in kept


def test_demand_is_forgotten_with_time(kept, machine, monkeypatch):
    from worker.image import kept as module

    machine.others["cpu"] = 1000
    once = load(kept, machine, Model("popular once", 200))
    for _ in range(9):
        kept.get(once.checkpoint)
    now = module.time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + 10 * module.HALF_LIFE_SECONDS)
    for number in range(3):
        load(kept, machine, Model(f"new {number}", 200))
    assert once.checkpoint not in kept


def test_a_cpu_keeps_what_leaves_room_for_pictures(machine):
    from worker.image.kept import KeptModels

    kept = KeptModels("cpu")
    for number in range(9):
        load(kept, machine, Model(str(number), 200))
    assert sum(Model(str(number), 200).checkpoint in kept for number in range(9)) == 3
    machine.others["cpu"] = 900
    load(kept, machine, Model("last", 200))
    assert [one for one in map(str, range(9)) if Model(one, 200).checkpoint in kept] == []


def test_memory_is_measured(one_thread):
    from worker.image.kept import memory

    measured = memory("cpu")
    assert 0 < measured.free <= measured.total


def test_real_models_change_without_being_loaded_again(one_thread, tmp_path, monkeypatch):
    from worker.image.loaded import Loaded
    from worker.image.pipeline import DiffusersRenderer

    usual, loads = Loaded.load.__func__, []

    def load(cls, checkpoint, *rest):
        loads.append(checkpoint.name)
        return usual(cls, checkpoint, *rest)

    monkeypatch.setattr(Loaded, "load", classmethod(load))
    renderer = DiffusersRenderer(device="cpu")
    both = [
        models.inspect(name, build(tmp_path / name))
        for name, build in (("sd", tiny_families.sd), ("sdxl", tiny_families.sdxl))
    ]
    for checkpoint in both * 3:
        renderer.load(checkpoint)
        assert renderer.model.checkpoint == checkpoint
    assert loads == ["sd", "sdxl"]
    assert renderer.model.size > 0


def test_where_memory_does_not_suffice_others_go_and_it_is_tried_again(
    one_thread, tmp_path, monkeypatch
):
    import torch

    from worker.image.loaded import Loaded
    from worker.image.pipeline import DiffusersRenderer

    renderer = DiffusersRenderer(device="cpu")
    first = models.inspect("first", tiny_families.sd(tmp_path / "first"))
    second = models.inspect("second", tiny_families.sd(tmp_path / "second"))
    renderer.load(first)
    usual = Loaded.load.__func__

    def load(cls, checkpoint, *rest):
        if first in renderer.kept:
            raise torch.OutOfMemoryError
        return usual(cls, checkpoint, *rest)

    monkeypatch.setattr(Loaded, "load", classmethod(load))
    renderer.load(second)
    assert first not in renderer.kept
    assert renderer.model.checkpoint == second
