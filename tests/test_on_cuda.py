"""Training on a GPU, where there is one: the gradients of the processor, nothing waited for, runs that go on."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from labelled import labelled
from own import toy_ensemble
from tiny import run, tiny_trainer
from torch import Tensor, nn

from ganlab import models, training
from ganlab.metrics.features import features_of
from ganlab.objectives import NON_SATURATING, RELATIVISTIC, Objective, least_squares
from ganlab.training import LSGANGP, R1, R1R2, R2, SGD, WGANGP, Adam, RMSProp, TrainConfig, Trainer

pytestmark = pytest.mark.gpu

PENALTIES = {
    "none": None,
    "R1": R1(1.0),
    "R2": R2(1.0),
    "R1R2": R1R2(0.5),
    "WGANGP": WGANGP(10.0),
    "LSGANGP": LSGANGP(1.0),
}
OBJECTIVES = {"NS-GAN": NON_SATURATING, "LSGAN": least_squares(0, 1, 1), "RpGAN": RELATIVISTIC}
IMAGES = torch.randint(256, (256, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def _no_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions of 24 bits, as on the processor: a GPU otherwise has 11 for their factors."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def convolutional(device: str, objective: Objective = NON_SATURATING, **options: Any) -> Trainer:
    torch.manual_seed(0)
    G = models.LSGANGenerator(28, 1, width=8, z_dim=100)
    D = models.LSGANDiscriminator(28, 1, width=8, norm=options.get("penalty") is None)
    return Trainer(G, D, objective, IMAGES, TrainConfig(**{"steps": 6, "batch": 32, "device": device, **options}))


def perceptrons(device: str, objective: Objective = NON_SATURATING, **options: Any) -> Trainer:
    torch.manual_seed(0)
    G, D = models.MLPGenerator(), models.MLPDiscriminator()
    return Trainer(G, D, objective, IMAGES, TrainConfig(**{"steps": 6, "batch": 32, "device": device, **options}))


def gradients(network: nn.Module) -> dict[str, Tensor]:
    found = {name: weight.grad for name, weight in network.named_parameters()}
    return {name: grad.detach().cpu().double() for name, grad in found.items() if grad is not None}


@pytest.mark.parametrize("make", [convolutional, perceptrons])
@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
@pytest.mark.parametrize("penalty", [None, R1R2(0.5)], ids=["no penalty", "R1R2"])
def test_a_step_has_the_gradients_of_the_processor(make: Any, objective: Objective, penalty: Any):
    """Within 1e-3 of the largest entry: thousands of float32 products are added in another order, through two nets."""
    here, there = (make(device, objective, penalty=penalty) for device in ("cpu", "cuda"))
    x, z = here.real_batch(0), here.noise("z for D, 0")
    found = []
    for trainer in (here, there):
        x_, z_ = x.to(trainer.device), z.to(trainer.device)
        trainer.discriminator_gradient(x_, z_)
        of_d = gradients(trainer.D)
        trainer.generator_gradient(z_, x_)
        found.append(of_d | {f"G {name}": grad for name, grad in gradients(trainer.G).items()})
    assert found[0].keys() == found[1].keys()
    for name, grad in found[0].items():
        most = float(grad.abs().max())
        torch.testing.assert_close(
            found[1][name], grad, rtol=0, atol=1e-3 * most + 1e-9, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES.keys())
@pytest.mark.parametrize("update", ["alternating", "simultaneous", "one per minibatch", "shared samples"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_no_step_waits_for_the_gpu(penalty: Any, update: Any, precision: Any):
    """torch raises at whatever would wait; only every so many steps are losses read, to see whether they are finite."""
    trainer = convolutional("cuda", penalty=penalty, update=update, precision=precision, ema=0.9, instance_noise=0.1)
    steps = trainer.run()
    next(steps)
    try:
        torch.cuda.set_sync_debug_mode("error")
        for _ in range(4):
            next(steps)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    next(steps)
    assert trainer.history.isfinite().all()


@pytest.mark.parametrize("optimizer", [Adam(), SGD(), RMSProp()])
def test_a_run_goes_on_where_it_was_cut(optimizer: Any, tmp_path: Path):
    """On a GPU, too, randomness is a function of the step; without convolutions the order of additions stays."""
    both = {"optimizer_d": optimizer, "optimizer_g": optimizer}
    whole, cut = perceptrons("cuda", ema=0.9, **both), perceptrons("cuda", ema=0.9, **both)
    run(whole)
    steps = cut.run()
    for _ in range(3):
        next(steps)
    cut.save(tmp_path / "half.ckpt")
    again = perceptrons("cuda", ema=0.9, **both)
    again.resume(tmp_path / "half.ckpt")
    run(again)
    assert torch.equal(whole.history, again.history)
    torch.testing.assert_close(again.sample(4), whole.sample(4), rtol=0, atol=0)


def test_a_run_moves_between_gpu_and_processor(tmp_path: Path):
    trained = run(perceptrons("cuda", steps=3))
    trained.save(tmp_path / "three.ckpt")
    here = perceptrons("cpu", steps=3)
    here.resume(tmp_path / "three.ckpt")
    torch.testing.assert_close(here.sample(8), trained.sample(8), rtol=0, atol=1e-4)
    back = perceptrons("cuda", steps=3)
    here.save(tmp_path / "again.ckpt")
    back.resume(tmp_path / "again.ckpt")
    assert all(weight.is_cuda for weight in back.G.parameters())
    torch.testing.assert_close(back.sample(8), trained.sample(8), rtol=0, atol=0)


@pytest.mark.parametrize("make", [convolutional, perceptrons])
@pytest.mark.slow
def test_cuda_graphs_train_alike(make: Any):
    """About 60 s each: torch.compile builds both networks, forwards and backwards, and records them."""
    plain, replayed = make("cuda"), make("cuda", compile=True)
    run(plain)
    run(replayed)
    torch.testing.assert_close(replayed.history, plain.history, rtol=0, atol=5e-3)
    torch.testing.assert_close(replayed.sample(4), plain.sample(4), rtol=0, atol=0.05)


def test_labels_and_ensembles_train():
    assert run(labelled(device="cuda")).history.isfinite().all()
    members = toy_ensemble(device="cuda")
    for record in members.run():
        assert record.step
    assert members.history.isfinite().all()


def test_what_measures_takes_networks_from_the_gpu():
    trainer = run(convolutional("cuda"))
    samples = training.sample(trainer.G, 40)
    assert samples.device.type == "cpu"
    assert training.sample(copy.deepcopy(trainer.G).cpu(), 40).sub(samples).abs().max() < 1e-3
    judge = models.trained("mnist")
    seen = features_of(samples, judge, "samples", value_range=(-1, 1))
    away = features_of(samples, judge.cuda(), "samples", value_range=(-1, 1))
    torch.testing.assert_close(away.values.cpu(), seen.values, rtol=0, atol=1e-3 * float(seen.values.abs().max()))


@pytest.mark.parametrize(
    "options", [{"precision": "bfloat16"}, {"k": 2}, {"label_smoothing": 0.1}, {"decay_from": 0.5}]
)
def test_options_train(options: dict[str, Any]):
    assert run(tiny_trainer(device="cuda", **options)).history.isfinite().all()
