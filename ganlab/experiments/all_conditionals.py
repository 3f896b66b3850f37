"""All conditionals at once, as the conclusion of Goodfellow et al. 2014 proposes: one G fills in any part of an image.

G gets the pixels that are given, which ones they are, and z. D gets a whole image and which pixels were given. Which
these are is drawn anew for each image, so one pair of networks learns p(the rest | the given ones) for all parts.
"""

import torch
from torch import Tensor, nn

from ganlab.models.mlp import discriminator_layers, generator_layers
from ganlab.objectives import NON_SATURATING

Z_DIM, HIDDEN, BATCH = 16, (256, 256), 128


class Filler(nn.Module):
    """G: images [batch, 1, H, W] in [−1, 1], masks of what is given [batch, 1, H, W] in {0, 1}, z [batch, Z_DIM] → the
    images with all else filled in. What is given stays as it is, and nothing else is looked at."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.net = generator_layers(2 * pixels + Z_DIM, HIDDEN, pixels)

    def forward(self, x: Tensor, given: Tensor, z: Tensor) -> Tensor:
        """The filled images."""
        seen = given * x
        made = self.net(torch.cat([seen.flatten(1), given.flatten(1), z], dim=1)).view_as(x)
        return seen + (1 - given) * made

    @torch.no_grad()
    def fill(self, x: Tensor, given: Tensor, seed: int) -> Tensor:
        """`x` with what is not given filled in, with the z of this seed; `given` [H, W] is the same for all images."""
        z = torch.randn(len(x), Z_DIM, generator=torch.Generator().manual_seed(seed))
        return self.eval()(x, given.to(x.dtype).expand_as(x), z)


def any_parts(like: Tensor, numbers: torch.Generator) -> Tensor:
    """A mask for each image: every pixel is given with one probability, which is even on (0, 1) and the image's own."""
    probability = torch.rand(len(like), 1, 1, 1, generator=numbers)
    return (torch.rand(like.shape, generator=numbers) < probability).to(like.dtype)


def train(images: Tensor, *, steps: int, seed: int) -> Filler:
    """A `Filler` trained on images [N, 1, H, W] in [−1, 1]: in turns, with Adam at 0.001, the non-saturating loss."""
    numbers = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        G = Filler(images[0].numel())
        D = discriminator_layers(2 * images[0].numel(), HIDDEN)
    losses = NON_SATURATING.losses()
    adam_D, adam_G = (torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in (D, G))

    def drawn() -> Tensor:
        return images[torch.randint(len(images), (BATCH,), generator=numbers)]

    def judged(x: Tensor, given: Tensor) -> Tensor:
        return D(torch.cat([x.flatten(1), given.flatten(1)], dim=1)).squeeze(1)

    for _ in range(steps):
        x, given = drawn(), any_parts(images[:BATCH], numbers)
        filled = G(drawn(), given, torch.randn(BATCH, Z_DIM, generator=numbers))
        _descend(adam_D, losses.discriminator(judged(x, given), judged(filled.detach(), given)))
        _descend(adam_G, losses.generator(judged(filled, given)))
    return G


def _descend(adam: torch.optim.Adam, loss: Tensor) -> None:
    adam.zero_grad()
    loss.backward()
    adam.step()
