"""Three GANs that are widely copied train as they are, and come out of a file as they went in."""

import warnings
from pathlib import Path

import pytest
import torch
from own import image_trainer
from tiny import run
from torch import Tensor, nn

from ganlab import data
from ganlab.objectives import NON_SATURATING, least_squares
from ganlab.training import Adam, TrainConfig, Trainer, export_generator, load_generator, sample


def block(n_in: int, n_out: int, *, normalised: bool = True) -> list[nn.Module]:
    norm = [nn.BatchNorm1d(n_out, 0.8)] if normalised else []
    return [nn.Linear(n_in, n_out), *norm, nn.LeakyReLU(0.2, inplace=True)]


class PlainG(nn.Module):
    """Fully connected, batch norm with an ε of 0.8, images by `view`."""

    z_dim = 100

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(*block(100, 32, normalised=False), *block(32, 64), nn.Linear(64, 64), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        images = self.model(z)
        return images.view(images.size(0), 1, 8, 8)


class PlainD(nn.Module):
    """Fully connected, one number as [n, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(64, 64), nn.LeakyReLU(0.2, inplace=True), nn.Linear(64, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.model(images.view(images.size(0), -1))


class UpsamplingG(nn.Module):
    """A linear layer seen as maps, then upsampling and convolutions."""

    z_dim = 100

    def __init__(self) -> None:
        super().__init__()
        self.l1 = nn.Sequential(nn.Linear(100, 16 * 2 * 2))
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(16),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(16, 16, 3, stride=1, padding=1),
            nn.BatchNorm2d(16, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(16, 8, 3, stride=1, padding=1),
            nn.BatchNorm2d(8, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(8, 1, 3, stride=1, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        out = self.l1(z)
        return self.conv_blocks(out.view(out.shape[0], 16, 2, 2))


class DropoutD(nn.Module):
    """Convolutions with dropout, whose maps are laid out by `view`: [n, 1]."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in ((1, 8), (8, 16)):
            layers += [nn.Conv2d(n_in, n_out, 3, 2, 1), nn.LeakyReLU(0.2, inplace=True), nn.Dropout2d(0.25)]
            layers += [nn.BatchNorm2d(n_out, 0.8)] if n_in > 1 else []
        self.model = nn.Sequential(*layers)
        self.adv_layer = nn.Linear(16 * 2 * 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        out = self.model(images)
        return self.adv_layer(out.view(out.shape[0], -1))


class TransposedG(nn.Module):
    """Transposed convolutions alone: z as [n, z, 1, 1]."""

    z_dim = 100

    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(100, 16, 2, 1, 0, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(True),
            nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(True),
            nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


class StridedD(nn.Module):
    """Strided convolutions alone: [n, 1, 1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, 8, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(8, 16, 4, 2, 1, bias=False),
            nn.BatchNorm2d(16),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(16, 1, 2, 1, 0, bias=False),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.main(images)


COPIED = {
    "fully connected": (PlainG, PlainD, NON_SATURATING),
    "upsampling": (UpsamplingG, DropoutD, NON_SATURATING),
    "upsampling, least squares": (UpsamplingG, DropoutD, least_squares(0, 1, 1)),
    "transposed": (TransposedG, StridedD, NON_SATURATING),
}


@pytest.mark.parametrize("pair", COPIED.values(), ids=COPIED.keys())
def test_a_copied_gan_trains_as_it_is(pair, tmp_path: Path):
    make_G, make_D, objective = pair
    images = data.load("digits").images
    torch.manual_seed(0)
    config = TrainConfig(steps=200, batch=32, device="cpu", ema=0.9, optimizer_d=Adam(1e-3), optimizer_g=Adam(1e-3))
    trainer = Trainer(make_G(), make_D(), objective, images, config)
    mean = images.float().mean(0) / 127.5 - 1
    before = (trainer.sample(256).mean(0) - mean).square().mean()
    run(trainer)
    assert trainer.history.isfinite().all()
    after = (trainer.sample(256).mean(0) - mean).square().mean()
    assert after < before / 2  # on average the samples have become like the digits
    export_generator(trainer, tmp_path / "g.safetensors", weights_only=True)
    G, info = load_generator(tmp_path / "g.safetensors", into=make_G())
    torch.testing.assert_close(sample(G, 300, noise=info.noise, seed=4), trainer.sample(300, seed=4), atol=1e-5, rtol=0)
    assert (info.network, info.spec, info.step) == (make_G.__name__, None, 200)


def test_nothing_is_said_of_networks_that_fit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make_G, make_D, objective in COPIED.values():
            image_trainer(make_G(), make_D(), objective=objective)
