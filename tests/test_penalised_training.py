"""Training with penalties and on pairs: against the solved Dirac-GAN, steps written out, and single runs."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
import torch
from test_ensemble import pair
from tiny import TinyD, TinyG, assert_equal, examples, run, tiny_trainer
from torch import Tensor, nn

from ganlab import data, models
from ganlab.errors import CheckpointError, ConfigError
from ganlab.objectives import MINIMAX, NON_SATURATING, RELATIVISTIC, RELATIVISTIC_MINIMAX, least_squares
from ganlab.theory import dirac
from ganlab.training import LSGANGP, R1, R1R2, R2, SGD, WGANGP, Ensemble, TrainConfig, Trainer, checkpoint

PENALTIES = [R1(0.5), R2(0.5), R1R2(0.5, final=0.1), WGANGP(0.5), LSGANGP(0.1, c=0.5)]
FIELDS = {
    MINIMAX: dirac.GAN,
    NON_SATURATING: dirac.NON_SATURATING,
    RELATIVISTIC: dirac.RELATIVISTIC,
    RELATIVISTIC_MINIMAX: dirac.RELATIVISTIC_MINIMAX,
}


class Point(nn.Module):
    """The generator of the Dirac-GAN: one point θ, whatever z is."""

    z_dim = 1

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(1.0))

    def forward(self, z: Tensor) -> Tensor:
        return self.theta + 0 * z


def walk(objective, penalty, steps: int = 40, **options) -> np.ndarray:
    """The path of (θ, ψ) as `Trainer` trains the Dirac-GAN from (1, −1) with plain gradient steps of 0.2."""
    G, D = Point(), nn.Linear(1, 1, bias=False)
    nn.init.constant_(D.weight, -1.0)
    sgd = SGD(0.2, momentum=0.0)
    config = TrainConfig(
        steps=steps, batch=4, device="cpu", optimizer_d=sgd, optimizer_g=sgd, penalty=penalty, **options
    )
    path = [(1.0, -1.0)]
    for _ in Trainer(G, D, objective, torch.zeros(8, 1), config).run():
        path.append((G.theta.item(), D.weight.item()))
    return np.array(path)


@pytest.mark.parametrize("gamma", [0.3, 1.0, 3.0], ids=lambda g: f"γ={g}")  # below, at and above 2|f′(0)| = 1
@pytest.mark.parametrize("kind", [R1, R2])
@pytest.mark.parametrize("objective", FIELDS, ids=lambda objective: objective.name)
def test_the_dirac_gan_with_a_penalty_follows_its_map(objective, kind, gamma):
    assert dirac.CRITICAL_WEIGHT.subs(dirac.slope, sp.Rational(1, 2)) == 1
    field = dirac.with_gradient_penalty(FIELDS[objective], sp.Float(gamma))
    simultaneous = dirac.simulate(field, step=0.2, steps=40)
    np.testing.assert_allclose(walk(objective, kind(gamma), update="simultaneous"), simultaneous, atol=1e-6, rtol=0)
    for k in (1, 3):
        in_turns = dirac.simulate(field, step=0.2, steps=40, alternating=True, n_d=k, first="D")
        np.testing.assert_allclose(walk(objective, kind(gamma), k=k), in_turns, atol=1e-6, rtol=0)


def test_r1_and_r2_together_weigh_twice():
    field = dirac.with_gradient_penalty(dirac.GAN, sp.Float(0.6))
    path = dirac.simulate(field, step=0.2, steps=40, alternating=True, first="D")
    np.testing.assert_allclose(walk(MINIMAX, R1R2(0.3)), path, atol=1e-6, rtol=0)


@pytest.mark.parametrize("objective", [NON_SATURATING, RELATIVISTIC], ids=lambda objective: objective.name)
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_a_member_of_an_ensemble_pays_what_it_pays_alone(objective, penalty):
    config = TrainConfig(steps=30, batch=16, k=2, instance_noise=0.2, penalty=penalty, device="cpu")
    ensemble = Ensemble(pair, objective, data.ring(), config, seeds=(3, 5))
    single = _alone(5, objective, config)
    run(ensemble)
    torch.testing.assert_close(ensemble.history[..., 1], run(single).history, atol=1e-5, rtol=0)
    for one, two in zip(ensemble.member(1), (single.G, single.D), strict=True):
        for ours, other in zip(one.parameters(), two.parameters(), strict=True):
            torch.testing.assert_close(ours, other, atol=1e-5, rtol=0)


def _alone(seed: int, objective, config: TrainConfig) -> Trainer:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        G, D = pair()
    return Trainer(G, D, objective, data.ring(), replace(config, seed=seed))


@pytest.mark.parametrize("objective", [NON_SATURATING, RELATIVISTIC], ids=lambda objective: objective.name)
@pytest.mark.parametrize("options", [{}, {"k": 2}, {"update": "simultaneous"}, {"instance_noise": 0.3}], ids=str)
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_a_resumed_run_with_a_penalty_is_the_whole_run(penalty, options, objective, tmp_path):
    options = {"penalty": penalty, "ema": 0.9, **options}
    first = run(tiny_trainer(objective, **options), steps=7)
    first.save(tmp_path / "run.ckpt")
    second = tiny_trainer(objective, **options)
    assert second.resume(tmp_path / "run.ckpt")
    assert_equal(run(second).state_dict(), run(tiny_trainer(objective, **options)).state_dict())


def test_a_falling_weight_is_a_schedule(tmp_path):
    run(tiny_trainer(penalty=R1(1.0, final=0.1)), steps=5).save(tmp_path / "run.ckpt")
    with pytest.raises(CheckpointError, match="steps: 20 then, 40 now"):
        tiny_trainer(penalty=R1(1.0, final=0.1), steps=40).resume(tmp_path / "run.ckpt")
    run(tiny_trainer(penalty=R1(1.0)), steps=5).save(tmp_path / "other.ckpt")
    assert tiny_trainer(penalty=R1(1.0), steps=40).resume(tmp_path / "other.ckpt")


def test_checkpoints_from_before_there_were_penalties_go_on_without_one(tmp_path):
    trainer = run(tiny_trainer(), steps=5)
    assert "penalty" not in trainer.description
    trainer.save(tmp_path / "run.ckpt")
    with pytest.raises(CheckpointError, match=r"penalty: absent then, .*'R1'"):
        tiny_trainer(penalty=R1(1.0)).resume(tmp_path / "run.ckpt")


def test_one_step_on_pairs_is_the_step_written_out():
    """D: −mean log σ(t(xᵢ) − t(G(zᵢ))) on one real batch, then G: −mean log σ(t(G(zᵢ)) − t(xᵢ)) on another."""
    rate = SGD(0.1, momentum=0.0)
    trainer = tiny_trainer(RELATIVISTIC, dropout=0.0, optimizer_d=rate, optimizer_g=rate)
    torch.manual_seed(1)
    G, D = TinyG(), TinyD(0.0)
    x, x_of_G = trainer.real_batch(0), trainer.real_batch(1)
    z, z_of_G = trainer.noise("z for D, 0"), trainer.noise("z for G")
    loss_d = nn.functional.softplus(D(G(z).detach()) - D(x)).mean()
    _descend(D, loss_d, 0.1)
    loss_g = nn.functional.softplus(D(x_of_G).detach() - D(G(z_of_G))).mean()
    _descend(G, loss_g, 0.1)
    record = next(trainer.run())
    assert record.discriminator_loss == pytest.approx(loss_d.item(), abs=1e-6)
    assert record.generator_loss == pytest.approx(loss_g.item(), abs=1e-6)
    for ours, other in ((trainer.G, G), (trainer.D, D)):
        for one, two in zip(ours.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(one, two, atol=1e-6, rtol=0)


def _descend(net: nn.Module, loss: Tensor, rate: float) -> None:
    with torch.no_grad():
        weights = list(net.parameters())
        for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight -= rate * slope


def test_lambda_150_beside_sums_over_64_is_150_over_64_beside_means(monkeypatch: pytest.MonkeyPatch):
    """One step of D: the released code's loss, ½Σ(D(x) − 1)² + ½ΣD(G(z))² + 150·penalty, at a 64th of the rate."""

    def trainer_with(penalty: LSGANGP) -> Trainer:
        rate = SGD(0.1, momentum=0.0)
        options = {"optimizer_d": rate, "optimizer_g": rate, "penalty": penalty}
        config = TrainConfig(steps=1, batch=64, device="cpu", **options)
        torch.manual_seed(1)
        trainer = Trainer(TinyG(), TinyD(0.0), least_squares(0, 1, 1), examples(80), config)
        monkeypatch.setattr(trainer, "_uniform", lambda like: torch.full_like(like, 0.5))
        return trainer

    trainer = trainer_with(LSGANGP(c=2.0))
    D, x = copy.deepcopy(trainer.D), trainer.real_batch(0)
    fake = copy.deepcopy(trainer.G)(trainer.noise("z for D, 0")).detach()
    around = (x + 0.5 * 2.0 * 0.5).requires_grad_()
    (slope,) = torch.autograd.grad(D(around).sum(), around, create_graph=True)
    sums = (D(x) - 1).square().sum() / 2 + D(fake).square().sum() / 2
    _descend(D, sums + 150 * (slope.norm(dim=1) - 1).square().mean(), 0.1 / 64)
    next(trainer.run())
    literal = trainer_with(LSGANGP(150.0, c=2.0))  # the code's number beside the paper's means
    next(literal.run())
    for ours, theirs in zip(trainer.D.parameters(), D.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)
    apart = [(one - two).abs().max() for one, two in zip(literal.D.parameters(), D.parameters(), strict=True)]
    assert max(apart) > 0.01


