"""Networks at `Trainer`'s door: ranges that fit, or a line that names both; and a look that leaves no trace."""

import dataclasses
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import own
import pytest
import torch
from own import DIGITS, ImageG, image_trainer, refusal, wrong
from tiny import TinyD, TinyG, assert_equal, examples, run, tiny_trainer
from torch import Tensor, nn

from ganlab import data, models
from ganlab.errors import ConfigError
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer
from ganlab.training.rehearsal import Fit

# Ranges ---------------------------------------------------------------------------------------------------------------


def test_float_images_on_another_scale_are_refused_with_both_ranges():
    fractions, bytes_as_floats = DIGITS.images.float() / 255, DIGITS.images.float()
    G: Any
    for G in (ImageG(), models.MLPGenerator(4, side=8, hidden=(8,))):
        for x, span in ((fractions, "0 … 1"), (bytes_as_floats, "0 … 255")):
            line = refusal(lambda G=G, x=x: image_trainer(G, x=x))
            assert span in line
            assert "−1 … 1" in line
            assert "or set G.output_range = None if they are meant so" in line
        G.output_range = None  # what the message says to do when it is meant
        assert run(image_trainer(G, x=fractions)).step == 3
    assert run(image_trainer(x=fractions * 2 - 1)).step == 3  # and when it is not


def test_a_range_that_G_cannot_quite_reach_is_said_once():
    standardised = (DIGITS.images.float() / 255 - 0.3) / 0.35
    with pytest.warns(UserWarning, match=r"examples lie in −0\.857\d … 2 where G gives −1 … 1") as said:
        run(image_trainer(x=standardised))
    assert len(said) == 1
    assert said[0].filename == own.__file__  # where the trainer is made
    run(image_trainer(ImageG(lambda t: t), x=standardised))  # an unbounded G: nothing to say
    run(image_trainer(x=0.8 * (DIGITS.images.float() / 127.5 - 1)))  # well within: nothing either


def test_a_G_that_ends_in_a_sigmoid_must_say_so():
    for last in (torch.sigmoid, lambda t: t.tanh() * 0.5 + 0.5, lambda t: t.sigmoid().clone().unsqueeze(1).squeeze(1)):
        line = refusal(lambda last=last: image_trainer(ImageG(last)))
        assert "set G.output_range = (0, 1)" in line
        G = ImageG(last)
        G.output_range = (0, 1)  # what the message says
        assert image_trainer(G).real_batch(0).min() == 0
    for last in (torch.tanh, nn.Identity()):
        assert image_trainer(ImageG(last)).real_batch(0).min() == -1


def test_a_range_that_is_said_must_be_the_last_layers():
    for last, said, right in ((torch.tanh, (0, 1), (-1.0, 1.0)), (torch.sigmoid, (-1, 1), (0.0, 1.0))):
        G = ImageG(last)
        G.output_range = said
        assert f"set G.output_range = {right}" in refusal(lambda G=G: image_trainer(G))
        G.output_range = right
        assert image_trainer(G).value_range == right
    G = ImageG()
    G.output_range = np.array([-0.9, 0.9])
    assert image_trainer(G).value_range == (-0.9, 0.9)
    for nonsense in (1, (1, -1), (0, np.nan), ("a", "b"), (0, 1, 2)):
        G.output_range = nonsense
        assert "two finite numbers" in refusal(lambda: image_trainer(G))


# No trace -------------------------------------------------------------------------------------------------------------


def unlooked(trainer_of: Callable[[], Trainer], monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """The same trainer, made without a first batch through its networks."""
    plain = Fit((), flat=False, copies_z=False, copies_x=False, last_of_G="", last_of_D="", fake=torch.zeros(1))
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_looked_at", lambda *_: (plain, []))
        return trainer_of()


@pytest.mark.parametrize(
    "options",
    [{}, {"ema": 0.9}, {"k": 2, "precision": "bfloat16"}, {"update": "simultaneous", "instance_noise": 0.1}],
    ids=str,
)
def test_runs_are_what_they_are_without_the_door(options: dict, monkeypatch: pytest.MonkeyPatch):
    def make() -> Trainer:
        return tiny_trainer(**options)

    looked, plain = make(), unlooked(make, monkeypatch)
    assert_equal(looked.state_dict(), plain.state_dict())
    assert_equal(run(looked).state_dict(), run(plain).state_dict())


class CountingD(TinyD):
    """Keeps everything that a forward pass may leave behind."""

    def __init__(self) -> None:
        super().__init__()
        self.net.insert(1, nn.BatchNorm1d(8))
        self.passes, self.seen = 0, []
        self.register_buffer("noise", torch.zeros(2))

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        self.seen.append(x)
        self.noise = torch.randn(2)
        return super().forward(x)


@pytest.mark.filterwarnings("ignore:D's forward pass changes passes, which no checkpoint holds")
def test_the_door_leaves_no_trace():
    G, D = TinyG(), CountingD()
    before = {name: value.clone() for name, value in {**G.state_dict(), **D.state_dict()}.items()}
    strides = [parameter.stride() for parameter in D.parameters()]
    torch.manual_seed(11)
    numbers, state = wrong(np.random.get_state())[1].copy(), torch.get_rng_state()  # noqa: NPY002
    Trainer(G, D, NON_SATURATING, examples(), TrainConfig(batch=8, device="cpu"))
    assert torch.equal(torch.get_rng_state(), state)
    assert (wrong(np.random.get_state())[1] == numbers).all()  # noqa: NPY002
    assert_equal({**G.state_dict(), **D.state_dict()}, before)
    assert (D.passes, D.seen) == (0, [])
    assert [parameter.stride() for parameter in D.parameters()] == strides
    assert all(parameter.grad is None for model in (G, D) for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in D.modules())


def test_a_network_that_cannot_be_copied_is_looked_at_all_the_same():
    class LockedG(TinyG):
        def __init__(self) -> None:
            super().__init__()
            self.progress = (step for step in range(3))  # no generator can be copied

    before = LockedG().state_dict().keys()
    torch.manual_seed(1)
    G = LockedG()
    state = {name: value.clone() for name, value in G.state_dict().items()}
    config = TrainConfig(steps=3, batch=8, device="cpu")
    locked = Trainer(G, TinyD(), NON_SATURATING, examples(), config)
    assert_equal({name: G.state_dict()[name] for name in before}, state)
    assert run(locked).history.isfinite().all()
    with pytest.raises(ConfigError, match=r"LockedG holds what cannot be copied .* set ema=0"):
        Trainer(LockedG(), TinyD(), NON_SATURATING, examples(), dataclasses.replace(config, ema=0.9))


def test_the_door_takes_milliseconds():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        G, D = models.MLPGenerator(64, side=8), models.MLPDiscriminator(side=8)
        made = image_trainer(G, D, data.load("digits"))
    times = []
    for _ in range(5):
        start = time.process_time()  # not what others take of the processor
        made._looked_at(DIGITS.images)
        times.append(time.process_time() - start)
    assert min(times) < 0.05
