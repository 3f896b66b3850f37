"""Algorithm 1 against a plain loop, and what each option means."""

import copy

import pytest
import torch
import torch.nn.functional as F
from tiny import TinyD, TinyG, examples, parameters, run, tiny_trainer
from torch import Tensor, nn

from ganlab import models
from ganlab.errors import ConfigError, NonFiniteLoss, ShapeError
from ganlab.objectives import MINIMAX, NON_SATURATING, least_squares
from ganlab.training import SGD, Adam, RMSProp, TrainConfig, Trainer
from ganlab.training.config import pick_device


def plain_loop(trainer: Trainer, optimizers, steps: int, k: int, simultaneous: bool) -> Tensor:
    """The usual tutorial loop with BCE and labels, on copies of the trainer's models and its batches and noise."""
    G, D = copy.deepcopy(trainer.G), copy.deepcopy(trainer.D)
    opt_g, opt_d = (make(model.parameters()) for make, model in zip(optimizers, (G, D), strict=True))
    bce = F.binary_cross_entropy_with_logits
    for trainer.step in range(steps):
        for i in range(k):
            x, z = trainer.real_batch(trainer.step * k + i), trainer.noise(f"z for D, {i}")
            real, fake = D(x), D(G(z).detach())
            opt_d.zero_grad()
            (bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))).backward()
            if not simultaneous:
                opt_d.step()
        z = trainer.noise("z for D, 0" if simultaneous else "z for G")
        fake = D(G(z))
        grads = torch.autograd.grad(bce(fake, torch.ones_like(fake)), list(G.parameters()))
        for p, grad in zip(G.parameters(), grads, strict=True):
            p.grad = grad
        if simultaneous:
            opt_d.step()
        opt_g.step()
    trainer.step = 0
    return torch.cat([p.detach().flatten() for model in (G, D) for p in model.parameters()])


@pytest.mark.parametrize(("update", "k"), [("alternating", 1), ("alternating", 3), ("simultaneous", 1)])
@pytest.mark.parametrize("optimizer", [Adam(lr=1e-3), SGD(lr=0.05, momentum=0.5), RMSProp(lr=1e-3)], ids=str)
def test_fifty_steps_equal_a_plain_pytorch_loop(update: str, k: int, optimizer: Adam | SGD | RMSProp):
    trainer = tiny_trainer(dropout=0.0, steps=50, k=k, update=update, optimizer_d=optimizer, optimizer_g=optimizer)
    plain = {
        Adam: lambda p: torch.optim.Adam(p, lr=1e-3, betas=(0.5, 0.999), foreach=False),
        SGD: lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.5, foreach=False),
        RMSProp: lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.9, eps=1e-5, foreach=False),
    }[type(optimizer)]
    start = parameters(trainer)
    expected = plain_loop(trainer, (plain, plain), 50, k, update == "simultaneous")
    run(trainer)
    torch.testing.assert_close(parameters(trainer), expected, atol=1e-6, rtol=0)
    assert (expected - start).abs().max() > 1e-2


def test_the_losses_of_the_record_are_those_of_the_objective():
    trainer = tiny_trainer(least_squares(), dropout=0.0)
    G, D = copy.deepcopy(trainer.G), copy.deepcopy(trainer.D)
    x, z = trainer.real_batch(0), trainer.noise("z for D, 0")
    record = next(trainer.run())
    assert record.step == 1
    real, fake = D(x), D(G(z))
    assert record.discriminator_loss == pytest.approx(
        (0.5 * (real - 1).square().mean() + 0.5 * (fake + 1).square().mean()).item(), rel=1e-5
    )
    assert (record.D_real, record.D_fake) == pytest.approx((real.mean().item(), fake.mean().item()), rel=1e-5)


def test_D_of_a_probability_is_read_as_one():
    record = next(tiny_trainer(MINIMAX).run())
    assert 0 < record.D_real < 1
    assert 0 < record.D_fake < 1


