"""Losses and weights that are NaN or infinite: training stops, good files stay, and the reason is the right one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from own import ImageD, ImageG, image_trainer
from tiny import run
from torch import Tensor, nn

from ganlab.errors import NonFiniteLoss
from ganlab.objectives import NON_SATURATING, RELATIVISTIC
from ganlab.training import SGD, Adam, TrainConfig, Trainer, export_generator, load_generator, sample
from ganlab.training.randomness import derived_seed

# Losses ---------------------------------------------------------------------------------------------------------------


class FailingLaw:
    """Standard normal points, which one minibatch divides by 0."""

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        x = torch.randn(n, 1, 8, 8, generator=generator)
        return x / 0 if generator.initial_seed() == self.fails_at else x

    fails_at = 0


@pytest.mark.parametrize(
    ("update", "objective", "k", "each"),
    [
        ("alternating", NON_SATURATING, 2, 2),
        ("alternating", RELATIVISTIC, 2, 3),
        ("simultaneous", RELATIVISTIC, 1, 1),
        ("one per minibatch", NON_SATURATING, 1, 2),
        ("one per minibatch", RELATIVISTIC, 2, 3),
        ("shared samples", RELATIVISTIC, 1, 1),
    ],
)
def test_examples_that_are_not_finite_are_named_and_not_the_rates(update: str, objective: Any, k: int, each: int):
    law = FailingLaw()
    options: dict[str, Any] = {"steps": 9, "batch": 16, "device": "cpu", "k": k, "update": update}
    trainer = Trainer(ImageG(lambda x: x), ImageD(), objective, law, TrainConfig(**options))
    law.fails_at = derived_seed(0, 0, 4 * each - 1, "law")  # the last batch of step 4
    with pytest.raises(NonFiniteLoss) as caught:
        run(trainer)
    line = str(caught.value)
    assert line.startswith("at step 4 ")
    assert "The real examples of this step hold NaN or infinity: mend what draws them" in line
    assert "rates" not in line


def test_a_loss_that_is_not_finite_says_what_is_known_alone():
    class DividingD(ImageD):
        passes = 0

        def forward(self, x: Tensor) -> Any:
            type(self).passes += 1
            t: Any = super().forward(x)
            return t / (0 if self.passes > 40 else 1)

    with pytest.raises(NonFiniteLoss) as caught:
        run(image_trainer(D=DividingD(), steps=30))
    line = str(caught.value)
    assert "losses before it are at most 1." in line  # nothing grew
    assert "If a network divides by 0, or takes its root or logarithm, mend it; else" in line


# Weights --------------------------------------------------------------------------------------------------------------


class OnceNaN(torch.autograd.Function):
    """Is x; where asked, with a gradient that is NaN."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bad: bool) -> Tensor:
        ctx.bad = bad
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * (torch.nan if ctx.bad else 1), None


class NaNOnceG(ImageG):
    """Its fourth step gives it a gradient that is NaN, and its losses stay finite until the fifth."""

    bad = False

    def forward(self, z: Tensor) -> Tensor:
        return OnceNaN.apply(super().forward(z), self.bad)  # pyright: ignore[reportReturnType]


def nan_at_step_4(trainer: Trainer) -> Iterator[int]:
    """Train, with a gradient that is NaN in the fourth step; the numbers of the steps."""
    for record in trainer.run():
        NaNOnceG.bad = record.step == 3
        yield record.step


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    yield
    NaNOnceG.bad = False


@pytest.mark.usefixtures("_as_it_was")
@pytest.mark.parametrize("options", [{}, {"ema": 0.5}], ids=str)
def test_weights_that_are_not_finite_are_not_saved(options: dict[str, Any], tmp_path: Path):
    place = tmp_path / "run.ckpt"
    trainer = image_trainer(NaNOnceG(), steps=6, **options)
    with pytest.raises(NonFiniteLoss) as caught:
        _ = [trainer.save(place) for _ in nan_at_step_4(trainer)]
    line = str(caught.value)
    assert line.startswith("after step 4 net.weight of G holds NaN or infinity; training stopped, and a checkpoint")
    assert "mend it; else go on from the checkpoint with learning rates below 0.0002 (optimizer_d) and 0.0002" in line
    assert trainer.history.isfinite().all()
    NaNOnceG.bad = False
    slower = image_trainer(NaNOnceG(), steps=6, optimizer_d=Adam(1e-4), optimizer_g=Adam(1e-4), **options)
    with pytest.warns(UserWarning, match="goes on with other options from step 3 on"):
        assert slower.resume(place)  # what the message says
    assert run(slower).history.isfinite().all()


@pytest.mark.parametrize("role", ["G", "D"])
def test_weights_that_the_last_step_breaks_are_noticed(role: str):
    """Its losses are finite: they are those before the updates."""
    trainer = image_trainer(steps=1, update="simultaneous", **{f"optimizer_{role.lower()}": SGD(1e39)})
    with pytest.raises(NonFiniteLoss, match=f"^after step 1 net.* of {role} holds NaN or infinity; "):
        run(trainer)
    assert trainer.history.isfinite().all()


def test_averages_that_are_not_finite_are_no_good_either(tmp_path: Path):
    trainer = run(image_trainer(ema=0.5))
    assert trainer.ema is not None
    trainer.ema.module.get_parameter("net.bias").data[0] = torch.inf
    for refused in (lambda: trainer.save(tmp_path / "run.ckpt"), lambda: export_weights(trainer, tmp_path / "g")):
        with pytest.raises(NonFiniteLoss, match=r"^after step 3 net\.bias of G's average holds NaN or infinity"):
            refused()
    assert not list(tmp_path.iterdir())


def export_weights(trainer: Trainer, place: Path) -> None:
    export_generator(trainer, place, weights_only=True)


@pytest.mark.usefixtures("_as_it_was")
@pytest.mark.parametrize("steps", [4, 5], ids=["weights", "losses"])
def test_a_good_export_is_not_replaced_by_one_that_gives_nan(steps: int, tmp_path: Path):
    place = tmp_path / "g"
    trainer = image_trainer(NaNOnceG(), steps=9)
    for step in nan_at_step_4(trainer):
        if step == 3:
            export_weights(trainer, place)
        if step == steps:
            break
    with pytest.raises(NonFiniteLoss, match="^after step 4 net" if steps == 4 else "^at step 5 D's loss is nan"):
        export_weights(trainer, place)
    G, info = load_generator(place, into=ImageG())
    assert info.step == 3
    assert sample(G, 5).isfinite().all()


def test_frozen_weights_may_hold_anything(tmp_path: Path):
    """A mask of −∞ is one of the ways to write it; and what is frozen after training was trained."""
    G = ImageG()
    G.mask = nn.Parameter(torch.tensor([-torch.inf]), requires_grad=False)
    trainer = run(image_trainer(G, ema=0.5))
    trainer.save(tmp_path / "run.ckpt")
    trainer.G.requires_grad_(False)
    trainer.D.requires_grad_(False)
    export_weights(trainer, tmp_path / "g")
    G.get_parameter("net.weight").data[0] = torch.nan
    with pytest.raises(NonFiniteLoss, match=r"^after step 3 net\.weight of G holds NaN"):
        export_weights(trainer, tmp_path / "g")
