"""Examples and labels as people hold them: taken, or refused with advice that is carried out here."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from labelled import LABELS, labelled
from own import DIGITS, ImageD, ImageG, image_trainer, refusal
from PIL import Image
from tiny import run
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset
from torchvision.transforms.functional import pil_to_tensor

from ganlab.training import Adam, TrainConfig, sample

IMAGES = DIGITS.images


class Items(Dataset):
    """A data set of one's own, whose items are of any kind."""

    def __init__(self, item: Callable[[int], object]) -> None:
        self.item = item

    def __len__(self) -> int:
        return len(IMAGES)

    def __getitem__(self, i: int) -> object:
        return self.item(i)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(IMAGES)


def picture(i: int) -> Image.Image:
    return Image.fromarray(IMAGES[i, 0].numpy())


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("loader", DataLoader(Items(lambda i: IMAGES[i]), 16)),
        ("loader", DataLoader(Items(lambda i: {"number": i, "image": IMAGES[i]}), 16)),
        ("loader", DataLoader(Items(lambda i: (IMAGES[i], i)), 16)),
        ("dataset", Items(lambda i: IMAGES[i])),
        ("dataset", Items(lambda i: (IMAGES[i], i, "more"))),
        ("dataset", Items(lambda i: {"image": IMAGES[i]})),
        ("dataset", Items(lambda i: (picture(i), i))),
        ("dataset", Items(lambda i: IMAGES[i].numpy())),
        ("dataset", Stream()),
        ("examples", list(IMAGES.numpy())),
        ("examples", [picture(i) for i in range(len(IMAGES))]),
        ("examples", [(image, 3) for image in IMAGES]),
        ("data", tuple(IMAGES)),
        ("data", (IMAGES,)),
        ("data", {"labels": [0], "images": IMAGES}),
    ],
)
def test_the_advice_for_each_kind_of_data_gives_all_examples(name: str, given: object):
    line = refusal(lambda: image_trainer(x=given))
    advice = line.removesuffix(".").rpartition(": ")[2]
    images = eval(advice, {"torch": torch, "np": np, "pil_to_tensor": pil_to_tensor, name: given})
    assert torch.equal(torch.as_tensor(images), IMAGES)
    assert image_trainer(x=images).step == 0


def test_numbers_in_lists_become_a_tensor_and_what_is_unknown_is_refused_all_the_same():
    given = IMAGES[:2].tolist()
    assert refusal(lambda: image_trainer(x=given)).endswith("give one tensor: torch.tensor(examples).")
    for unknown in ([], Items(lambda i: 1 / (i - i)), Items(lambda i: {i}), {}, {"a": 1}):
        assert "give " in refusal(lambda unknown=unknown: image_trainer(x=unknown))


def test_what_has_no_values_or_hides_some_is_refused():
    masked = np.ma.masked_array(IMAGES.numpy(), mask=IMAGES.numpy() > 250)
    hidden = int((IMAGES > 250).sum())
    assert f"an array with {hidden:,} masked out" in refusal(lambda: image_trainer(x=masked))
    assert image_trainer(x=masked.filled(0)).step == 0  # what the message says
    assert image_trainer(x=np.ma.masked_array(IMAGES.numpy())).step == 0  # nothing is masked
    assert "meta device" in refusal(lambda: image_trainer(x=torch.empty(64, 1, 8, 8, device="meta")))
    assert "nested tensor" in refusal(
        lambda: image_trainer(x=torch.nested.nested_tensor([torch.ones(2)], layout=torch.jagged))
    )


class ColourG(ImageG):
    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z).repeat(1, 3, 1, 1)


@pytest.mark.parametrize("as_array", [False, True])
def test_images_with_their_channels_elsewhere_are_told_how_to_lie(as_array: bool):
    colour = torch.randint(0, 256, (40, 8, 8, 3), dtype=torch.uint8)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(192, 1))
    convolutional = nn.Sequential(nn.Conv2d(3, 1, 8), nn.Flatten())
    for G, D, x, wanted in (
        (ColourG(), flat, colour, colour.permute(0, 3, 1, 2)),
        (ColourG(), convolutional, colour, colour.permute(0, 3, 1, 2)),
        (ImageG(), ImageD(), IMAGES[:, 0], IMAGES),
        (ImageG(), nn.Sequential(nn.Conv2d(1, 1, 8), nn.Flatten()), IMAGES[:, 0], IMAGES),
    ):
        images = x.numpy() if as_array else x
        line = refusal(lambda G=G, D=D, images=images: image_trainer(G, D, images))
        moved = eval(line.removesuffix(".").rpartition(": ")[2], {"torch": torch, "images": images})
        assert torch.equal(torch.as_tensor(moved), wanted)
        assert image_trainer(G, D, moved).step == 0


