"""Whose turn it is, and L2: each against a loop written out, update for update."""

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from labelled import labelled
from tiny import assert_equal, run, tiny_trainer
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganlab.errors import CheckpointError
from ganlab.objectives import NON_SATURATING, RELATIVISTIC, Objective
from ganlab.training import SGD, Adam, Trainer, checkpoint

L2 = 0.1
PAIRS = pytest.mark.parametrize("objective", [NON_SATURATING, RELATIVISTIC], ids=lambda objective: objective.name)


class AdamByHand:
    """Kingma & Ba 2015, Algorithm 1, on the gradient with `l2` times the weight added."""

    def __init__(self, network: nn.Module, lr: float, l2: float) -> None:
        self.weights, self.lr, self.l2, self.t = list(network.parameters()), lr, l2, 0
        self.moments = [(torch.zeros_like(w), torch.zeros_like(w)) for w in self.weights]

    @torch.no_grad()
    def descend(self, gradients: Sequence[Tensor]) -> None:
        self.t += 1
        for weight, gradient, (first, second) in zip(self.weights, gradients, self.moments, strict=True):
            slope = gradient + self.l2 * weight
            first.mul_(0.5).add_(0.5 * slope)
            second.mul_(0.999).add_(0.001 * slope**2)
            unbiased = first / (1 - 0.5**self.t), second / (1 - 0.999**self.t)
            weight.sub_(self.lr * unbiased[0] / (unbiased[1].sqrt() + 1e-8))


class SGDByHand:
    """Classical momentum, on the gradient with `l2` times the weight added."""

    def __init__(self, network: nn.Module, lr: float, l2: float) -> None:
        self.weights, self.lr, self.l2 = list(network.parameters()), lr, l2
        self.velocities = [torch.zeros_like(w) for w in self.weights]

    @torch.no_grad()
    def descend(self, gradients: Sequence[Tensor]) -> None:
        for weight, gradient, velocity in zip(self.weights, gradients, self.velocities, strict=True):
            velocity.mul_(0.5).add_(gradient + self.l2 * weight)
            weight.sub_(self.lr * velocity)


def one_per_minibatch(
    trainer: Trainer, by_hand: type[AdamByHand | SGDByHand], lr: float
) -> tuple[nn.Module, nn.Module]:
    """Minibatches 0, 1, … of the images: the first is G's, the next k are D's, and so on. No network sees another's."""
    G, D = copy.deepcopy(trainer.G), copy.deepcopy(trainer.D)
    of_g, of_d = by_hand(G, lr, L2), by_hand(D, lr, L2)
    k, pairs = trainer.config.k, trainer.objective is RELATIVISTIC
    for number in range(trainer.config.steps * (k + 1)):
        trainer.step, turn = divmod(number, k + 1)
        if turn == 0:
            fake = D(G(trainer.noise("z for G")))
            real = D(trainer.real_batch(number)).detach() if pairs else 0
            of_g.descend(torch.autograd.grad(softplus(real - fake).mean(), of_g.weights))
        else:
            real, fake = D(trainer.real_batch(number)), D(G(trainer.noise(f"z for D, {turn - 1}")).detach())
            loss = softplus(fake - real) if pairs else softplus(-real) + softplus(fake)
            of_d.descend(torch.autograd.grad(loss.mean(), of_d.weights))
    trainer.step = 0
    return G, D


@PAIRS
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize(
    ("optimizer", "by_hand"), [(Adam(1e-3, weight_decay=L2), AdamByHand), (SGD(1e-3, weight_decay=L2), SGDByHand)]
)
def test_each_minibatch_updates_one_network_G_first(objective: Objective, k: int, optimizer, by_hand):
    options = {"update": "one per minibatch", "optimizer_d": optimizer, "optimizer_g": optimizer, "steps": 30}
    trainer = tiny_trainer(objective, dropout=0.0, k=k, **options)
    networks = one_per_minibatch(trainer, by_hand, optimizer.lr)
    run(trainer)
    for ours, theirs in zip((trainer.G, trainer.D), networks, strict=True):
        for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, two, atol=2e-6, rtol=0)


@pytest.mark.parametrize("role", ["optimizer_d", "optimizer_g"])
def test_L2_belongs_to_one_player_and_reaches_every_weight(role: str):
    """After the first step of gradient descent that player's weights w lie lr·λ·w lower, the other's do not."""
    same: dict[str, Any] = {"optimizer_d": SGD(), "optimizer_g": SGD(), "update": "simultaneous", "steps": 1}
    changed = {**same, role: SGD(weight_decay=2.0)}
    start = tiny_trainer(**same)
    plain, decayed = run(tiny_trainer(**same)), run(tiny_trainer(**changed))
    for name in ("G", "D"):
        share = 0.1 * 2.0 * (role[-1] == name.lower())
        for w, one, two in zip(*(getattr(of, name).parameters() for of in (start, plain, decayed)), strict=True):
            torch.testing.assert_close(two, one - share * w, atol=1e-6, rtol=0)


def test_L2_alone_draws_weights_towards_zero():
    """Without a gradient of the loss: w ← (1 − lr·λ) w in each step of gradient descent."""
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = SGD(0.1, momentum=0.0, weight_decay=0.5).build([weight])
    weight.grad = torch.zeros(2)
    for _ in range(3):
        optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([1.0, -2.0]) * 0.95**3)


