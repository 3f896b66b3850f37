"""DCGANs that deviate in one thing each are still a G and a D; the variants have the width that was published."""

import pytest
import torch

from ganlab import models
from ganlab.models.dcgan import VARIANTS
from ganlab.models.deviations import DEVIATIONS, deviating
from ganlab.models.traced import _read


@pytest.mark.parametrize("name", DEVIATIONS)
def test_a_deviating_pair_makes_images_and_gives_one_number_for_each(name: str):
    G, D = deviating(name)
    images = G(torch.randn(3, G.z_dim))
    assert images.shape == (3, 1, 16, 16)
    assert D(images).shape == (3,)


@pytest.mark.parametrize(("variant", "maps"), [("text", 1024), ("authors", 1024), ("torch", 512)])
def test_the_maps_at_64_pixels_are_those_that_were_published(variant: str, maps: int):
    """From `maps` of 4×4 in four steps, halved at each, as the paper's figure 1 and PyTorch's example have them."""
    width = VARIANTS[variant].width
    G = models.DCGANGenerator(64, 3, width, variant=variant)
    convolutions = [layer for layer in G.modules() if isinstance(layer, torch.nn.ConvTranspose2d)]
    assert [layer.in_channels for layer in convolutions[-4:]] == [maps // 2**i for i in range(4)]


@pytest.mark.parametrize(("op", "kind"), [("log", "unread"), ("soft", "unread"), ("relu", "activation")])
def test_an_operation_is_no_activation_because_its_name_is_part_of_ones(op: str, kind: str):
    x = torch.ones(2, 3)
    assert _read(op, (x,), {}, [x], [x], 2)[0] == kind
