"""What a checkpoint's bytes are, when they are on the disk, and what is said of a file that is not whole."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import TinyD, TinyG, assert_equal, examples, run, tiny_trainer

from ganlab import training
from ganlab.errors import CheckpointError
from ganlab.objectives import NON_SATURATING
from ganlab.training import checkpoint


def by_hand(state: dict[str, Any], start: bytes = b"ganlab-checkpoint 1 ") -> bytes:
    """A line `ganlab-checkpoint 1 <sha256> <bytes>`, then what torch saves."""
    content = io.BytesIO()
    torch.save(state, content)
    payload = content.getvalue()
    return start + f"{hashlib.sha256(payload).hexdigest()} {len(payload)}\n".encode() + payload


STATE = {"step": 3, "G": {"weight": torch.tensor([1.0, -2.0])}, "options": {"lr": 0.1, "kind": "SGD", "at": None}}


def test_a_checkpoint_is_a_line_and_what_torch_saves(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    place.write_bytes(by_hand(STATE))
    assert str(checkpoint.read(place)) == str(STATE)
    checkpoint.write(place, STATE)  # in its place: it is one of ours
    line, _, payload = place.read_bytes().partition(b"\n")
    assert line.decode() == f"ganlab-checkpoint 1 {hashlib.sha256(payload).hexdigest()} {len(payload)}"
    assert str(torch.load(io.BytesIO(payload), weights_only=True)) == str(STATE)
    assert (tmp_path / "run.ckpt.previous").read_bytes() == by_hand(STATE)


def test_all_of_it_is_on_the_disk_before_the_one_of_before_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = tmp_path / "deep" / "run.ckpt"
    checkpoint.write(place, {"step": 1})
    first = place.read_bytes()
    synced: list[tuple[int, bytes]] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append((os.fstat(file).st_size, place.read_bytes())))
    checkpoint.write(place, {"step": 2})
    assert synced == [(place.stat().st_size, first)]
    assert checkpoint.read(place) == {"step": 2}
    assert checkpoint.read(checkpoint.previous(place)) == {"step": 1}


def test_the_parts_of_a_run_have_names_that_last():
    """A file from before is read by these."""
    parts = {"run", "step", "history", "G", "D", "optimizer_g", "optimizer_d"}
    assert tiny_trainer().state_dict().keys() == parts
    averaged = run(tiny_trainer(ema=0.5), 2)
    state = averaged.state_dict()
    assert state.keys() == parts | {"ema"}
    for role, network in {"optimizer_g": averaged.G, "optimizer_d": averaged.D}.items():
        moments = [moment["exp_avg"].shape for moment in state[role]["state"].values()]
        assert moments == [parameter.shape for parameter in network.parameters()]


class Mixed(TinyG):
    """Its second setting is a tuple of functions, which print with their place in memory."""

    def __init__(self, slope: float, parts: tuple[Any, ...]) -> None:
        super().__init__()
        self.slope, self.parts = slope, parts


def test_where_a_function_lies_in_memory_tells_no_run_from_another():
    config = training.TrainConfig(steps=2, batch=8, device="cpu")
    networks = [Mixed(slope, (lambda x: x, lambda x: 2 * x)) for slope in (0.5, 0.5, 0.25)]
    assert len({str(G.parts) for G in networks}) == 3
    one, same, other = (training.Trainer(G, TinyD(), NON_SATURATING, examples(), config).description for G in networks)
    assert one == same != other


WHOLE = by_hand(STATE)
LENGTH = len(WHOLE.partition(b"\n")[2])
FOREIGN = "is no ganlab checkpoint; give one that ganlab wrote"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (WHOLE[:-7], f"it holds {LENGTH - 7} bytes where {LENGTH} were written"),
        (WHOLE + b"\0", f"it holds {LENGTH + 1} bytes where {LENGTH} were written"),
        (WHOLE[:-7] + b"\0" * 7, "its checksum is not the one that was written"),
        (by_hand(STATE, b"another-checkpoint 1 "), FOREIGN),
        (b"two words\nand a rest", FOREIGN),
        (WHOLE.partition(b"\n")[0], FOREIGN),  # cut before the line ends
        (WHOLE.replace(b" ", b"  ", 1), FOREIGN),
        (b"ganlab-checkpoint 1 \xff\xfe 3\nabc", "its checksum is not the one that was written"),
        (b"ganlab-checkpoint 1 0a1b\nno length", FOREIGN),
        (b"ganlab-checkpoint 1 0a1b 3 4\nabc", FOREIGN),
    ],
)
def test_each_damage_is_called_by_its_name(content: bytes, said: str, tmp_path: Path):
    (tmp_path / "run.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match=said):
        checkpoint.read(tmp_path / "run.ckpt")


def test_whole_bytes_of_another_kind_are_not_trusted(tmp_path: Path):
    payload = b"no archive of torch"
    line = f"ganlab-checkpoint 1 {hashlib.sha256(payload).hexdigest()} {len(payload)}\n".encode()
    (tmp_path / "run.ckpt").write_bytes(line + payload)
    with pytest.raises(CheckpointError, match="holds more than tensors and plain values; do not trust it"):
        checkpoint.read(tmp_path / "run.ckpt")


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ([1, {2: print}], r"state\['of'\]\[1\]\[2\] is a builtin_function_or_method"),
        ({"a": (0.5, {1, object})}, r"state\['of'\]\['a'\]\[1\]\[\d\] is a type"),
        ({frozenset(): 1}, r"a key of state\['of'\] is a frozenset"),
    ],
)
def test_what_could_not_be_read_again_is_named_by_its_place(value: object, named: str, tmp_path: Path):
    with pytest.raises(CheckpointError, match=named):
        checkpoint.write(tmp_path / "run.ckpt", {"of": value})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ({"a": 1}, {"a": 1}, ""),
        ({"a": 1, "c": 3}, {"a": 2, "b": 3}, "a: 1 then, 2 now; b: absent then, 3 now; c: 3 then, absent now"),
        (dict.fromkeys("abcd", 1), {}, "; ".join(f"{key}: 1 then, absent now" for key in "abcd")),
        (dict.fromkeys("edcba", 1), {}, "; ".join([*(f"{key}: 1 then, absent now" for key in "abcd"), "and 1 more"])),
        ({"G": "Own"}, {"G": "Own", "G.0": "Linear", "D.0": "Linear"}, ""),  # written before layers were told
        ({"G": "Own", "G.0": "Conv2d"}, {"G": "Own", "G.0": "Linear"}, "G.0: Conv2d then, Linear now"),
        ({"G.0": "ReLU"}, {"G.0": "ReLU", "D.0": "ReLU"}, "D.0: absent then, ReLU now"),
    ],
)
def test_the_difference_of_two_runs_is_said_in_order(then: dict[str, Any], now: dict[str, Any], said: str):
    assert checkpoint.differences(then, now) == said


def test_places_may_be_given_as_text(tmp_path: Path):
    place = str(tmp_path / "run.ckpt")
    trainer = run(tiny_trainer(), steps=2)
    trainer.save(place)
    resumed = tiny_trainer()
    assert resumed.resume(place)
    assert_equal(resumed.state_dict(), trainer.state_dict())
    weights = str(tmp_path / "g.safetensors")
    training.export_generator(trainer, weights, weights_only=True)
    G, info = training.load_generator(weights, into=TinyG())
    assert info.step == 2
    assert torch.equal(training.sample(G, 3), trainer.sample(3))