class FlatG(nn.Module):
    z_dim = 4

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 64), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z)


def test_images_as_vectors_in_0_to_1_are_said_where_G_gives_both_signs():
    fractions = IMAGES.flatten(1).float() / 255
    D = nn.Linear(64, 1)
    with pytest.warns(UserWarning, match=r"examples lie in 0 … 1 where G gives −1 … 1: give x \* 2 - 1"):
        image_trainer(FlatG(), D, fractions)
    image_trainer(FlatG(), D, fractions * 2 - 1)  # nothing to say


@pytest.mark.parametrize("last", [torch.relu, nn.Softplus(), torch.abs, lambda t: (9 * t).exp()])
def test_a_G_that_gives_nothing_below_0_must_say_its_range(last: Callable[[Tensor], Tensor]):
    assert "set G.output_range = (0, 1), or the range that it has" in refusal(lambda: image_trainer(ImageG(last)))
    G = ImageG(last)
    G.output_range = (0, 1)
    assert image_trainer(G).value_range == (0, 1)


@pytest.mark.parametrize("last", [torch.sin, torch.erf, nn.Hardtanh(), lambda t: t.clamp(-1, 1)])
def test_bounds_of_other_last_layers_are_known(last: Callable[[Tensor], Tensor]):
    assert "where G gives −1 … 1" in refusal(lambda: image_trainer(ImageG(last), x=IMAGES.float() / 255))


class Indexed:
    """Values with labels of rows, as tables have them: what stands at [0] is not the first."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: int) -> int:
        return self.values[len(self.values) - 1 - row]


def test_labels_are_taken_in_every_order_of_bytes_and_as_a_column():
    expected = run(labelled()).history
    y = LABELS.numpy()
    read_only = y.copy()
    read_only.setflags(write=False)
    same = (y.astype(">i4"), y[::-1].copy()[::-1], read_only, Indexed(y), y[:, None], LABELS[:, None].tolist())
    for labels in same:
        assert torch.equal(run(labelled(labels=labels)).history, expected)
    trainer = labelled()
    for column in (np.ones((4, 1), ">i8"), [[1]] * 4):
        assert torch.equal(trainer.sample(4, labels=column), trainer.sample(4, labels=1))


def test_advice_on_labels_works():
    for labels in (LABELS.numpy().astype(float), LABELS.float()):
        line = refusal(lambda labels=labels: labelled(labels=labels))
        code = line.partition(", as ")[2].partition(" makes them")[0]
        assert torch.equal(eval(code, {"torch": torch, "labels": labels}), LABELS)
    assert "argmax" not in refusal(lambda: labelled(labels=torch.stack([LABELS, LABELS], dim=1)))
    masked = np.ma.masked_array(LABELS.numpy(), mask=LABELS.numpy() == 1)
    assert "10 masked out; leave these examples out" in refusal(lambda: labelled(labels=masked))
    assert "an array of <U1" in refusal(lambda: labelled(labels=np.array(["a"] * 50)))
    assert "sparse_coo" in refusal(lambda: labelled(labels=LABELS.to_sparse()))


def test_the_number_of_classes_may_come_from_numpy_or_from_names():
    for classes in (np.int64(5), torch.tensor(5), tuple("abcde")):
        trainer: Any = labelled()
        trainer.G.classes = classes
        assert torch.equal(sample(trainer.G, 7), trainer.sample(7))


def test_texts_and_arrays_of_one_number_become_plain():
    given = TrainConfig(
        noise=np.str_("uniform"),  # pyright: ignore[reportArgumentType]
        compile=np.False_,  # pyright: ignore[reportArgumentType]
        device=np.str_("cpu"),
        optimizer_g=Adam(np.array(0.25)),  # pyright: ignore[reportArgumentType]
    )
    assert given == TrainConfig(noise="uniform", device="cpu", optimizer_g=Adam(0.25))
    assert {type(value) for value in (given.noise, given.device)} == {str}
    assert type(given.compile) is bool
    assert type(given.optimizer_g.lr) is float


@pytest.mark.parametrize("option", ["steps", "batch"])
def test_more_than_the_memory_is_refused_before_it_is_asked_for(option: str):
    line = refusal(lambda: image_trainer(**{option: 10**12}))
    assert line.startswith(f"{option} is 1,000,000,000,000, which takes")
    assert f"give a smaller {option}" in line
