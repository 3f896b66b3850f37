"""Many seeds at once: N small GANs trained as one vectorised pair."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.losses import Losses
from ganlab.models.stacked import Stacked
from ganlab.objectives import Objective
from ganlab.training.config import TrainConfig
from ganlab.training.randomness import generator
from ganlab.training.record import COLUMNS
from ganlab.training.sampling import draw_noise
from ganlab.training.sources import Law, Source, StackedSource, source_of
from ganlab.training.trainer import Trainer


class Ensemble(Trainer):
    """Trains one GAN per seed, all in the same matrix products; each as `Trainer` trains it with that seed.

    make       makes a pair (G, D) of MLPs; it is called once per seed, with torch's random numbers seeded by it
    objective, data, config   as for `Trainer`; `config.seed` is not used
    seeds      one member each

    `run()` yields records with one number per member, [N]; `history` is [steps, 4, N].
    Raises `ConfigError` for networks that cannot be stacked.
    """

    def __init__(
        self,
        make: Callable[[], tuple[nn.Module, nn.Module]],
        objective: Objective,
        data: Tensor | Law,
        config: TrainConfig | None = None,
        *,
        seeds: Sequence[int],
    ) -> None:
        self.seeds = tuple(seeds)
        if not self.seeds:
            raise ConfigError("seeds are none; give at least one.")
        config = config or TrainConfig()
        Gs, Ds = zip(*(self._made(make, seed) for seed in self.seeds), strict=True)
        super().__init__(Stacked(Gs), Stacked(Ds), objective, data, config)
        alone = self.losses
        self.losses = Losses(torch.vmap(alone.real), torch.vmap(alone.fake), torch.vmap(alone.generator))
        self._history = torch.zeros(config.steps, len(COLUMNS), len(self.seeds), device=self.device)

    @staticmethod
    def _made(make: Callable[[], tuple[nn.Module, nn.Module]], seed: int) -> tuple[nn.Module, nn.Module]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return make()

    def _source(self, data: Tensor | Law) -> Source:
        config = self.config
        rest = (data, config.batch, self.value_range, self.device)
        return StackedSource([source_of(*rest, seed, self.rank) for seed in self.seeds])

    def noise(self, stream: str) -> Tensor:
        """Noise z [N, batch, z_dim] of the current step: each member's own."""
        config = self.config
        sources = (generator(self.device, seed, self.rank, self.step, stream) for seed in self.seeds)
        return torch.stack([draw_noise(config.noise, config.batch, self.z_dim, source) for source in sources])

    @contextlib.contextmanager
    def _model_randomness(self) -> Iterator[None]:
        self._streams = [generator(self.device, seed, self.rank, self.step, "model") for seed in self.seeds]
        yield

    def _standard_normal(self, like: Tensor) -> Tensor:
        return torch.stack(
            [torch.empty_like(one).normal_(generator=s) for one, s in zip(like, self._streams, strict=True)]
        )

    def sample(self, n: int, *, seed: int = 0) -> Tensor:
        """`n` samples of every member's generator, [N, n, dim], on the CPU; all members get the same z."""
        z = draw_noise(self.config.noise, n, self.z_dim, generator(torch.device("cpu"), seed, 0, 0, "samples"))
        with torch.no_grad():
            return self.sampler(z.to(self.device).expand(len(self.seeds), -1, -1)).cpu()

    def member(self, number: int) -> tuple[nn.Module, nn.Module]:
        """Copies of one member's G (averaged, where there is an average) and D, as networks of their own."""
        G, D = self.sampler, self.D
        assert isinstance(G, Stacked)
        assert isinstance(D, Stacked)
        return G.member(number), D.member(number)

    @property
    def description(self) -> dict[str, Any]:
        """As for `Trainer`, with all seeds."""
        return super().description | {"seeds": list(self.seeds)}
