"""What is random in a run is decided by (seed, rank, step, stream) alone, on every kind of device."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from tiny import examples, run, tiny_trainer
from torch import Tensor

from ganlab.training.randomness import derived_seed, forked, generator

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("key", "seed"),
    [
        ((0, 0, 0, "z for G"), 7345113359049165063),
        ((0, 0, 0, "model"), 1133652586245721400),
        ((1, 2, 3, "order"), 6271162609829682696),
        ((-1, 0, 10**6, "z for D, 0"), 1647605635661330511),
    ],
)
def test_a_seed_means_what_it_meant_when_records_were_written(key: tuple[int, int, int, str], seed: int):
    assert derived_seed(*key) == seed < 2**63
    drawn = torch.randn(5, generator=generator(CPU, *key))
    assert torch.equal(drawn, torch.randn(5, generator=torch.Generator().manual_seed(seed)))


def test_what_is_drawn_within_leaves_torchs_own_numbers_as_they_were():
    torch.manual_seed(8)
    before = torch.get_rng_state()
    with forked(CPU):
        assert torch.equal(torch.get_rng_state(), before)  # without a seed it starts from them
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    with forked(CPU, seed=5):
        seeded = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(seeded, torch.rand(3, generator=torch.Generator().manual_seed(5)))
    with pytest.raises(ZeroDivisionError), forked(CPU, seed=6):
        _ = torch.rand(3), 1 / 0
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", ["cpu", "cuda", "mps"])
def test_a_device_is_forked_and_seeded_with_the_processor_and_no_other_is(kind: str, monkeypatch: pytest.MonkeyPatch):
    told: list[Any] = []

    @contextlib.contextmanager
    def fork_rng(devices: list[torch.device]) -> Iterator[None]:
        told.append(("fork", *map(str, devices)))
        yield
        told.append("join")

    monkeypatch.setattr(torch.random, "fork_rng", fork_rng)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: told.append(("cuda", seed)))
    monkeypatch.setattr(torch.mps, "manual_seed", lambda seed: told.append(("mps", seed)))
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: "state of mps")
    monkeypatch.setattr(torch.mps, "set_rng_state", told.append)
    before = torch.get_rng_state()
    with forked(torch.device(kind), seed=7):
        assert torch.equal(torch.get_rng_state(), torch.Generator().manual_seed(7).get_state())
    torch.set_rng_state(before)
    assert told == {
        "cpu": [("fork",), "join"],
        "cuda": [("fork", "cuda"), ("cuda", 7), "join"],
        "mps": [("fork",), ("mps", 7), "join", "state of mps"],
    }[kind]  # fmt: skip
    told.clear()
    with forked(torch.device(kind)):
        pass
    assert not {("cuda", 7), ("mps", 7)} & set(told)


def test_every_example_comes_once_an_epoch_in_a_new_order():
    trainer = tiny_trainer(batch=10)
    epochs = [torch.cat([trainer.real_batch(5 * epoch + i) for i in range(5)]) for epoch in range(3)]
    rows = [sorted(map(tuple, epoch.tolist())) for epoch in epochs]
    assert rows[0] == rows[1] == rows[2] == sorted(map(tuple, examples().tolist()))
    assert not torch.equal(epochs[0], epochs[1])


def test_batches_and_noise_depend_on_seed_rank_and_step_alone():
    first, again, other_seed, other_rank = (
        tiny_trainer(),
        tiny_trainer(),
        tiny_trainer(seed=1),
        tiny_trainer(rank=1),
    )
    first.real_batch(17)
    for other, equal in ((again, True), (other_seed, False), (other_rank, False)):
        assert torch.equal(first.real_batch(3), other.real_batch(3)) == equal
        assert torch.equal(first.noise("z for G"), other.noise("z for G")) == equal
    again.step = 1
    assert not torch.equal(first.noise("z for G"), again.noise("z for G"))
    assert not torch.equal(first.noise("z for G"), first.noise("z for D, 0"))


def test_derived_seeds_do_not_collide():
    keys = [
        (seed, rank, step, stream) for seed in range(5) for rank in range(3) for step in range(50) for stream in "ab"
    ]
    assert len({derived_seed(*key) for key in keys}) == len(keys)


def test_training_leaves_the_callers_randomness_alone():
    torch.manual_seed(5)
    expected = torch.randn(3)
    trainer = tiny_trainer()
    torch.manual_seed(5)
    run(trainer)
    assert torch.equal(torch.randn(3), expected)


def test_the_numbers_of_an_apple_gpu_are_put_back_too(monkeypatch: pytest.MonkeyPatch):
    state = torch.tensor([1, 2])
    put_back: list[Tensor] = []
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: state)
    monkeypatch.setattr(torch.mps, "set_rng_state", put_back.append)
    with forked(torch.device("mps"), seed=3):
        assert put_back == []
    assert put_back[0] is state
