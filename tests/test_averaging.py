"""What the averaged generator averages, and what it copies."""

from typing import Any

import pytest
import torch
from own import image_trainer, seeded
from tiny import TinyD, TinyG, examples, run, tiny_trainer
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganlab.errors import ConfigError
from ganlab.objectives import NON_SATURATING
from ganlab.training import Adam, TrainConfig, Trainer
from ganlab.training.averaging import Average, twin


class TabledG(TinyG):
    """Has every kind of buffer: a table of integers, a mask, a counter, and floats that change from step to step."""

    order: Tensor
    passes: Tensor
    direction: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("order", torch.tensor([1, 0]))
        self.register_buffer("mask", torch.tensor([True, False]))
        self.register_buffer("passes", torch.tensor(0))
        self.register_buffer("direction", torch.ones(2))
        self.frozen = nn.Parameter(torch.tensor([3, 4]), requires_grad=False)

    def forward(self, z: Tensor) -> Tensor:
        self.passes += 1
        self.direction.copy_(torch.tensor([1.0, -1.0]) if self.passes % 2 else torch.tensor([-1.0, 1.0]))
        return super().forward(z)[:, self.order]


def test_only_weights_and_running_statistics_are_averaged():
    config = TrainConfig(steps=25, batch=8, device="cpu", ema=0.9)
    trainer = run(Trainer(TabledG(), TinyD(), NON_SATURATING, examples(), config))
    trained, averaged = trainer.G.state_dict(), trainer.sampler.state_dict()
    copied = {name for name in trained if torch.equal(trained[name], averaged[name])}
    assert copied == {"order", "mask", "passes", "direction", "frozen", "net.1.num_batches_tracked"}
    assert {trained[name].dtype for name in copied} == {averaged[name].dtype for name in copied}


def test_tied_weights_stay_tied():
    class TiedG(TinyG):
        def __init__(self) -> None:
            super().__init__()
            self.again = self.net[0]

    config = TrainConfig(steps=5, batch=8, device="cpu", ema=0.9)
    averaged = run(Trainer(TiedG(), TinyD(), NON_SATURATING, examples(), config)).sampler
    assert averaged.get_submodule("again") is averaged.get_submodule("net.0")


@pytest.mark.filterwarnings("ignore:.*torch.nn.utils.weight_norm:FutureWarning")
@pytest.mark.parametrize("wrap", [spectral_norm, nn.utils.spectral_norm], ids=["parametrisation", "hook"])
def test_a_layer_of_norm_one_keeps_it_in_the_average(wrap):
    """Over 30 first weights the norms were 1.00 to 1.154; where unit vectors are averaged it becomes 3."""

    class SpectralG(nn.Module):
        z_dim = 8

        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(wrap(nn.Linear(8, 32)), nn.ReLU(), wrap(nn.Linear(32, 64)), nn.Tanh())

        def forward(self, z: Tensor) -> Tensor:
            return self.net(z).view(-1, 1, 8, 8)

    trainer = run(image_trainer(seeded(SpectralG), ema=0.99, steps=200, optimizer_g=Adam(2e-3)))
    for G in (trainer.G, trainer.sampler):
        G.eval()(torch.zeros(2, 8))  # the hook computes the weight when it is used
        for layer in (G.get_submodule("net.0"), G.get_submodule("net.2")):
            assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, abs=0.5)


@pytest.mark.filterwarnings("ignore:.*torch.nn.utils.weight_norm:FutureWarning")
@pytest.mark.parametrize("wrap", [nn.utils.spectral_norm, nn.utils.weight_norm])
def test_a_network_that_was_used_before_is_copied(wrap):
    layer = nn.Sequential(wrap(nn.Linear(3, 2)))
    kept: list[Any] = [layer(torch.randn(4, 3)), {"last": layer(torch.randn(4, 3))}]
    layer.kept = kept  # pyright: ignore[reportArgumentType]
    copied: Any = twin(layer)
    z = torch.randn(5, 3)
    torch.testing.assert_close(copied.eval()(z), layer.eval()(z))
    assert not set(map(id, copied.parameters())) & set(map(id, layer.parameters()))
    for ours, theirs in ((copied.kept[0], kept[0]), (copied.kept[1]["last"], kept[1]["last"])):
        before = theirs.detach().clone()
        theirs.data.add_(1)
        assert torch.equal(ours, before)  # its own numbers, and no more than numbers
        assert not ours.requires_grad
    shared = twin(layer, share=True)
    assert set(map(id, shared.parameters())) == set(map(id, layer.parameters()))


def test_the_first_average_is_the_network_and_the_rest_a_plain_formula():
    model, decay = nn.Linear(2, 2), 0.75
    average = Average(model)
    with torch.no_grad():
        model.weight.fill_(8.0)
        average.update(model, 0.0)
        assert torch.equal(average.module.get_parameter("weight"), torch.full((2, 2), 8.0))
        model.weight.fill_(4.0)
        average.update(model, decay)
    assert torch.equal(average.module.get_parameter("weight"), torch.full((2, 2), 0.75 * 8 + 0.25 * 4))
    assert average.n_averaged == 2


def test_what_cannot_be_copied_is_named_and_the_advice_works():
    def locked(**options) -> Trainer:
        G = TinyG()
        G.progress = iter([1])  # pyright: ignore[reportArgumentType]
        G.steps = (step for step in range(3))  # pyright: ignore[reportArgumentType]
        return Trainer(G, TinyD(), NON_SATURATING, examples(), TrainConfig(steps=2, batch=8, device="cpu", **options))

    with pytest.raises(
        ConfigError,
        match=r"TinyG holds what cannot be copied for its average; let it hold tensors and plain values, or set ema=0",
    ):
        locked(ema=0.9)
    assert run(locked(ema=0)).step == 2


def test_without_an_average_samples_come_from_G():
    trainer = tiny_trainer()
    assert trainer.sampler is trainer.G