def test_generated_images_take_the_labels_of_their_own_minibatch(monkeypatch: pytest.MonkeyPatch):
    trainer = labelled(update="one per minibatch", k=2, steps=3)
    asked: list[tuple[int, str]] = []
    labels = trainer.labels
    monkeypatch.setattr(
        trainer, "labels", lambda number, stream: (asked.append((number, stream)), labels(number, stream))[1]
    )
    run(trainer)
    turns = ["y for G", "y for D, 0", "y for D, 1"]
    assert asked == [(number, turns[number % 3]) for number in range(9)]


@pytest.mark.parametrize(
    ("options", "pairs", "taken"),
    [
        ({}, False, 1),
        ({}, True, 2),
        ({"k": 3}, False, 3),
        ({"k": 3}, True, 4),
        ({"update": "simultaneous"}, True, 1),
        ({"update": "one per minibatch"}, False, 2),
        ({"update": "one per minibatch", "k": 3}, True, 4),
        ({"update": "shared samples", "k": 3}, True, 3),
    ],
)
def test_how_many_real_minibatches_a_step_takes(options: dict, pairs: bool, taken: int):
    trainer = tiny_trainer(RELATIVISTIC if pairs else NON_SATURATING, steps=4, **options)
    assert trainer.config.minibatches(pairs) == taken
    asked: set[int] = set()
    batch = trainer.source.batch
    trainer.source.batch = lambda number: (asked.add(number), batch(number))[1]  # pyright: ignore[reportAttributeAccessIssue]
    run(trainer)
    assert max(asked) == 4 * taken - 1


def test_checkpoints_from_before_there_was_L2_go_on_without_one(tmp_path):
    """Neither says a word of it, and torch's own part holds a 0."""
    place = tmp_path / "run.ckpt"
    run(tiny_trainer(), steps=5).save(place)
    state = checkpoint.read(place)
    assert "weight_decay" not in str(state["run"])
    assert state["optimizer_d"]["param_groups"][0]["weight_decay"] == 0
    resumed = tiny_trainer()
    assert resumed.resume(place)
    assert_equal(run(resumed).state_dict(), run(tiny_trainer()).state_dict())
    others: list[tuple[dict[str, Any], str]] = [
        ({"optimizer_g": Adam(weight_decay=1e-5)}, r"optimizer_g: .* then, .*'weight_decay': 1e-05.* now"),
        ({"update": "one per minibatch"}, "update: alternating then, one per minibatch now"),
    ]
    for options, said in others:
        with pytest.raises(CheckpointError, match=said):
            tiny_trainer(**options).resume(place)


def on_shared_samples(trainer: Trainer) -> tuple[nn.Module, nn.Module]:
    """k updates of D, each on new samples; then G against the new D on the samples of the last."""
    G, D = copy.deepcopy(trainer.G), copy.deepcopy(trainer.D)
    of_g, of_d = AdamByHand(G, 1e-3, L2), AdamByHand(D, 1e-3, L2)
    k, pairs = trainer.config.k, trainer.objective is RELATIVISTIC
    for number in range(trainer.config.steps * k):
        trainer.step, turn = divmod(number, k)
        x, samples = trainer.real_batch(number), G(trainer.noise(f"z for D, {turn}"))
        real, fake = D(x), D(samples.detach())
        loss = softplus(fake - real) if pairs else softplus(-real) + softplus(fake)
        of_d.descend(torch.autograd.grad(loss.mean(), of_d.weights))
        if turn == k - 1:
            real = D(x).detach() if pairs else 0
            of_g.descend(torch.autograd.grad(softplus(real - D(samples)).mean(), of_g.weights))
    trainer.step = 0
    return G, D


@PAIRS
@pytest.mark.parametrize("k", [1, 3])
def test_G_answers_the_new_D_on_the_samples_of_its_last_update(objective: Objective, k: int):
    # Without L2 the gradient of a bias that moves all logits alike is rounding on pairs, and Adam makes steps of it.
    adam: dict[str, Any] = dict.fromkeys(("optimizer_d", "optimizer_g"), Adam(1e-3, weight_decay=L2))
    trainer = tiny_trainer(objective, dropout=0.0, k=k, update="shared samples", steps=30, **adam)
    networks = on_shared_samples(trainer)
    passes: list[int] = []
    trainer.G.register_forward_hook(lambda *_: passes.append(1))
    run(trainer)
    assert len(passes) == 30 * k
    for ours, theirs in zip((trainer.G, trainer.D), networks, strict=True):
        for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, two, atol=2e-6, rtol=0)


def test_shared_samples_carry_the_labels_they_were_made_with():
    trainer = labelled(update="shared samples", fake_labels="uniform", steps=1)
    seen: list[Tensor] = []
    for network in (trainer.G, trainer.D):
        network.register_forward_pre_hook(lambda _, given: seen.append(given[1]))
    run(trainer)
    of_G, of_both, again = seen
    assert torch.equal(of_both[len(of_G) :], of_G)
    assert torch.equal(again, of_G)