def test_on_pairs_no_real_batch_serves_twice_in_an_epoch():
    trainer = tiny_trainer(RELATIVISTIC, k=2, steps=2)  # 50 examples, batches of 8: 6 of them make an epoch
    seen: list[int] = []
    draw = trainer.real_batch
    trainer.real_batch = lambda number: (seen.append(number), draw(number))[1]
    run(trainer)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_the_step_of_g_on_pairs_wants_a_real_batch():
    trainer = tiny_trainer(RELATIVISTIC)
    with pytest.raises(ConfigError, match=r"on pairs: give generator_step\(z, x\)"):
        trainer.generator_step(trainer.noise("any"))


def test_a_penalty_is_in_the_gradient_and_not_in_the_history():
    torch.manual_seed(0)
    numbers = []
    for penalty in (None, R1(100.0)):
        trainer = tiny_trainer(dropout=0.0, penalty=penalty, optimizer_d=SGD(0.1, momentum=0.0))
        numbers.append((next(trainer.run()), [weight.clone() for weight in trainer.D.parameters()]))
    (plain, weights), (paid, moved) = numbers
    assert paid.discriminator_loss == plain.discriminator_loss
    assert not torch.allclose(weights[0], moved[0])


def test_under_bfloat16_the_penalty_is_computed_in_float32():
    x, fake = examples(16), examples(16).flip(0).bfloat16()
    both = [tiny_trainer(dropout=0.0, precision=p, penalty=R1R2(1.0)) for p in ("float32", "bfloat16")]
    slopes = []
    for trainer in both:
        with trainer._precision():
            paid = trainer._with_penalty(torch.zeros(()), x, fake)
        assert paid.dtype is torch.float32
        slopes.append(torch.autograd.grad(paid, trainer.D.get_parameter("net.0.weight"))[0])
    torch.testing.assert_close(*slopes, atol=1e-7, rtol=1e-6)
    assert run(both[1]).history.isfinite().all()


