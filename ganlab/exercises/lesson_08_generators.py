"""Two generators for the exercise of lesson 08 that asks which of them copies, and how one tells.

One learned a law: a mixture of normal laws in the images' first principal components. Its images look worse than those
of the other, which draws training images, moves each by a pixel and changes its grey: so neither looks nor the plain
distance to the nearest training image gives it away.
"""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ganlab.errors import ShapeError
from ganlab.metrics import neighbours

Draw = Callable[[int, np.random.Generator], np.ndarray]
COMPONENTS, KINDS = 20, 20
"""Principal components that are kept, and normal laws that are mixed."""
FEWEST = 200
LARGEST_MOVE = 1
"""Pixels, in each direction; no image stays where it was."""
DARKEST, NOISE = 0.9, 6.0
"""Ink is left at this share at least; the noise's standard deviation is in grey levels of 255."""
QUANTILE = 0.01
"""Of held-out images so many are nearer to a training image than the line that is drawn."""


class PreparedGenerator:
    """n ↦ n images uint8 [n, C, H, W], the same for the same seed."""

    def __init__(self, draw: Draw):
        self._draw = draw

    def __call__(self, n: int, seed: int = 0) -> Tensor:
        """n images."""
        return torch.from_numpy(self._draw(n, np.random.default_rng(seed)))


def prepared_generators(images: Tensor, seed: int) -> tuple[PreparedGenerator, PreparedGenerator]:
    """Two generators of images like these, of which one copies; which one, the seed decides.

    images  uint8 [N, C, H, W], what both are made from, at least 200

    Raises `ShapeError` for others.
    """
    if not isinstance(images, Tensor) or images.dtype is not torch.uint8 or images.ndim != 4 or len(images) < FEWEST:
        given = f"{list(images.shape)} {images.dtype}" if isinstance(images, Tensor) else type(images).__name__
        raise ShapeError(f"images are {given}; give uint8 [N, C, H, W], at least {FEWEST} of them.")
    pixels = images.cpu().numpy()
    copying, learned = PreparedGenerator(_copying(pixels)), PreparedGenerator(_learned(pixels))
    return (copying, learned) if copier(seed) == 0 else (learned, copying)


def copier(seed: int) -> int:
    """Which of the two that `prepared_generators` makes with this seed copies: 0 the first, 1 the second."""
    return int(np.random.default_rng(seed).integers(2))


def _copying(pixels: np.ndarray) -> Draw:
    moves = [(a, b) for a in range(-LARGEST_MOVE, LARGEST_MOVE + 1) for b in range(-LARGEST_MOVE, LARGEST_MOVE + 1)]
    moves.remove((0, 0))

    def draw(n: int, rng: np.random.Generator) -> np.ndarray:
        chosen = pixels[rng.integers(len(pixels), size=n)].astype(np.float64)
        for image, move in zip(chosen, rng.integers(len(moves), size=n), strict=True):
            image[:] = moved(image, *moves[move])
        ink = rng.uniform(DARKEST, 1, (n, 1, 1, 1))
        return _as_bytes(chosen * ink + rng.normal(0, NOISE, chosen.shape))

    return draw


def moved(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """An image [C, H, W] moved by a few pixels; what comes in is black, what goes out is lost."""
    height, width = image.shape[1:]
    edge = max(abs(down), abs(right))
    padded = np.pad(image, ((0, 0), (edge, edge), (edge, edge)))
    return padded[:, edge - down : edge - down + height, edge - right : edge - right + width]


def _learned(pixels: np.ndarray) -> Draw:
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    flat = pixels.reshape(len(pixels), -1).astype(np.float64)
    axes = PCA(min(COMPONENTS, flat.shape[1]), random_state=0).fit(flat)
    z = axes.transform(flat)
    law = GaussianMixture(KINDS, reg_covar=1e-3 * z.var(), init_params="k-means++", tol=0.1, random_state=0).fit(z)

    def draw(n: int, rng: np.random.Generator) -> np.ndarray:
        kinds = rng.choice(KINDS, n, p=law.weights_)
        points = [rng.multivariate_normal(law.means_[kind], law.covariances_[kind]) for kind in kinds]
        return _as_bytes(axes.inverse_transform(np.stack(points)).reshape(n, *pixels.shape[1:]))

    return draw


def _as_bytes(pixels: np.ndarray) -> np.ndarray:
    return pixels.clip(0, 255).round().astype(np.uint8)


def which_copies(first: Tensor, second: Tensor, training: Tensor, held_out: Tensor) -> int:
    """0 or 1: of which of the two sets of images more lie near to a training image."""
    return int(np.argmax(shares_of_copies(first, second, training, held_out)))


def shares_of_copies(first: Tensor, second: Tensor, training: Tensor, held_out: Tensor) -> tuple[float, ...]:
    """How many of each set lie nearer to a training image, moved or not, than nearly all held-out images do."""
    around = _with_moved(training)
    line = _distances(held_out, around).quantile(QUANTILE)
    return tuple(float((_distances(images, around) < line).double().mean()) for images in (first, second))


def _distances(images: Tensor, others: Tensor) -> Tensor:
    return neighbours.nearest(images, others)[0]


def _with_moved(images: Tensor) -> Tensor:
    """The images, and each moved by up to a pixel in both directions; what comes in is black."""
    reach = range(2 * LARGEST_MOVE + 1)
    wide = torch.nn.functional.pad(images, (LARGEST_MOVE,) * 4)
    height, width = images.shape[2:]
    return torch.cat([wide[:, :, a : a + height, b : b + width] for a, b in itertools.product(reach, repeat=2)])
