"""Runs that go on as if nothing had happened, and those that are another run."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import TinyD, TinyG, assert_equal, examples, run, tiny_trainer
from torch import Tensor

from ganlab.errors import CheckpointError, NonFiniteLoss
from ganlab.objectives import MINIMAX, NON_SATURATING, least_squares
from ganlab.training import SGD, Adam, RMSProp, TrainConfig, Trainer, checkpoint

OPTIONS = {
    "plain": {},
    "averaged": {"ema": 0.9},
    "k = 2": {"k": 2},
    "simultaneous, SGD": {"update": "simultaneous", "optimizer_d": SGD(0.01), "optimizer_g": SGD(0.01)},
    "one per minibatch, L2": {
        "update": "one per minibatch",
        "optimizer_d": Adam(weight_decay=0.1),
        "optimizer_g": SGD(0.01, weight_decay=0.1),
    },
    "RMSProp": {"optimizer_d": RMSProp(), "optimizer_g": RMSProp(1e-3, decay=0.5)},
    "bfloat16": {"precision": "bfloat16"},
    "smoothed, uniform": {"label_smoothing": 0.1, "noise": "uniform"},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("stop", [1, 6, 7, 13, 19, 20])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path: Path, options: dict, stop: int):
    place = tmp_path / "run.ckpt"
    run(tiny_trainer(**options), steps=stop).save(place)
    resumed = tiny_trainer(**options)
    assert resumed.resume(place)
    assert resumed.step == stop
    assert_equal(run(resumed).state_dict(), run(tiny_trainer(**options)).state_dict())


def test_without_a_checkpoint_a_run_starts_anew(tmp_path: Path):
    assert not tiny_trainer().resume(tmp_path / "none.ckpt")


def test_more_steps_may_be_asked_for_but_not_fewer(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    run(tiny_trainer(steps=10)).save(place)
    longer = tiny_trainer(steps=20)
    longer.resume(place)
    assert_equal(run(longer).state_dict(), run(tiny_trainer(steps=20)).state_dict())
    with pytest.raises(CheckpointError, match="is at step 10"):
        tiny_trainer(steps=5).resume(place)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (lambda: tiny_trainer(seed=1), "seed: 0 then, 1 now"),
        (lambda: tiny_trainer(batch=9), "batch: 8 then, 9 now"),
        (lambda: tiny_trainer(MINIMAX), r"objective.generator: -log\(D\) then, log\(1 - D\) now"),
        (lambda: tiny_trainer(optimizer_g=SGD()), "optimizer_g: .*Adam.* then, .*SGD.* now"),
        (lambda: tiny_trainer(optimizer_d=RMSProp()), "optimizer_d: .*Adam.* then, .*RMSProp.*'decay': 0.9.* now"),
        (lambda: tiny_trainer(rank=1), "rank: 0 then, 1 now"),
        (
            lambda: Trainer(TinyG(), TinyD(), NON_SATURATING, examples(51), TrainConfig(batch=8, device="cpu")),
            r"data: \[50, 2\].* then, \[51, 2\]",
        ),
    ],
)
def test_a_changed_configuration_is_refused_with_the_difference(tmp_path: Path, other, named: str):
    tiny_trainer().save(tmp_path / "run.ckpt")
    with pytest.raises(CheckpointError, match=named) as caught:
        other().resume(tmp_path / "run.ckpt")
    assert "\n" not in str(caught.value)


def test_other_weights_are_refused(tmp_path: Path):
    tiny_trainer().save(tmp_path / "run.ckpt")
    wider = tiny_trainer()
    wider.G.net[0] = torch.nn.Linear(3, 9, bias=False)  # pyright: ignore
    with pytest.raises(CheckpointError, match=r"G\.net\.0\.weight: \[8, 3\] then, \[9, 3\] now"):
        wider.resume(tmp_path / "run.ckpt")
    with pytest.raises(CheckpointError, match="does not fit these models") as caught:
        wider.load_state_dict(checkpoint.read(tmp_path / "run.ckpt"))
    assert "net.0.weight is [8, 3] there and [9, 3] here" in str(caught.value)
    assert "\n" not in str(caught.value)


# What is written can be read ------------------------------------------------------------------------------------------


class UniformLaw:
    """A law without a repr of its own."""

    def __init__(self, width: float, shift: Tensor | None = None) -> None:
        self.width, self.shift = width, shift
        self.bend: Callable[[Tensor], Tensor] = torch.tanh

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        return self.bend(self.width * torch.rand(n, 2, generator=generator))


def on_law(law: UniformLaw, **options) -> Trainer:
    torch.manual_seed(1)
    return Trainer(TinyG(), TinyD(), NON_SATURATING, law, TrainConfig(steps=4, batch=8, device="cpu", **options))


def test_a_law_is_described_by_what_it_is(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    run(on_law(UniformLaw(2.0, torch.ones(2))), steps=2).save(place)
    assert "0x" not in str(checkpoint.read(place)["run"])
    assert on_law(UniformLaw(2.0, torch.ones(2))).resume(place)  # another object, at another address
    for other in (UniformLaw(3.0, torch.ones(2)), UniformLaw(2.0, torch.zeros(2)), UniformLaw(2.0)):
        with pytest.raises(CheckpointError, match=r"data: UniformLaw\(width=2\.0"):
            on_law(other).resume(place)


def test_numbers_of_numpy_are_read_again_in_another_process(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    code = f"""
        import numpy as np
        import torch
        from tiny import run, tiny_trainer
        from ganlab.training import Adam
        torch.set_num_threads({torch.get_num_threads()})  # as here: unlike numbers add in unlike orders
        trainer = tiny_trainer(seed=np.arange(3)[1], ema=np.float32(0.5), optimizer_g=Adam(np.logspace(-4, -3, 3)[1]))
        run(trainer, steps=7).save({str(place)!r})
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, check=True)
    lr = float(np.logspace(-4, -3, 3)[1])
    resumed = tiny_trainer(seed=1, ema=0.5, optimizer_g=Adam(lr))
    assert resumed.resume(place)
    assert_equal(run(resumed).state_dict(), run(tiny_trainer(seed=1, ema=0.5, optimizer_g=Adam(lr))).state_dict())