@pytest.mark.slow
@pytest.mark.filterwarnings("default:::torch")  # the compiler's own
@pytest.mark.usefixtures("without_cpp")
def test_compiled_networks_pay_the_same_penalty():
    """About 5 s, most of it for the import of the compiler."""
    plain, compiled = (run(tiny_trainer(dropout=0.0, penalty=R1(0.5), compile=c)) for c in (False, True))
    for one, two in zip(plain.D.parameters(), compiled.D.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-4, rtol=0)


def test_images_pay_too():
    G = models.MLPGenerator(z_dim=8, side=8, hidden=(16,))
    trainer = Trainer(
        G,
        models.MLPDiscriminator(side=8, hidden=(16,)),
        RELATIVISTIC,
        data.load("digits"),
        TrainConfig(steps=3, batch=16, penalty=R1R2(1.0, final=0.1), device="cpu"),
    )
    assert run(trainer).history.isfinite().all()


@pytest.mark.parametrize(("kind", "on_real"), [(R1, True), (R2, False)])
def test_a_later_step_pays_the_weight_of_its_time_on_its_own_batch(kind, on_real):
    """Step 8 of 20: γ has fallen from 2 to 0.5 by (1 − cos(7π/20))/2 of the way."""
    rate = SGD(0.1, momentum=0.0)
    trainer = run(tiny_trainer(dropout=0.0, penalty=kind(2.0, final=0.5), optimizer_d=rate, optimizer_g=rate), steps=7)
    D, x = copy.deepcopy(trainer.D), trainer.real_batch(7)
    with torch.no_grad():
        fake = trainer.G(trainer.noise("z for D, 0"))
    loss = nn.functional.softplus(-D(x)).mean() + nn.functional.softplus(D(fake)).mean()
    where = (x if on_real else fake).clone().requires_grad_()
    (slope,) = torch.autograd.grad(D(where).sum(), where, create_graph=True)
    gamma = 2.0 - 1.5 * (1 - math.cos(math.pi * 7 / 20)) / 2
    _descend(D, loss + gamma / 2 * slope.square().sum(dim=1).mean(), 0.1)
    run(trainer, steps=8)
    for one, two in zip(trainer.D.parameters(), D.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=1e-6, rtol=0)


def test_what_is_no_penalty_is_refused():
    with pytest.raises(ConfigError, match=r"penalty is 0\.1; give one that is made, such as training\.R1\(0\.1\)"):
        TrainConfig(penalty=0.1)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match=r"such as training\.R1"):
        TrainConfig(penalty=R1)  # pyright: ignore[reportArgumentType]


def test_checkpoints_hold_the_penalty_as_plain_values(tmp_path):
    run(tiny_trainer(penalty=WGANGP(2.0)), steps=3).save(tmp_path / "run.ckpt")
    assert checkpoint.read(tmp_path / "run.ckpt")["run"]["penalty"] == {"kind": "WGANGP", "lambda_": 2.0}
