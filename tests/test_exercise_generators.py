"""The two prepared generators: one copies and one does not, and only a look at moved copies tells."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ganlab import data
from ganlab.errors import ShapeError
from ganlab.exercises.lesson_08_generators import copier, moved, prepared_generators
from ganlab.metrics.neighbours import copies, nearest

IMAGES = data.load("digits").images
TRAINING, HELD_OUT = IMAGES[:1000], IMAGES[1000:1500]


@pytest.fixture(scope="module")
def pair():
    return prepared_generators(TRAINING, 0)


def scaled(images: Tensor) -> Tensor:
    return images.float() / 255


def all_moves(images: Tensor) -> Tensor:
    return torch.cat(
        [torch.from_numpy(np.stack([moved(x, a, b) for x in images.numpy()])) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    )


def test_the_one_copies_and_the_other_does_not(pair):
    """Held against all training images moved by a pixel: of one nearly all are copies, of the other few."""
    training, held_out = scaled(all_moves(TRAINING)), scaled(HELD_OUT)
    copying, honest = (pair[which](200) for which in (copier(0), 1 - copier(0)))
    assert copies(scaled(copying), training, held_out).share > 0.95
    assert copies(scaled(honest), training, held_out).share <= 0.03


def test_the_plain_check_does_not_find_the_copies(pair):
    """A pixel's move takes them as far from the training images as real ones are, or farther."""
    for generator in pair:
        assert copies(scaled(generator(200)), scaled(TRAINING), scaled(HELD_OUT)).share <= 0.05


def test_the_honest_one_makes_images_like_the_real_ones(pair):
    """Of 200 the mean image, the ink and the distance to real images are those of real images."""
    honest = scaled(pair[1 - copier(0)](200))
    real = scaled(HELD_OUT)
    assert (honest.mean(0) - real.mean(0)).abs().max() < 0.15
    assert float(honest.mean()) == pytest.approx(float(real.mean()), rel=0.1)
    own, theirs = (nearest(x, scaled(TRAINING))[0].median() for x in (honest, real))
    assert float(own) == pytest.approx(float(theirs), rel=0.25)
    noise = torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert nearest(noise, scaled(TRAINING))[0].median() > 1.5 * theirs


def test_both_have_one_face(pair):
    first, second = pair
    assert type(first) is type(second)
    assert vars(first).keys() == vars(second).keys()
    for generator in pair:
        made = generator(7)
        assert (made.shape, made.dtype) == ((7, 1, 8, 8), torch.uint8)
        assert torch.equal(generator(7), made)
        assert not torch.equal(generator(7, seed=1), made)


def test_the_seed_decides_which_is_which(pair):
    assert {copier(seed) for seed in range(20)} == {0, 1}
    other = next(seed for seed in range(20) if copier(seed) != copier(0))
    turned = prepared_generators(TRAINING, other)
    assert torch.equal(turned[0](5), pair[1](5))
    assert torch.equal(turned[1](5), pair[0](5))
    assert torch.equal(prepared_generators(TRAINING, 0)[0](5), pair[0](5))


def test_a_move_by_hand():
    image = np.arange(1, 10).reshape(1, 3, 3)
    assert moved(image, 1, 0)[0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert moved(image, 0, -1)[0].tolist() == [[2, 3, 0], [5, 6, 0], [8, 9, 0]]
    assert moved(image, -1, 1)[0].tolist() == [[0, 4, 5], [0, 7, 8], [0, 0, 0]]
    assert moved(image, 0, 0).tolist() == image.tolist()


@pytest.mark.parametrize("images", [TRAINING[:199], TRAINING.float(), TRAINING[:, 0], TRAINING.numpy()])
def test_what_are_no_such_images_is_named(images):
    with pytest.raises(ShapeError, match=r"images are .*; give uint8 \[N, C, H, W\], at least 200 of them") as caught:
        prepared_generators(images, 0)
    assert "\n" not in str(caught.value)
