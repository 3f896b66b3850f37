"""A run step by step, with everything switched on, against the same written out; and what looks and lengths change."""

import copy
import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from tiny import TinyD, TinyG, assert_equal, examples, run, tiny_trainer
from torch import Tensor, nn

from ganlab import data, models, training
from ganlab.errors import CheckpointError, NonFiniteLoss
from ganlab.objectives import NON_SATURATING
from ganlab.training import SGD, Adam, Ensemble, TrainConfig, Trainer
from ganlab.training.randomness import derived_seed

STEPS = 20
EVERYTHING = {
    "steps": STEPS,
    "instance_noise": 0.8,
    "decay_from": 0.6,
    "label_smoothing": 0.1,
    "noise": "uniform",
    "optimizer_d": Adam(lr=1e-3, beta1=0.4, beta2=0.9),
    "optimizer_g": SGD(lr=0.05, momentum=0.3, decay=1.05, lr_floor=0.03, final_momentum=0.6, epoch=4, ramp_epochs=3),
}


def sigma_at(step: int) -> float:
    """From 0.8 down to 0 at half of the 20 steps."""
    return 0.8 - 0.08 * step if step < 10 else 0.0


def rate_at(step: int) -> float:
    """Full for 0.6 of the 20 steps; then down to 0 at the step that would come after the last."""
    return 1.0 if step < 12 else (20 - step) / 8


def sgd_rate_at(step: int) -> float:
    return max(0.05 * (1 / 1.05) ** step, 0.03) * rate_at(step)


def momentum_at(step: int) -> float:
    """Epochs of four steps: 0.3 in the first, 0.6 from the third on."""
    return 0.3 if step < 4 else 0.45 if step < 8 else 0.6


