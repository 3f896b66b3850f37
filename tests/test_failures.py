"""What is said of a network that fails on a first batch, and that looking for the place changes nothing."""

import pytest
import torch
from torch import Tensor, nn

from ganlab.training.failures import as_images, where
from ganlab.training.labels import NO_LABELS
from ganlab.training.rehearsal import materialise


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("width", [1, 3, 4, 8])
def test_channels_are_moved_to_the_front_where_they_stand_last_alone(channels: int, width: int):
    """Images [n, C, H, W] may be as narrow as they have channels; advice to turn them would be wrong."""
    assert as_images((9, channels, 8, width)) is None
    code = as_images((9, 8, 8, channels))
    assert code is not None
    assert eval(code, {"torch": torch, "images": torch.zeros(9, 8, 8, channels)}).shape == (9, channels, 8, 8)


def test_grey_images_get_their_channel_and_other_examples_stay():
    code = as_images((9, 8, 7))
    assert code is not None
    assert eval(code, {"images": torch.zeros(9, 8, 7)}).shape == (9, 1, 8, 7)
    for shape in ((9,), (9, 2), (9, 8, 8, 2), (9, 8, 8, 5), (9, 1, 8, 8, 3)):
        assert as_images(shape) is None


def test_the_place_is_found_without_a_change_to_the_batch():
    """The first layer works in place."""
    x = torch.tensor([[-1.0, 2.0]])
    net = nn.Sequential(nn.ReLU(inplace=True), nn.Sequential(nn.Linear(2, 2), nn.Linear(3, 1)))
    assert where(net, x) == ", in its Linear 1.1, given [1, 2]"
    assert x.tolist() == [[-1.0, 2.0]]
    assert where(net[0], x) == ""
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in net.modules())


class InPlace(nn.Module):
    """A lazy layer behind one that works in place."""

    z_dim = 2

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.ReLU(inplace=True), nn.LazyLinear(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def test_lazy_layers_take_their_sizes_without_a_change_to_the_batch():
    G, D = InPlace(), InPlace()
    z, real = torch.full((3, 2), -1.0), torch.full((3, 5), -1.0)
    materialise(G, z, D, real, NO_LABELS)
    assert [layer.get_parameter("net.1.weight").shape[1] for layer in (G, D)] == [2, 5]
    assert (z == -1).all()
    assert (real == -1).all()
