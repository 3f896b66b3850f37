"""torch.compile where there is no compiler: one line, by the command and by hand."""

import contextlib
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import ganlab
from own import ImageG, image_trainer
from tiny import run, tiny_trainer

from ganlab.errors import ConfigError
from ganlab.training.compilation import compiler_named, differentiable_twice


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows finds its compiler elsewhere than in PATH")
def test_without_a_compiler_train_says_so_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """About 15 s: torch looks for a compiler; then what the message says is done."""
    monkeypatch.delenv("CXX", raising=False)
    blind = {"PATH": "/nowhere", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    train = ["train", "digits", "--steps", "3", "--every", "3", "--device", "cpu", "--out", tmp_path / "a run"]
    failed = ganlab(*train, "--compile", cwd=tmp_path, **blind)
    assert failed.returncode == 2, failed.stderr
    assert "Traceback" not in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("error: torch.compile fails on these networks")
    assert "or train without compile" in failed.stderr
    done = ganlab(*train, cwd=tmp_path, **blind)
    assert done.returncode == 0, done.stderr
    advice = done.stdout.splitlines()[-1].partition("draw more with: ")[2]
    assert advice.startswith("python -m ganlab sample '")  # a path with a space is quoted
    sampled = ganlab(*shlex.split(advice)[3:], "--n", "4", cwd=tmp_path)
    assert sampled.returncode == 0, sampled.stderr
    assert (tmp_path / "samples.png").exists()


def test_a_failing_compiler_of_the_users_own_is_named():
    def broken(_graph: object, _inputs: object) -> Any:
        raise RuntimeError("no\ncompiler")

    trainer = image_trainer(torch.compile(ImageG(), backend=broken))
    with pytest.raises(ConfigError, match=r"torch\.compile fails on these networks") as caught:
        run(trainer)
    assert "\n" not in str(caught.value)
    assert trainer.step == 0


@pytest.mark.parametrize("module", ["torch._dynamo.exc", "torch._inductor.exc"])
def test_an_error_of_either_part_of_the_compiler_is_its_failure(module: str):
    failure = type("Failure", (Exception,), {"__module__": module})
    with pytest.raises(ConfigError, match=r"torch\.compile fails on these networks \(Failure\)"), compiler_named():
        raise failure("its own\nlong text")


def test_nothing_is_compiled_and_nothing_loaded_for_a_second_derivative(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    monkeypatch.setattr(torch.compiler, "set_stance", lambda *_: 1 / 0)
    with differentiable_twice():
        x = torch.tensor(3.0, requires_grad=True)
        (slope,) = torch.autograd.grad(x**3, x, create_graph=True)
        assert torch.autograd.grad(slope, x)[0] == 18


def test_where_the_compiler_is_loaded_networks_run_as_written_for_a_second_derivative(monkeypatch: pytest.MonkeyPatch):
    stances = {"force_eager": contextlib.nullcontext("as written")}
    monkeypatch.setitem(sys.modules, "torch._dynamo", sys)
    monkeypatch.setattr(torch.compiler, "set_stance", stances.__getitem__)
    with differentiable_twice() as stance:
        assert stance == "as written"


@pytest.mark.parametrize("wanted", [True, False])
def test_both_networks_are_compiled_where_that_is_wanted(wanted: bool, monkeypatch: pytest.MonkeyPatch):
    compiled: list[torch.nn.Module] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda model: compiled.append(model))
    trainer = tiny_trainer(compile=wanted)
    assert compiled == ([trainer.G, trainer.D] if wanted else [])


def test_other_errors_pass_through():
    with pytest.raises(ZeroDivisionError), compiler_named():
        _ = 1 / 0