class WrittenOut:
    """The tutorial's loop with labels on copies of a trainer's networks; dropout and noise in the order of the code."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.G, self.D = copy.deepcopy(trainer.G).train(), copy.deepcopy(trainer.D).train()
        self.adam = torch.optim.Adam(self.D.parameters(), betas=(0.4, 0.9))
        self.velocity = [torch.zeros_like(p) for p in self.G.parameters()]

    def seen(self, samples: Tensor) -> Tensor:
        sigma = sigma_at(self.trainer.step)
        return self.D(samples + sigma * torch.randn(samples.shape) if sigma else samples)

    def set_d(self, real: Tensor, fake: Tensor) -> Tensor:
        loss = F.binary_cross_entropy_with_logits(real, torch.full_like(real, 0.9))
        loss = loss + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
        self.d_gradients = torch.autograd.grad(loss, list(self.D.parameters()), retain_graph=True)
        return loss

    def move_d(self) -> None:
        for parameter, gradient in zip(self.D.parameters(), self.d_gradients, strict=True):
            parameter.grad = gradient
        self.adam.param_groups[0]["lr"] = 1e-3 * rate_at(self.trainer.step)
        self.adam.step()

    def move_g(self, fake: Tensor, then: Callable[[], None] = lambda: None) -> Tensor:
        loss = F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))
        gradients = torch.autograd.grad(loss, list(self.G.parameters()))
        then()
        step = self.trainer.step
        with torch.no_grad():
            for parameter, velocity, gradient in zip(self.G.parameters(), self.velocity, gradients, strict=True):
                velocity.mul_(momentum_at(step)).add_(gradient)
                parameter.sub_(sgd_rate_at(step) * velocity)
        return loss

    def alternating(self, k: int) -> list[Tensor]:
        trainer = self.trainer
        of_d: list[Tensor] = []
        for i in range(k):
            x, z = trainer.real_batch(k * trainer.step + i), trainer.noise(f"z for D, {i}")
            fake = self.G(z).detach()
            real, fake = self.seen(x), self.seen(fake)
            of_d = [self.set_d(real, fake), real.sigmoid().mean(), fake.sigmoid().mean()]
            self.move_d()
        loss_g = self.move_g(self.seen(self.G(trainer.noise("z for G"))))
        return [of_d[0], loss_g, *of_d[1:]]

    def simultaneous(self) -> list[Tensor]:
        x, z = self.trainer.real_batch(self.trainer.step), self.trainer.noise("z for D, 0")
        fake = self.G(z)
        real, fake = self.seen(x), self.seen(fake)
        loss_d = self.set_d(real, fake)
        loss_g = self.move_g(fake, then=self.move_d)
        return [loss_d, loss_g, real.sigmoid().mean(), fake.sigmoid().mean()]

    def run(self, k: int, update: str) -> Tensor:
        rows = []
        for self.trainer.step in range(STEPS):
            with torch.random.fork_rng():
                torch.manual_seed(derived_seed(0, 0, self.trainer.step, "model"))
                row = self.simultaneous() if update == "simultaneous" else self.alternating(k)
            rows.append(torch.stack(row).detach())
        self.trainer.step = 0
        return torch.stack(rows)


@pytest.mark.parametrize(("update", "k"), [("alternating", 1), ("alternating", 2), ("simultaneous", 1)])
def test_a_run_with_everything_switched_on_equals_a_loop_written_out(update: str, k: int):
    trainer = tiny_trainer(**EVERYTHING, update=update, k=k)
    by_hand = WrittenOut(trainer)
    history = by_hand.run(k, update)
    run(trainer)
    torch.testing.assert_close(trainer.history, history, atol=1e-5, rtol=1e-5)
    for ours, theirs in ((trainer.G, by_hand.G), (trainer.D, by_hand.D)):
        state = theirs.state_dict()
        for name, tensor in ours.state_dict().items():
            torch.testing.assert_close(tensor, state[name], atol=1e-5, rtol=1e-5, msg=lambda why, n=name: f"{n}: {why}")


@pytest.mark.parametrize("update", ["alternating", "simultaneous"])
def test_a_record_is_a_row_of_the_history_and_keeps_no_graph(update: str):
    trainer = tiny_trainer(update=update)
    records = list(trainer.run())
    assert not trainer.history.requires_grad
    assert [record.step for record in records] == list(range(1, 21))
    for record, row in zip(records, trainer.history.tolist(), strict=True):
        values = [record.discriminator_loss, record.generator_loss, record.D_real, record.D_fake]
        assert [type(value) for value in values] == [float] * 4
        assert values == row


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_networks_learn_in_training_mode_and_are_sampled_in_evaluation_mode(ema: float):
    torch.manual_seed(1)
    G, D = TinyG().eval(), TinyD().eval()
    seen: list[tuple[str, bool]] = []
    G.register_forward_pre_hook(lambda module, _inputs: seen.append(("G", module.training)))
    D.register_forward_pre_hook(lambda module, _inputs: seen.append(("D", module.training)))
    trainer = Trainer(G, D, NON_SATURATING, examples(), TrainConfig(steps=3, batch=8, ema=ema, device="cpu"))
    seen.clear()  # of the first look at both networks
    for _ in trainer.run():
        assert seen == [("G", True), ("D", True), ("D", True), ("G", True), ("D", True)]
        seen.clear()
        trainer.sample(300)  # two batches
        assert seen == [("G", False), ("G", False)]
        seen.clear()
        assert G.training
    G.eval()
    training.sample(G, 2)
    assert not G.training


@pytest.mark.parametrize("options", [{}, {"ema": 0.9, "instance_noise": 0.5}], ids=str)
def test_looking_at_samples_leaves_the_training_as_it_was(options: dict):
    looked_at = tiny_trainer(**options)
    for _ in looked_at.run():
        before = torch.get_rng_state()
        looked_at.sample(3, seed=5)
        training.sample(looked_at.G, 3)
        assert torch.equal(torch.get_rng_state(), before)
    assert_equal(looked_at.state_dict(), run(tiny_trainer(**options)).state_dict())


def test_without_a_seed_samples_are_those_of_seed_0():
    trainer = tiny_trainer()
    assert torch.equal(trainer.sample(3), trainer.sample(3, seed=0))
    assert torch.equal(training.sample(trainer.G, 3), training.sample(trainer.G, 3, seed=0))
    assert torch.equal(training.sample(trainer.G, 3), trainer.sample(3))
    assert not torch.equal(trainer.sample(3), trainer.sample(3, seed=1))


def test_looking_at_an_ensemble_leaves_it_as_it_was():
    def pair() -> tuple[nn.Module, nn.Module]:
        return models.ToyGenerator(z_dim=3, width=8), models.ToyDiscriminator(width=8)

    config = TrainConfig(steps=10, batch=8, instance_noise=0.5, ema=0.9, device="cpu")
    looked_at, alone = (Ensemble(pair, NON_SATURATING, data.ring(), config, seeds=(0, 1)) for _ in range(2))
    for _ in looked_at.run():
        looked_at.sample(3)
    for _ in alone.run():
        pass
    assert_equal(looked_at.state_dict(), alone.state_dict())


@pytest.mark.parametrize("schedule", [{"instance_noise": 0.5}, {"decay_from": 0.9}], ids=str)
def test_a_run_with_a_schedule_cannot_go_on_at_another_length(tmp_path, schedule: dict):
    """What its first steps did would not be what a run of that length does."""
    run(tiny_trainer(**schedule), steps=5).save(tmp_path / "c")
    with pytest.raises(CheckpointError, match=r"\(steps: 20 then, 30 now\)"):
        tiny_trainer(**schedule, steps=30).resume(tmp_path / "c")
    again = tiny_trainer(**schedule)
    assert again.resume(tmp_path / "c")
    assert_equal(run(again).state_dict(), run(tiny_trainer(**schedule)).state_dict())


def test_rates_that_fall_from_the_start_and_never():
    falling, constant = TrainConfig(steps=4, decay_from=0), TrainConfig(steps=4)
    assert [falling.rate_at(step) for step in range(4)] == [1, 0.75, 0.5, 0.25]
    assert [constant.rate_at(step) for step in range(4)] == [1, 1, 1, 1]


def test_what_is_left_of_an_epoch_waits_for_the_next_ones_order():
    trainer = tiny_trainer(batch=8)  # 50 examples: six batches, and two left over
    batches = [trainer.real_batch(i) for i in range(12)]
    epochs = [{tuple(row) for row in torch.cat(part).tolist()} for part in (batches[:6], batches[6:])]
    known = set(map(tuple, examples().tolist()))
    assert [len(epoch) for epoch in epochs] == [48, 48]  # none twice
    assert epochs[0] < known
    assert epochs[1] < known
    assert epochs[0] != epochs[1]
    # Any batch can be computed on its own, in any order.
    assert all(torch.equal(tiny_trainer(batch=8).real_batch(i), batches[i]) for i in (11, 5, 6, 0))


@pytest.mark.parametrize("schedule", [{}, {"decay_from": 0.5}], ids=str)
def test_a_run_may_go_on_on_another_device(tmp_path, schedule: dict):
    run(tiny_trainer(**schedule), steps=5).save(tmp_path / "c")
    elsewhere = tiny_trainer(**schedule, device="auto")
    assert elsewhere.resume(tmp_path / "c")
    assert elsewhere.step == 5


def test_a_process_that_is_alone_is_the_first():
    config = TrainConfig(batch=8, device="cpu")
    alone = Trainer(TinyG(), TinyD(), NON_SATURATING, examples(), config)
    assert torch.equal(alone.real_batch(3), tiny_trainer(rank=0).real_batch(3))
    assert torch.equal(alone.noise("z for G"), tiny_trainer(rank=0).noise("z for G"))


class BreaksD(TinyD):
    """Gives NaN from a certain step on; there are three passes in each."""

    left = math.inf

    def break_at(self, step: int) -> None:
        self.left = 3 * (step - 1)

    def forward(self, x: Tensor) -> Tensor:
        self.left -= 1
        return super().forward(x) * (1.0 if self.left >= 0 else torch.nan)


@pytest.mark.filterwarnings("ignore:D's forward pass changes left, which no checkpoint holds")
@pytest.mark.parametrize(
    ("steps", "bad", "noticed"), [(1, 1, 1), (3, 3, 3), (60, 1, 50), (60, 50, 50), (60, 51, 60), (50, 50, 50)]
)
def test_losses_are_looked_at_after_every_fiftieth_step_and_after_the_last(steps: int, bad: int, noticed: int):
    config = TrainConfig(steps=steps, batch=8, device="cpu")
    D = BreaksD()
    trainer = Trainer(TinyG(), D, NON_SATURATING, examples(), config)
    D.break_at(bad)
    with pytest.raises(NonFiniteLoss, match=f"^at step {bad} D's loss is nan and G's nan; "):
        run(trainer)
    assert trainer.step == noticed
