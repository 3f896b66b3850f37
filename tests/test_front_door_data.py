"""What may come as data: made to work where it is clear, refused in a line where it is not."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from own import DIGITS, image_trainer, refusal
from tiny import TinyD, TinyG, run
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

from ganlab import data
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer
from ganlab.training.sources import TensorSource


def test_images_may_come_as_a_set_or_an_array():
    expected = run(image_trainer()).history
    swapped = DIGITS.images.numpy()[:, ::-1]  # a view with a negative stride
    read_only = DIGITS.images.numpy().copy()
    read_only.setflags(write=False)
    for same in (DIGITS, DIGITS.images.numpy(), read_only, swapped[:, ::-1]):
        assert torch.equal(run(image_trainer(x=same)).history, expected)


def test_other_precisions_become_float32():
    x = DIGITS.images.float() / 127.5 - 1
    expected = run(image_trainer(x=x)).history
    for same in (x.double(), x.numpy().astype(np.float64), x.numpy().astype(">f4"), x.clone().requires_grad_()):
        assert torch.equal(run(image_trainer(x=same)).history, expected)
    for half in (x.half(), x.bfloat16(), x.numpy().astype(np.float16)):
        batch = image_trainer(x=half).real_batch(0)
        assert batch.dtype is torch.float32
        torch.testing.assert_close(batch, image_trainer(x=x).real_batch(0), atol=0.01, rtol=0)


class Pairs(Dataset):
    def __len__(self) -> int:
        return len(DIGITS)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return DIGITS.images[i], int(DIGITS.labels[i])


def test_other_kinds_of_data_are_named_and_the_advice_works():
    kinds: dict[str, object] = {
        "loader": DataLoader(TensorDataset(DIGITS.images), 16),
        "dataset": TensorDataset(DIGITS.images),
        "pairs": Pairs(),
        "data": (DIGITS.images, DIGITS.labels),
        "examples": list(DIGITS.images),
    }
    for name, given in kinds.items():
        line = refusal(lambda given=given: image_trainer(x=given))
        advice = line.removesuffix(".").rpartition(": ")[2]
        names = {"torch": torch, "dataset": given, name: given}
        if " = " in advice:
            exec(advice, names)
            images = names["images"]
        else:
            images = eval(advice, names)
        assert isinstance(images, Tensor)
        assert torch.equal(images, DIGITS.images)
    assert "load it first: data.load(name).images" in refusal(lambda: image_trainer(x="digits"))
    assert "data is None; give a tensor, or a law" in refusal(lambda: image_trainer(x=None))
    assert "data is the function load" in refusal(lambda: image_trainer(x=data.load))
    for other in (DIGITS.labels, DIGITS.images.long(), DIGITS.images.bool(), torch.zeros(64, 2, dtype=torch.complex64)):
        assert f"examples are {other.dtype}; give uint8" in refusal(lambda other=other: image_trainer(x=other))
    assert "one number" in refusal(lambda: image_trainer(x=torch.tensor(1.0)))
    assert "a sparse_coo tensor" in refusal(lambda: image_trainer(x=torch.eye(64).to_sparse()))
    assert "examples are <U1" in refusal(lambda: image_trainer(x=np.array(["a", "b"])))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_is_named_by_its_number(bad: float):
    x = DIGITS.images.float() / 127.5 - 1
    x[7, 0, 3, 3] = bad
    x[9] = bad
    assert "example 7 holds NaN or infinity, one of 2 among 64" in refusal(lambda: image_trainer(x=x))
    assert "example 7 holds" in refusal(lambda: image_trainer(x=x.double().numpy()))
    too_large = torch.full((64, 1, 8, 8), 1e300, dtype=torch.float64)
    assert "example 0 holds" in refusal(lambda: image_trainer(x=too_large))


class OwnLaw:
    """A law of one's own: points on a line, drawn in any way."""

    def __init__(self, draw: Callable[[int, torch.Generator], object]) -> None:
        self.draw = draw

    def sample(self, n: int, generator: torch.Generator) -> object:
        return self.draw(n, generator)


def test_a_law_is_tried_once():
    def on_law(draw: Callable[[int, torch.Generator], object]) -> Trainer:
        return Trainer(TinyG(), TinyD(), NON_SATURATING, OwnLaw(draw), TrainConfig(steps=2, batch=8, device="cpu"))

    in_float64 = run(on_law(lambda n, g: torch.randn(n, 2, generator=g, dtype=torch.float64)))
    assert in_float64.history.isfinite().all()
    for draw, named in (
        (lambda n, _: np.zeros((n, 2)), "draws a ndarray"),
        (lambda n, _: torch.zeros(n, 2, dtype=torch.int64), "draws torch.int64"),
        (lambda n, _: torch.zeros(n + 1, 2), r"draws [9, 2] for 8 examples"),
        (lambda n, _: torch.full((n, 2), torch.nan), "not finite"),
        (lambda *_: 1 / 0, "cannot draw 8 examples"),
    ):
        assert named in refusal(lambda draw=draw: on_law(draw))


def test_more_examples_than_a_device_has_room_for_are_refused(monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 34.71 GiB.\nGPU 0 has …")

    images = torch.zeros(1, 1, 32, 32, dtype=torch.uint8).expand(2**20, 3, 32, 32)
    monkeypatch.setattr(torch.Tensor, "to", full)
    said = refusal(lambda: TensorSource(images, 8, (-1, 1), torch.device("cuda:0"), 0, 0))
    assert said.startswith("the examples take 3.00 GiB, more than cuda:0 has free; give fewer of them, smaller ones")
