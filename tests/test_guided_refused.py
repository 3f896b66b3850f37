"""What the tools that look into a discriminator do not take, named in a line."""

from typing import Any

import pytest
import torch
from filters import Plain, X
from torch import Tensor, nn
from torch.nn import functional as F

from ganlab import models
from ganlab.errors import ConfigError, ShapeError
from ganlab.models.guided import guided_gradient, strongest
from ganlab.models.pooled import pooled_features

NAMED: Any = "b"
ARRAY: Any = X.numpy()
ONE: Any = 1


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda D: guided_gradient(D, X, 2, 0), ConfigError, r"layer is 2; D has 2 convolutions; give 0 … 1, or −1"),
        (lambda D: guided_gradient(D, X, -3, 0), ConfigError, "layer is -3; D has 2 convolutions"),
        (lambda D: guided_gradient(D, X, NAMED, 0), ConfigError, "layer is 'b'"),
        (lambda D: guided_gradient(D, X, True, 0), ConfigError, "layer is True"),
        (lambda D: guided_gradient(D, X, 0, 4), ConfigError, r"unit is 4; the layer has 4 maps, give 0 … 3"),
        (lambda D: guided_gradient(D, X, 0, -1), ConfigError, "unit is -1"),
        (lambda D: strongest(D, X, 1, 5, 1), ConfigError, "unit is 5; the layer has 5 maps"),
        (lambda D: strongest(D, X, 1, 0, 7), ShapeError, "x holds 6 images; give at least n = 7"),
        (lambda D: strongest(D, X, 1, 0, 0), ConfigError, "n is 0"),
        (lambda D: pooled_features(D, X, 0), ConfigError, "side is 0"),
        (lambda D: pooled_features(D, X, layers=[]), ConfigError, r"layers is \[\]; give numbers of layers"),
        (lambda D: pooled_features(D, X, layers=[0, 2]), ConfigError, "layer is 2; D has 2 convolutions"),
        (lambda D: pooled_features(D, X, layers=ONE), ConfigError, "layers is 1; give numbers of layers"),
        (lambda D: pooled_features(D, X[0]), ShapeError, r"x has shape \[2, 6, 6\]"),
        (lambda D: pooled_features(D, X[:0]), ShapeError, "x holds no images"),
        (lambda D: pooled_features(D, (X * 255).byte()), ShapeError, r"torch.uint8; give a floating-point batch"),
        (lambda D: pooled_features(D, ARRAY), ShapeError, "x is a ndarray; give a tensor of images"),
        (lambda D: guided_gradient(D, X[:, :1], 0, 0), ShapeError, r"D on images \[6, 1, 6, 6\] raised RuntimeError"),
        (lambda D: guided_gradient(D, X.clone().fill_(torch.inf), 0, 0), ShapeError, "6 of 6 images are not finite"),
        (lambda _: guided_gradient(NAMED, X, 0, 0), ConfigError, "D is a str; give a network"),
        (lambda _: pooled_features(nn.Flatten(), X), ConfigError, "D has no convolution whose maps have several"),
        (
            lambda _: pooled_features(models.DCGANDiscriminator(8, 1, 4), X),
            ShapeError,
            r"x has shape \[6, 2, 6, 6\] torch.float32; give a floating-point batch \[n, 1, 8, 8\]",
        ),
        (
            lambda _: pooled_features(models.ConditionalDCGANDiscriminator(8, 1, 4), X),
            ConfigError,
            "ConditionalDCGANDiscriminator takes labels; give a discriminator of images alone",
        ),
        (
            lambda _: pooled_features(models.DCGANDiscriminator(16, 1, 4, variant="authors"), X),
            ConfigError,
            "D's batch norm keeps no running averages",
        ),
        (lambda _: guided_gradient(Plain(nn.ELU()), X, 1, 0), ConfigError, "D holds elu; guided backprop"),
        (
            lambda _: guided_gradient(Plain(nn.PReLU()), X, 1, 0),
            ConfigError,
            "D holds PReLU; guided backprop",
        ),
        (
            lambda _: guided_gradient(Plain(lambda h: torch.maximum(h, 0 * h)), X, 1, 0),
            ConfigError,
            "D holds maximum; guided backpropagation is defined",
        ),
    ],
)
def test_what_is_not_given_right_is_named(call, error: type[Exception], named: str):
    with pytest.raises(error, match=named) as caught:
        call(Plain(nn.ReLU()))
    assert "\n" not in str(caught.value)


def test_a_result_that_is_written_over_is_named():
    class Over(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.end = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 1, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(F.relu(self.a(x)).add_(1)).flatten()

    with pytest.raises(ConfigError, match="D writes over the result of its ReLU; let it keep it"):
        pooled_features(Over(), X)
