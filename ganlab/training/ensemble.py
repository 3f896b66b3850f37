"""Many seeds at once: N small GANs trained as one vectorised pair."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.models.stacked import Stacked
from ganlab.objectives import Objective
from ganlab.training import front_door
from ganlab.training.checks import integer, shown
from ganlab.training.config import TrainConfig
from ganlab.training.labels import NO_LABELS
from ganlab.training.randomness import generator
from ganlab.training.record import COLUMNS
from ganlab.training.rehearsal import Fit
from ganlab.training.sampling import draw_noise, require_memory
from ganlab.training.sources import Law, Source, StackedSource, source_of
from ganlab.training.trainer import Trainer


class Ensemble(Trainer):
    """Trains one GAN per seed, all in the same matrix products; each as `Trainer` trains it with that seed.

    make       makes a pair (G, D) of MLPs; it is called once per seed, with torch's random numbers seeded by it
    objective, data, config   as for `Trainer`; `config.seed` is not used, and there are no labels
    seeds      one member each

    `run()` yields records with one number per member, [N]; `history` is [steps, 4, N].
    Raises `ConfigError` for networks that cannot be stacked.
    """

    lead = 2
    _streams: Sequence[torch.Generator] = ()

    def __init__(
        self,
        make: Callable[[], tuple[nn.Module, nn.Module]],
        objective: Objective,
        data: Any,
        config: TrainConfig | None = None,
        *,
        seeds: Sequence[int],
        labels: Any = None,
    ) -> None:
        _refuse_labels(labels)
        if not isinstance(seeds, Iterable) or isinstance(seeds, str):
            raise ConfigError(f"seeds is {shown(seeds)}; give several, such as range(3).")
        self.seeds = tuple(_seed(seed) for seed in seeds)
        if not self.seeds:
            raise ConfigError("seeds are none; give at least one.")
        Gs, Ds = zip(*(self._made(make, seed) for seed in self.seeds), strict=True)
        _refuse_one_for_all(Gs, Ds)
        super().__init__(Stacked(Gs), Stacked(Ds), objective, data, config)
        alone = self.losses
        self.losses = replace(alone, **{part.name: torch.vmap(getattr(alone, part.name)) for part in fields(alone)})
        self._history = torch.zeros(self.config.steps, len(COLUMNS), len(self.seeds), device=self.device)

    @staticmethod
    def _made(make: Callable[[], tuple[nn.Module, nn.Module]], seed: int) -> tuple[nn.Module, nn.Module]:
        if not callable(make):
            raise ConfigError(f"make is {shown(make)}; give a function that makes a pair (G, D).")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            pair = make()
        if not isinstance(pair, tuple) or [isinstance(network, nn.Module) for network in pair] != [True, True]:
            raise ConfigError(f"make gives {shown(pair)}; let it give a pair of networks (G, D).")
        return pair

    def _source(self, examples: Tensor | Law) -> Source:
        rest = (examples, self.config.batch, self.value_range, self.device)
        return StackedSource([source_of(*rest, seed, self.rank) for seed in self.seeds])

    def _looked_at(self, examples: Tensor | Law) -> tuple[Fit, list[str]]:
        """One member alone, as `Trainer` looks at it; then that stacking leaves its answers as they are."""
        G, D = (cast(Stacked, network).member(0).to(self.device) for network in (self.G, self.D))
        real, z = self.source.batch(0), self._first_noise()
        rest = (NO_LABELS, examples, self._precision, self.config.penalty)
        fit, said = front_door.look(G, D, self.objective, real[0], z, *rest)
        _require_equal_answers("G", G, self.G, z.expand(len(self.seeds), *z.shape))
        _require_equal_answers("D", D, self.D, real)
        return replace(fit, flat=False), said  # the stack gives [N, batch]

    def noise(self, stream: str) -> Tensor:
        """Noise z [N, batch, z_dim] of the current step: each member's own."""
        config = self.config
        sources = (generator(self.device, seed, self.rank, self.step, stream) for seed in self.seeds)
        return torch.stack([draw_noise(config.noise, config.batch, self.z_dim, source) for source in sources])

    @contextlib.contextmanager
    def _model_randomness(self) -> Iterator[None]:
        self._streams = [generator(self.device, seed, self.rank, self.step, "model") for seed in self.seeds]
        try:
            yield
        finally:
            self._streams = ()

    def _standard_normal(self, like: Tensor) -> Tensor:
        return self._drawn(Tensor.normal_, like)

    def _uniform(self, like: Tensor) -> Tensor:
        return self._drawn(Tensor.uniform_, like)

    def _drawn(self, draw: Callable[..., Tensor], like: Tensor) -> Tensor:
        """Each member's own numbers; in a step by hand torch's own random numbers, as `Trainer` draws them there."""
        streams = self._streams or [None] * len(like)
        return torch.stack([draw(torch.empty_like(one), generator=s) for one, s in zip(like, streams, strict=True)])

    def sample(self, n: int, *, labels: Any = None, seed: int = 0) -> Tensor:
        """`n` samples of every member's generator, [N, n, dim], on the CPU; all members get the same z."""
        _refuse_labels(labels)
        n = integer("n", n, 1)
        require_memory(n, len(self.seeds) * self.z_dim)
        z = draw_noise(self.config.noise, n, self.z_dim, generator(torch.device("cpu"), seed, 0, 0, "samples"))
        with torch.no_grad():
            return self.sampler(z.to(self.device).expand(len(self.seeds), -1, -1)).cpu()

    def member(self, number: int) -> tuple[nn.Module, nn.Module]:
        """Copies of one member's G (averaged, where there is an average) and D, as networks of their own."""
        number = integer("number", number, -len(self.seeds))
        if number >= len(self.seeds):
            raise ConfigError(
                f"number is {number}; give one of the {len(self.seeds)} members 0 … {len(self.seeds) - 1}."
            )
        return cast(Stacked, self.sampler).member(number), cast(Stacked, self.D).member(number)

    @property
    def description(self) -> dict[str, Any]:
        """As for `Trainer`, with all seeds."""
        return super().description | {"seeds": list(self.seeds)}


