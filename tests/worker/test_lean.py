"""What an engine imports, in a process of its own: it counts modules, not seconds."""

import json
import subprocess
import sys
import textwrap

import pytest


def said_by(program, *, environment=None):
    """Run a program that prints JSON as its last line."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def engine(tiny_model):
    """What a program says that does what an engine does: load a model, and draw with it."""
    return said_by(f"""
        import json, sys
        from dataclasses import replace
        from pathlib import Path
        from worker import engine_process, models

        def really(name):
            return hasattr(sys.modules.get(name), "__file__")

        renderer = engine_process.renderers(device="cpu", threads=1)
        model = models.find("tiny", [Path({str(tiny_model.parent)!r})])
        renderer.load(model)
        from worker.image.pipeline import nobody, trial
        renderer.render(trial(model), nobody)
        said = {{"compiler": really("torch._dynamo"), "scipy": really("scipy")}}
        said["architectures"] = sorted(
            name for name in sys.modules if name.startswith("diffusers.models.transformers.")
        )
        renderer.render(replace(trial(model), sampler="k_lms", steps=3), nobody)
        said["scipy then"] = really("scipy.integrate")
        import torch
        said["compiled"] = torch.compile(lambda x: x + 1, backend="eager")(1)
        said["compiler then"] = really("torch._dynamo")
        from diffusers.models.autoencoders import AutoencoderTiny
        said["another"] = AutoencoderTiny.__name__
        print(json.dumps(said))
    """)


def test_an_engine_imports_neither_the_compiler_nor_scipy_to_draw(engine):
    assert not engine["compiler"]
    assert not engine["scipy"]


def test_an_engine_imports_no_architecture_that_it_does_not_serve(engine):
    assert not [one for one in engine["architectures"] if "flux" in one or "z_image" in one]


def test_what_was_left_out_is_there_once_it_is_used(engine):
    assert engine["scipy then"]
    assert engine["compiled"] == 2
    assert engine["compiler then"]
    assert engine["another"] == "AutoencoderTiny"