def test_one_players_step_leaves_the_other_alone():
    trainer = tiny_trainer()
    x, z = trainer.real_batch(0), trainer.noise("z for D, 0")
    before_g, before_d = copy.deepcopy(list(trainer.G.parameters())), copy.deepcopy(list(trainer.D.parameters()))
    trainer.discriminator_step(x, z)
    assert all(torch.equal(a, b) for a, b in zip(before_g, trainer.G.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(before_d, trainer.D.parameters(), strict=True))
    before_d = copy.deepcopy(list(trainer.D.parameters()))
    trainer.generator_step(z)
    assert all(torch.equal(a, b) for a, b in zip(before_d, trainer.D.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(before_g, trainer.G.parameters(), strict=True))


@pytest.mark.parametrize("warmup", [1, 4, 9])
def test_the_average_is_an_exponential_one_with_buffers(warmup: int):
    trainer = tiny_trainer(ema=0.9, ema_warmup=warmup, steps=120)
    average: dict[str, Tensor] = {}
    for record in trainer.run():
        now = {name: tensor.clone() for name, tensor in trainer.G.state_dict().items() if tensor.is_floating_point()}
        if record.step == 1:
            average = now
        n = record.step - 1
        decay = min(0.9, (1 + n) / (1 + n + warmup))
        average = {name: decay * average[name] + (1 - decay) * now[name] for name in now}
    state = trainer.sampler.state_dict()
    assert any("running_var" in name for name in average)
    for name, tensor in average.items():
        torch.testing.assert_close(state[name], tensor)
    assert trainer.sampler is not trainer.G


def test_smoothing_is_the_bce_target():
    plain, smooth = tiny_trainer(dropout=0.0), tiny_trainer(dropout=0.0, label_smoothing=0.1)
    x, z = plain.real_batch(0), plain.noise("z for D, 0")
    real, fake = plain.D(x), plain.D(plain.G(z))
    expected = F.binary_cross_entropy_with_logits(real, torch.full_like(real, 0.9)) + F.softplus(fake).mean()
    assert next(smooth.run()).discriminator_loss == pytest.approx(expected.item(), rel=1e-5)


def test_uniform_noise_fills_its_range_and_normal_noise_has_unit_variance():
    uniform, normal = tiny_trainer(batch=50, noise="uniform"), tiny_trainer(batch=50)
    z = torch.cat([uniform.noise(f"{i}") for i in range(40)])
    assert z.abs().max() <= 1
    assert z.var().item() == pytest.approx(1 / 3, abs=0.02)
    assert torch.cat([normal.noise(f"{i}") for i in range(40)]).var().item() == pytest.approx(1, abs=0.05)


def test_images_are_scaled_to_the_generators_range():
    class HalfG(models.MLPGenerator):
        output_range = (-0.5, 1.0)

    class UnboundedG(nn.Module):
        z_dim = 3

        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Linear(3, 4)

        def forward(self, z: Tensor) -> Tensor:
            return self.net(z).view(-1, 1, 2, 2)

    images = torch.arange(256, dtype=torch.uint8).reshape(64, 1, 2, 2)
    D = models.MLPDiscriminator(side=2, hidden=(4,))
    sigmoid = models.Generator2014(z_dim=3, side=2, hidden=4)
    for G, low in ((UnboundedG(), -1.0), (sigmoid, 0.0), (HalfG(z_dim=3, side=2, hidden=(4,)), -0.5)):
        batch = Trainer(G, D, NON_SATURATING, images, TrainConfig(batch=64, device="cpu")).real_batch(0)
        assert (batch.min().item(), batch.max().item()) == (low, 1.0)
        assert batch.unique().numel() == 256


def test_examples_of_one_number_each_may_have_any_stride():
    column = torch.arange(50.0)[:, None].as_strided((50, 1), (1, 0))
    G, D = models.ToyGenerator(z_dim=2, dim=1, width=4), models.ToyDiscriminator(dim=1, width=4)
    trainer = Trainer(G, D, NON_SATURATING, column, TrainConfig(batch=50, device="cpu"))
    assert sorted(trainer.real_batch(0).flatten().tolist()) == list(range(50))


def test_samples_depend_on_the_seed_alone_and_leave_the_mode():
    trainer = run(tiny_trainer())
    first = trainer.sample(300, seed=3)
    assert first.shape == (300, 2)
    assert torch.equal(first, trainer.sample(300, seed=3))
    assert not torch.equal(first, trainer.sample(300, seed=4))
    assert trainer.G.training


class PoisonedD(TinyD):
    """Gives NaN from a certain forward pass on."""

    def __init__(self, healthy_passes: int) -> None:
        super().__init__()
        self.left = healthy_passes

    def forward(self, x: Tensor) -> Tensor:
        self.left -= 1
        return super().forward(x) * (1.0 if self.left >= 0 else torch.nan)


@pytest.mark.filterwarnings("ignore:D's forward pass changes left, which no checkpoint holds")
@pytest.mark.parametrize("steps", [20, 120])
def test_a_nan_loss_stops_training_and_keeps_the_last_good_checkpoint(tmp_path, steps: int):
    config = TrainConfig(steps=steps, batch=8, device="cpu")
    # Three passes of D per step: the eleventh step is the first with a NaN.
    trainer = Trainer(TinyG(), PoisonedD(30), NON_SATURATING, examples(), config)
    place = tmp_path / "run.ckpt"
    run(trainer, steps=10).save(place)
    good = place.read_bytes()
    run(trainer, steps=15)
    for go_on in (lambda: trainer.save(place), lambda: run(trainer)):
        with pytest.raises(NonFiniteLoss, match="at step 11 D's loss is nan"):
            go_on()
    assert place.read_bytes() == good
    resumed = Trainer(TinyG(), PoisonedD(10**6), NON_SATURATING, examples(), config)
    assert resumed.resume(place)
    assert resumed.step == 10


def test_bfloat16_trains_and_stays_near_float32():
    full, half = run(tiny_trainer(dropout=0.0)), run(tiny_trainer(dropout=0.0, precision="bfloat16"))
    assert full.history.dtype is torch.float32
    assert 0 < (parameters(full) - parameters(half)).abs().max() < 0.05


@pytest.mark.slow
@pytest.mark.filterwarnings("default:::torch")  # the compiler's own
def test_compiled_models_train_alike():
    """About 15 s: torch.compile builds two small networks."""
    plain, compiled = run(tiny_trainer(dropout=0.0)), run(tiny_trainer(dropout=0.0, compile=True))
    torch.testing.assert_close(parameters(plain), parameters(compiled), atol=1e-4, rtol=0)
    assert compiled.G.state_dict().keys() == plain.G.state_dict().keys()


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_on_cuda(precision: str):
    trainer = run(tiny_trainer(device="cuda", precision=precision, ema=0.9))
    assert trainer.history.isfinite().all()
    assert trainer.sample(5).device.type == "cpu"


def test_convolutions_are_stored_channels_last():
    images = torch.zeros(8, 1, 28, 28, dtype=torch.uint8)
    G, D = models.DCGANGenerator(28, width=4), models.DCGANDiscriminator(28, width=4)
    trainer = Trainer(G, D, NON_SATURATING, images, TrainConfig(batch=8, device="cpu"))
    for model, name in ((trainer.G, "net.3.weight"), (trainer.D, "net.2.weight")):
        assert model.get_parameter(name).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"batch": 2.5}, "batch is 2.5"),
        ({"k": True}, "k is True"),
        ({"update": "both"}, "'both'"),
        ({"noise": "cauchy"}, "'cauchy'"),
        ({"precision": "float16"}, "'float16'"),
        ({"label_smoothing": 0.5}, "0.5"),
        ({"ema": 1.0}, "ema is 1.0"),
        ({"ema": 0.9, "ema_warmup": 0}, "ema_warmup is 0; give an integer of at least 1"),
        ({"update": "simultaneous", "k": 2}, "k is 2"),
        ({"optimizer_g": "adam"}, "optimizer_g is 'adam'"),
    ],
)
def test_wrong_options_are_named(options: dict, named: str):
    with pytest.raises(ConfigError, match=named) as caught:
        TrainConfig(**options)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(ConfigError, match="batch is 99 but there are 50"):
        tiny_trainer(batch=99)
    with pytest.raises(ShapeError, match=r"torch\.int64"):
        Trainer(TinyG(), TinyD(), NON_SATURATING, torch.ones(100, 2, dtype=torch.int64), TrainConfig(device="cpu"))
    with pytest.raises(ConfigError, match="TinyD has z_dim = None"):
        Trainer(TinyD(), TinyD(), NON_SATURATING, examples(), TrainConfig(device="cpu"))
    for device in ("gpu", "xpu", "cuda:77"):
        if not (device.startswith("cuda") and torch.cuda.is_available()):
            with pytest.raises(ConfigError, match=device):
                pick_device(device)