def _refuse_labels(labels: Any) -> None:
    if labels is not None:
        raise ConfigError("labels are given, and an Ensemble trains without; train a conditional pair with Trainer.")


def _seed(given: Any) -> int:
    """One member's seed, as torch takes it. Raises `ConfigError`."""
    seed = integer("a seed", given)
    if not -(2**63) <= seed < 2**64:
        raise ConfigError(f"a seed is {seed}; give one that torch takes, from −2⁶³ to 2⁶⁴ − 1.")
    return seed


def _refuse_one_for_all(Gs: Sequence[nn.Module], Ds: Sequence[nn.Module]) -> None:
    """Raise `ConfigError` for members that are one and the same network, that share weights with their opponents, or
    that want more than a stack of them does."""
    for role, networks in {"G": Gs, "D": Ds}.items():
        if len({id(network) for network in networks}) < len(networks):
            raise ConfigError(f"make gives the same {role} for several seeds; let it make a new pair at each call.")
        if callable(getattr(networks[0], "constrain", None)):
            raise ConfigError(
                f"{role} has a method constrain(), which an Ensemble does not call; take a penalty such as"
                " training.WGANGP() in its place, or train it with Trainer."
            )
    for G, D in zip(Gs, Ds, strict=True):
        of_G = {id(weight) for weight in G.parameters() if weight.requires_grad}
        if shared := [name for name, weight in D.named_parameters() if id(weight) in of_G]:
            raise ConfigError(
                f"G's weights are D's, too ({shared[0]}), and an Ensemble would train two; let make give each its own,"
                " or train the pair with Trainer."
            )


def _require_equal_answers(role: str, one: nn.Module, stacked: nn.Module, x: Tensor) -> None:
    """Raise `ConfigError` when the first member alone answers x [N, batch, …] otherwise than among all, or by weights
    that are not in its `.net`."""
    alone = one(x[0])
    with torch.no_grad():
        together = stacked(x)[0]
    in_net = {id(weight) for weight in cast(Any, one).net.parameters()}
    apart = [weight for weight in one.parameters() if weight.requires_grad and id(weight) not in in_net]
    moved = torch.autograd.grad(alone.sum(), apart, allow_unused=True) if apart and alone.requires_grad else ()
    if role == "D" and alone.numel() == len(alone):
        alone = alone.flatten()
    same = alone.shape == together.shape and torch.allclose(alone, together, rtol=1e-3, atol=1e-4)
    if not same or any(gradient is not None for gradient in moved):
        raise ConfigError(f"{role} ({type(one).__name__}) does more in its forward than its `.net`; let `.net` be all.")
