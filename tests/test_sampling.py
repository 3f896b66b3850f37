"""Noise and samples: what law z follows, what decides it, and how many fit in memory."""

import math
import os
import re
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from own import ImageG, refusal
from torch import Tensor, nn

from ganlab import training
from ganlab.training.checks import shown
from ganlab.training.randomness import derived_seed
from ganlab.training.sampling import draw_noise, require_memory

LAWS = {
    "normal": scipy.stats.norm(),
    "uniform": scipy.stats.uniform(-1, 2),
    "unit uniform": scipy.stats.uniform(-math.sqrt(3), 2 * math.sqrt(3)),
}


@pytest.mark.parametrize("law", LAWS)
def test_noise_follows_its_law_in_all_directions(law: str):
    """Kolmogorov and Smirnov's test at the level of 1 in 10⁴, and directions that know nothing of each other."""
    z = draw_noise(law, 5000, 4, torch.Generator().manual_seed(0))
    assert z.dtype is torch.float32
    for direction in z.T.numpy():
        assert scipy.stats.kstest(direction, LAWS[law].cdf).pvalue > 1e-4
    before = torch.get_rng_state()
    assert torch.equal(draw_noise(law, 5000, 4, torch.Generator().manual_seed(0)), z)
    assert torch.equal(torch.get_rng_state(), before)
    apart = torch.corrcoef(z.T) - torch.eye(4)
    assert apart.abs().max() < 5 / math.sqrt(5000)


class Told(nn.Module):
    """Gives its z back, and tells how it was called."""

    z_dim = 3

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.calls: list[tuple[list[int], bool, bool]] = []

    def forward(self, z: Tensor) -> Tensor:
        self.calls.append((list(z.shape), self.training, torch.is_grad_enabled()))
        return self.scale * z


def test_a_batch_at_a_time_gives_the_same_samples():
    """The last one is as small as it must be; none is made twice, and no gradient is kept."""
    G = Told()
    whole = training.sample(G, 10, seed=4)
    assert G.calls == [([10, 3], False, False)]
    for batch, sizes in ((4, [4, 4, 2]), (5, [5, 5]), (9, [9, 1]), (10, [10]), (1, [1] * 10)):
        G.calls.clear()
        assert torch.equal(training.sample(G, 10, seed=4, batch=batch), whole)
        assert [shape for shape, *_ in G.calls] == [[size, 3] for size in sizes]
    G.calls.clear()
    training.sample(G, 600)
    assert [shape[0] for shape, *_ in G.calls] == [256, 256, 88]
    assert not whole.requires_grad
    assert G.training
    source = torch.Generator().manual_seed(derived_seed(4, 0, 0, "samples"))
    assert torch.equal(whole, torch.empty(10, 3).normal_(generator=source))


def test_a_generator_that_fails_is_put_back_into_its_mode():
    class Failing(Told):
        def forward(self, z: Tensor) -> Tensor:
            raise RuntimeError(z.shape)

    G = Failing()
    assert "takes z neither as [2, 3] nor as [2, 3, 1, 1]" in refusal(lambda: training.sample(G, 2))
    assert G.training


def test_a_generator_of_convolutions_gets_its_noise_as_images_of_one_pixel():
    class Upright(Told):
        def forward(self, z: Tensor) -> Tensor:
            z.add_(1)  # before it is known whether the shape fits
            _, _, height, width = z.shape
            return super().forward(z) + (height - width)

    assert torch.equal(training.sample(Upright(), 5, batch=2)[..., 0, 0], training.sample(Told(), 5) + 1)


def test_each_sample_has_its_own_label_in_every_batch():
    class Numbered(nn.Module):
        z_dim = 3

        def forward(self, z: Tensor, y: Tensor) -> Tensor:
            return 0 * z + y[:, None]

    assert training.sample(Numbered(), 10, labels=range(10), batch=4)[:, 0].tolist() == list(range(10))


@pytest.mark.parametrize("z_dim", [1, 3, np.int64(3), torch.tensor(3)])
def test_any_integer_from_1_on_counts_latent_variables(z_dim: Any):
    G = Told()
    G.z_dim = z_dim
    assert training.sample(G, 2).shape == (2, int(z_dim))
    assert torch.equal(training.sample(G, 2), training.sample(G, 2, seed=0))


@pytest.mark.parametrize("z_dim", [0, -3, True, 3.0, "3", None, [3], torch.ones(2).long()])
def test_what_counts_no_latent_variables_is_refused(z_dim: Any):
    G = Told()
    G.z_dim = z_dim
    said = f"Told has z_dim = {shown(z_dim)}; set it to the number of latent variables."
    assert refusal(lambda: training.sample(G, 2)) == said
    assert "Flatten has z_dim = None" in refusal(lambda: training.sample(nn.Flatten(), 2))


def test_what_a_generator_draws_itself_comes_from_the_seed_too():
    class Drawing(nn.Module):
        """Has no weights, either."""

        z_dim = 3

        def forward(self, z: Tensor) -> Tensor:
            return torch.rand(z.shape)

    source = torch.Generator().manual_seed(derived_seed(4, 0, 0, "model"))
    assert torch.equal(training.sample(Drawing(), 5, seed=4), torch.rand(5, 3, generator=source))


def test_there_is_at_least_one_sample():
    assert len(training.sample(Told(), 1)) == 1
    assert refusal(lambda: training.sample(Told(), 0)) == "n is 0; give an integer of at least 1."


@pytest.fixture
def small_machine(monkeypatch: pytest.MonkeyPatch) -> int:
    """A machine of 4 MB."""
    sizes = {"SC_PAGE_SIZE": 4000, "SC_PHYS_PAGES": 1000}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__, raising=False)
    return 4_000_000


def test_as_many_samples_as_fit_in_memory(small_machine: int):
    """A float32 is 4 bytes; what is advised leaves room for three times as much besides."""
    require_memory(small_machine // 4, 1)
    require_memory(1, small_machine // 4)
    line = refusal(lambda: require_memory(small_machine // 4 + 1, 1))
    assert line.startswith("n is 1,000,001, which takes 0 GB; this machine has 0 GB of memory: give a smaller n")
    G = ImageG()
    line = refusal(lambda: training.sample(G, 100_000))
    assert line.startswith("n is 100,000, which takes ")
    advised = re.search(r"such as ([\d,]+)\.$", line)
    assert advised is not None
    n = int(advised[1].replace(",", ""))
    assert n == small_machine // (16 * (4 + 64))
    assert len(training.sample(G, n)) == n
    assert "such as 1." in refusal(lambda: require_memory(2, small_machine))
    told = Told()
    assert "n is 400,000" in refusal(lambda: training.sample(told, 400_000))
    assert told.calls == []  # the noise alone is too much


def test_gigabytes_are_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2_000_000}.__getitem__, raising=False)
    assert "which takes 40 GB; this machine has 8 GB" in refusal(lambda: require_memory(10**8, 100))


def test_where_nothing_tells_of_memory_nothing_is_refused(monkeypatch: pytest.MonkeyPatch):
    def unknown(_name: str) -> int:
        raise ValueError

    monkeypatch.setattr(os, "sysconf", unknown, raising=False)
    require_memory(10**12, 10**12)