def test_own_networks_are_told_apart_by_their_layers(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    tiny_trainer().save(place)
    other = tiny_trainer()
    other.G.set_submodule("net.2", torch.nn.LeakyReLU())
    with pytest.raises(CheckpointError, match=r"G\.net\.2: ReLU then, LeakyReLU now"):
        other.resume(place)
    state = checkpoint.read(place)
    state["run"] = {key: value for key, value in state["run"].items() if not key.startswith(("G.", "D."))}
    checkpoint.write(place, state)  # as it was written before layers were described
    assert tiny_trainer().resume(place)


def test_a_long_difference_is_cut_short(tmp_path: Path):
    tiny_trainer().save(tmp_path / "run.ckpt")
    with pytest.raises(CheckpointError, match=r"and 2 more\)"):
        tiny_trainer(seed=1, batch=9, k=2, ema=0.5, noise="uniform", label_smoothing=0.1).resume(tmp_path / "run.ckpt")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_advice_after_a_loss_that_is_not_finite_works(tmp_path: Path, precision: str):
    """Trained until it breaks; then on from the checkpoint with rates below those that the message names."""
    place = tmp_path / "run.ckpt"
    high = {"optimizer_d": SGD(1e30), "optimizer_g": SGD(1e29), "precision": precision, "steps": 60}
    tiny_trainer(least_squares(), **high).save(place)
    with pytest.raises(NonFiniteLoss) as caught:
        run(tiny_trainer(least_squares(), **high))
    line = str(caught.value)
    assert "learning rates below 1e+30 (optimizer_d) and 1e+29 (optimizer_g)" in line
    low = {"optimizer_d": SGD(1e-3), "optimizer_g": SGD(1e-3), "steps": 60, "precision": precision}
    if "precision='float32'" in line:
        low["precision"] = "float32"
    resumed = tiny_trainer(least_squares(), **low)
    with pytest.warns(
        UserWarning, match=r"run\.ckpt goes on with other options from step 0 on: .*optimizer_g: .*1e\+29"
    ):
        assert resumed.resume(place)
    assert run(resumed).history.isfinite().all()
    assert ("precision='float32'" in line) == (precision == "bfloat16")


def test_a_lower_rate_holds_from_the_checkpoint_on(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    run(tiny_trainer(optimizer_g=Adam(1e-3)), steps=7).save(place)
    slower = tiny_trainer(optimizer_g=Adam(0.0))
    with pytest.warns(UserWarning, match="from step 7 on"):
        slower.resume(place)
    before = slower.G.get_parameter("net.0.weight").clone()
    run(slower)
    assert torch.equal(slower.G.get_parameter("net.0.weight"), before)  # a rate of 0 from here on
    with pytest.raises(CheckpointError, match=r"optimizer_g: .*'beta1': 0\.5.* then, .*'beta1': 0\.9.* now"):
        tiny_trainer(optimizer_g=Adam(1e-3, beta1=0.9)).resume(place)
