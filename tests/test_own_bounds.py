"""Where what a network gives stays, seen without the name of its last operation; and gradients that do not come."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from own import DIGITS, ImageD, ImageG, image_trainer, refusal
from tiny import run
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from ganlab.objectives import NON_SATURATING, D, Objective, least_squares
from ganlab.training import R1, TrainConfig, Trainer
from ganlab.training.reach import range_of, reach

PROBABILITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "by hand": lambda t: 1 / (1 + torch.exp(-t)),
    "by hand, overflowing": lambda t: t.exp() / (1 + t.exp()),
    "away from the ends": lambda t: 0.9 * t.sigmoid() + 0.05,
    "from a tanh": lambda t: (t.tanh() + 1) / 2,
    "cut off": lambda t: t.clamp(0, 1),
    "of two classes": lambda t: torch.stack([t, -t], dim=1).softmax(1)[:, 0] * 1.0,
}


@pytest.mark.parametrize("objective", [None, least_squares(0, 1, 1)], ids=["logits", "scores"])
@pytest.mark.parametrize("last", PROBABILITIES.values(), ids=PROBABILITIES.keys())
def test_probabilities_written_by_hand_are_noticed_and_the_advice_works(last: Callable[[Tensor], Tensor], objective):
    options = {} if objective is None else {"objective": objective}
    line = refusal(lambda: image_trainer(D=ImageD(last), **options))
    assert "D's output stays in 0" in line
    assert "leave out what comes behind that layer" in line
    assert run(image_trainer(D=ImageD(), **options)).step == 3


def test_what_grows_with_the_last_layer_is_a_logit():
    def normed(t: Tensor) -> Tensor:
        return 10 * torch.tanh(t / 10)

    for last in (lambda t: t, lambda t: 0.01 * t, lambda t: t.mean() + t, normed):
        assert run(image_trainer(D=ImageD(last))).step == 3
    nothing = ImageD()
    nn.init.zeros_(nothing.get_parameter("net.1.weight"))
    nn.init.zeros_(nothing.get_parameter("net.1.bias"))
    assert reach(nothing, DIGITS.images[:4].float()) is None
    assert run(image_trainer(D=nothing)).step == 3
    in_bounds = ImageD(lambda t: t / (1 + t.abs()))
    assert "stays in −1 … 1" in refusal(lambda: image_trainer(D=in_bounds))
    assert run(image_trainer(D=in_bounds, objective=least_squares(-1, 1, 0))).step == 3  # scores of that coding


@pytest.mark.parametrize("wrap", [lambda layer: layer, parametrizations.spectral_norm, parametrizations.weight_norm])
def test_the_last_layer_may_compute_its_weights(wrap: Callable[[nn.Module], nn.Module]):
    for last, bounded in ((nn.Identity(), False), (nn.Softsign(), True)):
        D = nn.Sequential(nn.Flatten(), wrap(nn.Linear(64, 1)), last)
        low, high = reach(D, DIGITS.images[:8].float() / 255) or (0.0, 0.0)
        assert (max(-low, high) <= 1) == bounded


class FunctionalD(nn.Module):
    """A D without layers: its weights alone."""

    def __init__(self, last: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.last = nn.Parameter(torch.linspace(-1, 1, 64)[None]), last

    def forward(self, x: Tensor) -> Tensor:
        return self.last(F.linear(x.flatten(1), self.weight).squeeze(1))


def test_a_layer_of_ones_own_may_bound_its_answers_itself():
    by_hand = PROBABILITIES["by hand"]
    for network in (FunctionalD(by_hand), nn.Sequential(FunctionalD(by_hand))):
        assert "D's output stays in 0 … 1" in refusal(lambda network=network: image_trainer(D=network))
    assert run(image_trainer(D=FunctionalD(lambda t: t))).step == 3


def test_logits_of_one_sign_are_said():
    for last, sign in ((F.relu, "negative"), (F.softplus, "negative"), (lambda t: -(t**2), "positive")):
        with pytest.warns(UserWarning, match=f"D's output is never {sign}, .*; leave out what comes behind that layer"):
            image_trainer(D=ImageD(last))
        image_trainer(D=ImageD(last), objective=least_squares(0, 1, 1))  # a score may be of one sign


def test_a_generators_range_is_seen_without_a_name():
    z = torch.randn(4, 4)
    ranges: dict[tuple[float, float] | None, Callable[[Tensor], Tensor]] = {
        (0.0, 1.0): lambda x: 1 / (1 + torch.exp(-x)),
        (-1.0, 1.0): lambda x: 2 * x.sigmoid() - 1,
        (0.0, 255.0): lambda x: 255 * x.sigmoid(),
        (-0.9, 0.9): lambda x: 0.9 * x.tanh(),
        None: lambda x: x,
    }
    for expected, last in ranges.items():
        assert range_of(ImageG(last), z) == expected
    assert range_of(nn.Sequential(ImageG(lambda x: x), nn.InstanceNorm2d(1)), z) is None  # this batch's ends
    G = ImageG(lambda x: 255 * x.sigmoid())
    assert "set G.output_range = (0, 255)" in refusal(lambda: image_trainer(G))
    G.output_range = (0, 255)  # what the message says
    assert image_trainer(G).real_batch(0).max() > 200
    fractions = DIGITS.images.float() / 255
    assert "give x * 2 - 1" in refusal(lambda: image_trainer(ImageG(lambda x: 2 * x.sigmoid() - 1), x=fractions))


def test_images_on_another_scale_of_whole_numbers_are_said():
    images = DIGITS.images
    line = refusal(lambda: image_trainer(x=(images > 127).to(torch.uint8)))
    assert line == "images hold 0 and 1 alone, of 0 … 255, so that all is black; give images * 255."
    assert run(image_trainer(x=(images > 127).to(torch.uint8) * 255)).step == 3
    with pytest.warns(UserWarning, match=r"images hold 0 … 15, .*; give images \* 17 if they are not meant so"):
        image_trainer(x=images // 16)
    image_trainer(x=images // 16 * 17)
    overshot = images.float() / 255 * 1.04 - 0.02  # as smooth resizing leaves fractions
    assert "give x * 2 - 1" in refusal(lambda: image_trainer(x=overshot))


def test_examples_beyond_what_G_reaches_are_scaled():
    standardised = (DIGITS.images.float() / 255 - 0.3) / 0.35
    with pytest.warns(UserWarning, match="it cannot reach them all; scale them"):
        image_trainer(x=standardised)
    low, high = standardised.aminmax()
    assert run(image_trainer(x=(standardised - low) / (high - low) * 2 - 1)).step == 3


# Gradients that do not come ------------------------------------------------------------------------------------------


class RoundingG(ImageG):
    def forward(self, z: Tensor) -> Tensor:
        return (super().forward(z) * 255).round() / 255


class FrozenButOneG(ImageG):
    def __init__(self) -> None:
        super().__init__()
        self.net.requires_grad_(False)
        self.unused = nn.Parameter(torch.zeros(3))


class ThresholdD(ImageD):
    def forward(self, x: Tensor) -> object:
        return super().forward((x > 0).float())


class StepD(ImageD):
    def forward(self, x: Tensor) -> object:
        return super().forward((x * 255).round())


@pytest.mark.parametrize(
    ("G", "D", "named"),
    [
        (RoundingG(), None, "G's forward pass cuts it off, or does not use its trained weights"),
        (FrozenButOneG(), None, "G's forward pass cuts it off, or does not use its trained weights"),
        (None, ThresholdD(), "D's forward pass cuts it off, or does not use its input"),
        (None, StepD(), "D's forward pass cuts it off, or does not use its input"),
        (None, ImageD(lambda t: t.detach()), "D's forward pass cuts it off, or does not use its trained weights"),
    ],
)
def test_the_network_that_cuts_the_gradient_off_is_named(G: Any, D: Any, named: str):
    line = refusal(lambda: image_trainer(G, D))
    assert named in line
    assert "take detach(), no_grad() and rounding out of it" in line


def test_a_D_that_gives_a_batch_one_number_is_refused_and_the_advice_works():
    line = refusal(lambda: image_trainer(D=ImageD(lambda t: t.mean().expand(len(t)))))
    assert "D gives all examples of a batch one number, made of them all; let it judge each alone: average over" in line
    averaging = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.LazyLinear(1))
    assert run(image_trainer(D=averaging)).step == 3  # over all but the first dimension


class DeviationD(nn.Module):
    """Sees how much a batch varies, pixel by pixel: some pixels of the digits never do."""

    def __init__(self, added: float) -> None:
        super().__init__()
        self.out, self.added = nn.Linear(65, 1), added

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.flatten(1)
        varies = (pixels.var(0) + self.added).sqrt().mean().expand(len(x), 1)
        return self.out(torch.cat([pixels, varies], dim=1))


def test_a_penalty_whose_gradient_is_not_finite_is_named_and_the_advice_works():
    line = refusal(lambda: image_trainer(D=DeviationD(0.0), penalty=R1()))
    assert "the gradient of R1 in D's out.weight is NaN or infinite on a first batch" in line
    assert "keep what goes into square roots, norms and logarithms away from 0, by adding 1e-8" in line
    assert run(image_trainer(D=DeviationD(1e-8), penalty=R1())).history.isfinite().all()


def test_images_of_a_generator_laid_out_the_other_way_are_turned_and_not_reshaped():
    class LastG(ImageG):
        def forward(self, z: Tensor) -> Tensor:
            return super().forward(z).expand(-1, 3, 8, 8).permute(0, 2, 3, 1)

    colour = DIGITS.images.expand(-1, 3, 8, 8)
    D = nn.Sequential(nn.Flatten(), nn.Linear(192, 1))
    line = refusal(lambda: image_trainer(LastG(), D, x=colour))
    assert "end its forward with .permute(0, 3, 1, 2)" in line
    turned = LastG()
    old = turned.forward
    turned.forward = lambda z: old(z).permute(0, 3, 1, 2)  # what the message says
    assert run(image_trainer(turned, D, x=colour)).step == 3


def test_an_objective_that_pays_the_same_for_both_is_said():
    with pytest.warns(UserWarning, match=r"LSGAN \(1, 1, 1\): real and fake are one loss, .* give two"):
        image_trainer(objective=least_squares(1, 1, 1))
    own = Objective(name="own", real=(D - 1) ** 2, fake=D**2, generator=(D - 1) ** 2, output="score", source="here")
    assert run(image_trainer(objective=own)).step == 3


def test_units_that_dropout_leaves_out_are_no_bound():
    """Which of two units of unlike sign are left decides the sign of a logit: of 200 pairs none is warned of."""
    config = TrainConfig(steps=1, batch=2, device="cpu")
    for seed in range(200):
        torch.manual_seed(seed)
        units, last = nn.Linear(64, 2), nn.Linear(2, 1, bias=False)
        nn.init.constant_(units.bias, 10.0)
        last.weight.data = torch.tensor([[1.0, -1.0]])
        few = nn.Sequential(nn.Flatten(), units, nn.Dropout(0.5), last)
        Trainer(ImageG(), few, NON_SATURATING, DIGITS.images[:2], config)
