"""Pairs of one's own in an ensemble: what is stacked trains as it does alone, what is not is refused in a line."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from own import refusal, toy_ensemble, wrong
from tiny import run
from torch import Tensor, nn

from ganlab import data
from ganlab.models.stacked import Stacked
from ganlab.objectives import NON_SATURATING
from ganlab.training import WGANGP, TrainConfig, Trainer


class Chain(nn.Module):
    """Layers in `.net`, as G (with a z_dim) or as D."""

    def __init__(self, *layers: nn.Module, z_dim: int | None = None) -> None:
        super().__init__()
        self.net = nn.Sequential(*layers)
        if z_dim is not None:
            self.z_dim = z_dim

    def forward(self, x: Tensor) -> Tensor:
        y = self.net(x)
        return y if hasattr(self, "z_dim") else y.squeeze(1)


def generator(*last: nn.Module) -> Chain:
    return Chain(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2), *last, z_dim=4)


def discriminator(first: Callable[[int, int], nn.Module] = nn.Linear) -> Chain:
    return Chain(first(2, 8), nn.Tanh(), nn.Linear(8, 1))


def nested() -> tuple[nn.Module, nn.Module]:
    """Chains of chains."""
    G = Chain(nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.Tanh(), nn.Linear(8, 8))), nn.Linear(8, 2), z_dim=4)
    return G, Chain(nn.Sequential(nn.Linear(2, 8), nn.Tanh()), nn.Linear(8, 1))


def aliased() -> tuple[nn.Module, nn.Module]:
    """A layer that has a second name, and is used once."""
    G, D = generator(), discriminator()
    G.first = G.net[0]
    return G, D


def frozen_twice() -> tuple[nn.Module, nn.Module]:
    """One layer in two places, which nothing moves."""
    fixed = nn.Linear(8, 8).requires_grad_(requires_grad=False)
    return Chain(nn.Linear(4, 8), fixed, nn.Tanh(), fixed, nn.Linear(8, 2), z_dim=4), discriminator()


@pytest.mark.parametrize("make", [nested, aliased, frozen_twice])
def test_every_member_is_trained_as_it_is_alone(make: Callable[[], tuple[nn.Module, nn.Module]]):
    seeds, config = (0, 7), TrainConfig(steps=30, batch=16, device="cpu")
    ensemble = run(toy_ensemble(make, seeds, steps=30))
    z = torch.randn(5, 4)
    for number, seed in enumerate(seeds):
        torch.manual_seed(seed)
        alone = run(Trainer(*make(), NON_SATURATING, data.ring(), replace(config, seed=seed)))
        torch.testing.assert_close(ensemble.sample(9)[number], alone.sample(9), atol=1e-5, rtol=0)
        member: Any = wrong(ensemble).member(number)
        for one, other in zip(member, (alone.G, alone.D), strict=True):
            for ours, theirs in zip(one.parameters(), other.parameters(), strict=True):
                torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
        with torch.no_grad():
            torch.testing.assert_close(member[0](z), ensemble.sampler(z.expand(2, 5, 4))[number])


# What is refused ------------------------------------------------------------------------------------------------------


class Residual(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return x + super().forward(x)


def used_twice() -> tuple[nn.Module, nn.Module]:
    layer = nn.Linear(8, 8)
    return Chain(nn.Linear(4, 8), layer, nn.Tanh(), layer, nn.Linear(8, 2), z_dim=4), discriminator()


def one_weight() -> tuple[nn.Module, nn.Module]:
    G, layer = Chain(nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 2), z_dim=4), nn.Linear(8, 8)
    G.net[2].weight = G.net[1].weight
    return G, Chain(nn.Linear(2, 8), layer, nn.Linear(8, 1))


def common_layer() -> tuple[nn.Module, nn.Module]:
    layer = nn.Linear(8, 8)
    return Chain(nn.Linear(4, 8), layer, nn.Linear(8, 2), z_dim=4), Chain(nn.Linear(2, 8), layer, nn.Linear(8, 1))


def lazy() -> tuple[nn.Module, nn.Module]:
    return Chain(nn.LazyLinear(8), nn.Linear(8, 2), z_dim=4), discriminator()


def residual() -> tuple[nn.Module, nn.Module]:
    return Chain(nn.Linear(4, 8), Residual(nn.Linear(8, 8)), nn.Linear(8, 2), z_dim=4), discriminator()


def normed() -> tuple[nn.Module, nn.Module]:
    return generator(), discriminator(lambda n_in, n_out: nn.utils.weight_norm(nn.Linear(n_in, n_out)))


def shifted() -> tuple[nn.Module, nn.Module]:
    """A weight beside `.net` that does nothing at first."""

    class Shifted(Chain):
        shift: nn.Parameter

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + self.shift

    G = Shifted(nn.Linear(4, 2), z_dim=4)
    G.shift = nn.Parameter(torch.zeros(2))
    return G, discriminator()


LAYERS = "cannot be stacked; use linear layers and pointwise activations"


@pytest.mark.filterwarnings("ignore:.*torch.nn.utils.weight_norm:FutureWarning")
@pytest.mark.parametrize(
    ("make", "said", "followed"),
    [
        (used_twice, "net.1.weight and net.3.weight are one weight, and a stack would train two", frozen_twice),
        (one_weight, "give each layer its own, or train the members one by one", nested),
        (common_layer, "G's weights are D's, too (net.1.weight), and an Ensemble would train two", nested),
        (common_layer, "let make give each its own, or train the pair with Trainer", nested),
        (lazy, f"LazyLinear {LAYERS}", nested),
        (residual, f"Residual {LAYERS}", nested),
        (normed, f"Linear with weight_g, weight_v {LAYERS}", nested),
        (shifted, "G (Shifted) does more in its forward than its `.net`; let `.net` be all", aliased),
    ],
)
def test_what_a_stack_would_train_otherwise_is_refused(make: Any, said: str, followed: Any):
    assert said in refusal(lambda: toy_ensemble(make))
    assert run(toy_ensemble(followed)).step == 2
    if make is not common_layer:  # of that Trainer warns
        G, D = make()
        assert run(Trainer(G, D, NON_SATURATING, data.ring(), TrainConfig(steps=2, batch=16, device="cpu"))).step == 2


def test_seeds_are_those_that_torch_takes():
    for seed in (2**64, -(2**63) - 1):
        line = refusal(lambda seed=seed: toy_ensemble(seeds=[0, seed]))
        assert line == f"a seed is {seed}; give one that torch takes, from −2⁶³ to 2⁶⁴ − 1."
    assert run(toy_ensemble(seeds=[2**64 - 1, -(2**63)])).step == 2


# What is taken over ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attribute", ["output_range", "shown_range"])
def test_bytes_are_scaled_to_the_range_that_the_members_have(attribute: str):
    levels = torch.randint(256, (200, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    def make() -> tuple[nn.Module, nn.Module]:
        G: Any = generator(nn.Sigmoid())
        if attribute == "shown_range":
            G.output_range = None
        setattr(G, attribute, (0, 1))
        return G, discriminator()

    config = TrainConfig(steps=2, batch=16, device="cpu", seed=7)
    ensemble, alone = toy_ensemble(make, (7,), levels), Trainer(*make(), NON_SATURATING, levels, config)
    assert torch.equal(ensemble.real_batch(0)[0], alone.real_batch(0))
    assert ensemble.value_range == (0, 1)


def test_a_layer_without_bias_is_stacked_in_the_type_that_it_has():
    networks = [Chain(nn.Linear(4, 2, bias=False), z_dim=4).double() for _ in range(2)]
    x = torch.randn(2, 5, 4, dtype=torch.float64)
    stacked = Stacked(networks)
    assert {parameter.dtype for parameter in stacked.parameters()} == {torch.float64}
    torch.testing.assert_close(
        stacked(x), torch.stack([network(part) for network, part in zip(networks, x, strict=True)])
    )


@pytest.mark.parametrize("options", [{"instance_noise": 0.5}, {"penalty": WGANGP()}], ids=str)
def test_a_step_by_hand_draws_from_torchs_own_numbers_and_a_run_does_not(options: dict[str, Any]):
    """As with `Trainer`: the same state of torch gives the same step, and runs are the seeds' alone."""

    def stepped(torchs: int) -> Tensor:
        ensemble = toy_ensemble(**options)
        torch.manual_seed(torchs)
        ensemble.discriminator_step(ensemble.real_batch(0), ensemble.noise("z"))
        return torch.cat([parameter.detach().flatten() for parameter in ensemble.D.parameters()])

    assert torch.equal(stepped(3), stepped(3))
    assert not torch.equal(stepped(3), stepped(4))
    whole, half = toy_ensemble(**options), toy_ensemble(**options)
    for _ in half.run():
        torch.rand(1)
    assert torch.equal(run(whole).history, half.history)
