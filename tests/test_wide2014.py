"""The 2014 paper's experiments on faces and CIFAR-10: networks, settings, data, and both stages, on made-up files."""

import hashlib
import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ganlab import data, models, objectives, training
from ganlab.data import readers
from ganlab.data.tfd import FILE
from ganlab.errors import CheckpointError, ConfigError
from ganlab.experiments import recipes
from ganlab.models.base import limit_norms
from ganlab.models.mlp2014 import Maxout
from ganlab.models.wide2014 import MaxoutConv
from ganlab.training import SGD

FACES = ("gan2014-faces-1", "gan2014-faces-2")
COLOURS = ("gan2014-cifar10", "gan2014-cifar10-conv")


def linear(n_in: int, n_out: int) -> int:
    return (n_in + 1) * n_out


def conv(n_in: int, n_out: int, kernel: int) -> int:
    return (n_in * kernel**2 + 1) * n_out


@pytest.mark.parametrize(
    ("name", "of_G", "of_D"),
    [
        (
            "gan2014-cifar10",
            linear(100, 8000) + linear(8000, 8000) + linear(8000, 3072),
            linear(3072, 8000) + linear(1600, 8000) + linear(1600, 1),
        ),
        (
            "gan2014-cifar10-conv",
            linear(100, 8000) + linear(8000, 8000) + 80 * 3 * 25 + 3 * 32 * 32,
            conv(3, 64, 8) + conv(32, 64, 8) + conv(32, 384, 5) + linear(192 * 25, 2500) + linear(500, 1),
        ),
        (
            "gan2014-faces-1",
            linear(100, 8000) + linear(8000, 8000) + linear(8000, 2304),
            linear(2304, 6000) + linear(1200, 6000) + linear(1200, 1),
        ),
        (
            "gan2014-faces-2",
            2 * linear(100, 8000) + linear(8000, 100) + linear(8000, 8000) + linear(8000, 2304),
            linear(2304, 6000) + linear(1200, 6000) + linear(1200, 1),
        ),
    ],
)
def test_the_networks_have_the_papers_sizes(name: str, of_G: int, of_D: int):
    """On the meta device: shapes alone, no memory."""
    recipe = recipes.get(name)
    with torch.device("meta"):
        G, D = models.build(recipe.G), models.build(recipe.D)
        assert sum(p.numel() for p in G.parameters()) == of_G
        assert sum(p.numel() for p in D.parameters()) == of_D
        fake = G(torch.empty(2, 100))
        assert fake.shape == (2, 1, 48, 48) if name in FACES else (2, 3, 32, 32)
        assert D(fake).shape == (2,)


@pytest.mark.parametrize(
    ("name", "lr", "batch", "epochs", "data_set", "first"),
    [
        ("gan2014-cifar10", 0.025, 100, 250, "cifar10", 40_000),
        ("gan2014-cifar10-conv", 0.004, 128, 250, "cifar10", 40_000),
        ("gan2014-faces-1", 0.05, 100, 50, "tfd", None),
        ("gan2014-faces-2", 0.05, 100, 22, "tfd", None),
    ],
)
def test_the_training_item_by_item(name: str, lr: float, batch: int, epochs: int, data_set: str, first: int | None):
    recipe = recipes.get(name)
    config, sgd = recipe.config, recipe.config.optimizer_d
    assert (config.update, config.k, config.noise, config.ema) == ("simultaneous", 1, "normal", 0)
    assert (config.batch, recipe.epochs, recipe.data, recipe.first) == (batch, epochs, data_set, first)
    assert isinstance(sgd, SGD)
    assert config.optimizer_g == sgd == replace(recipes.SGD_2014, lr=lr)
    assert recipe.objective is objectives.GAN_2014
    assert recipe.prepare is (data.contrast_normalized if name in COLOURS else None)


def uniform_on(weight: torch.Tensor, half_width: float) -> bool:
    """Whether n numbers fill ±half_width: the largest is below 1 − 20/n of the end with a probability of e⁻²⁰."""
    return (1 - 20 / weight.numel()) * half_width < float(weight.detach().abs().max()) <= half_width


def linears(net: nn.Module) -> list[nn.Linear]:
    return [module for module in net.modules() if isinstance(module, nn.Linear)]


def test_the_initial_weights():
    torch.manual_seed(0)
    colour, deconv = models.ColourGenerator2014(hidden=60), models.DeconvGenerator2014(hidden=60, maps=4)
    for layer, half_width in zip([*linears(colour), *linears(deconv)], (0.05, 0.05, 0.5, 0.05, 0.05), strict=True):
        assert uniform_on(layer.weight, half_width)
    assert uniform_on(deconv.deconv.weight, 0.05)
    for net in (colour, deconv):
        assert not any(p.any() for name, p in net.named_parameters() if name.endswith("bias"))
    *hidden, out = linears(models.DeepFaceGenerator2014(side=8, hidden=300))
    for layer, bias in zip(hidden, (0, -2, 0, -2), strict=True):
        assert uniform_on(layer.weight, 0.05)
        assert torch.equal(layer.bias, torch.full_like(layer.bias, bias))
    assert ((out.weight != 0).sum(dim=1) == 100).all()
    assert out.weight[out.weight != 0].std().item() == pytest.approx(1, abs=0.05)
    D = models.ConvDiscriminator2014(maps=4, last_maps=6, units=5)
    for layer in (m for m in D.modules() if isinstance(m, nn.Linear | nn.Conv2d)):
        assert uniform_on(layer.weight, 0.005)
        assert layer.bias is not None
        assert not layer.bias.any()


def test_the_convolutional_discriminator_layer_by_layer():
    D = models.ConvDiscriminator2014()
    assert [m.p for m in D.modules() if isinstance(m, nn.Dropout)] == [0.2, 0.5, 0.5, 0.5, 0.5]
    shapes: list[tuple[int, ...]] = []
    for layer in (m for m in D.modules() if isinstance(m, MaxoutConv | Maxout)):
        layer.register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape[1:])))
    D(torch.zeros(1, 3, 32, 32))
    assert shapes == [(32, 16, 16), (32, 7, 7), (192, 5, 5), (500,)]


@given(side=st.integers(4, 12), padding=st.integers(0, 2), pool=st.integers(2, 4), pieces=st.integers(1, 3))
def test_maxout_convolution_equals_a_plain_loop(side: int, padding: int, pool: int, pieces: int):
    layer = MaxoutConv(2, 3, pieces, kernel=3, padding=padding, pool=pool)
    torch.manual_seed(side)
    x = torch.randn(1, 2, side, side)
    maps = layer.conv(x)[0].detach()
    size = maps.shape[-1]
    if size < pool:
        return
    starts = range(0, 2 * (math.ceil((size - pool) / 2) + 1), 2)
    expected = [
        [
            [
                max(float(maps[m, i : i + pool, j : j + pool].max()) for m in range(pieces * n, pieces * n + pieces))
                for j in starts
            ]
            for i in starts
        ]
        for n in range(3)
    ]
    torch.testing.assert_close(layer(x)[0].detach(), torch.tensor(expected))


@given(max_norm=st.floats(0.1, 5))
def test_norms_above_the_limit_come_down_to_it_and_others_stay(max_norm: float):
    torch.manual_seed(0)
    layer = nn.Linear(5, 20)
    nn.init.normal_(layer.weight)
    before = layer.weight.detach().clone()
    limit_norms(nn.Sequential(layer, nn.ReLU()), max_norm)
    for old, new in zip(before, layer.weight.detach(), strict=True):
        torch.testing.assert_close(new, old * min(1, max_norm / float(old.norm())))


def test_the_trainer_keeps_the_norms_after_each_update():
    G = models.FaceGenerator2014(side=8, hidden=150)
    D = models.Discriminator2014(side=8, units=6, max_norm=0.05)
    config = training.TrainConfig(steps=3, batch=10, device="cpu", optimizer_d=SGD(lr=20.0), update="simultaneous")
    trainer = training.Trainer(G, D, objectives.GAN_2014, torch.randint(0, 256, (20, 1, 8, 8)).byte(), config)
    assert G.out.weight.norm(dim=1).max() > 5
    for _ in trainer.run():
        for net, limit in ((G, 1.9365), (D, 0.05)):
            norms = torch.cat([m.weight.norm(dim=1) for m in net.modules() if isinstance(m, nn.Linear)])
            assert norms.max() <= limit * (1 + 1e-5)
    assert models.Discriminator2014(side=8, units=6).constrain() is None


@pytest.mark.parametrize("kind", [models.FaceGenerator2014, models.DeepFaceGenerator2014])
@pytest.mark.parametrize("max_norm", [-1, 0, math.nan, math.inf, None, "1.9365"])
def test_a_limit_that_is_no_positive_number_is_refused(kind: Callable[..., nn.Module], max_norm: Any):
    with pytest.raises(ConfigError, match=rf"^max_norm is {max_norm!r}; give a positive number\.$"):
        kind(side=8, hidden=20, max_norm=max_norm)


@given(seed=st.integers(0, 9), norm=st.floats(1, 100))
def test_contrast_normalisation_is_that_of_each_image(seed: int, norm: float):
    images = torch.randint(0, 256, (5, 3, 6, 6), generator=torch.Generator().manual_seed(seed)).byte()
    images[4] = 77
    ours = data.contrast_normalized(images, norm).numpy()
    for image, mine in zip(images.numpy().astype(np.float64), ours, strict=True):
        centred = image - image.mean()
        length = np.sqrt((centred**2).sum())
        np.testing.assert_allclose(mine, norm * centred / length if length else centred, atol=1e-4)


# Whole recipes, with small networks, on files made here --------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FACES + COLOURS:
        recipe = recipes.get(name)
        of_G, of_D = {"hidden": 40}, {"units": 5}
        if name.endswith("conv"):
            of_G, of_D = of_G | {"maps": 4}, of_D | {"maps": 4, "last_maps": 4}
        config = replace(recipe.config, batch=8, device="cpu")
        changed = replace(recipe, G=recipe.G | of_G, D=recipe.D | of_D, config=config, epochs=2)
        monkeypatch.setitem(recipes.RECIPES, name, changed)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_recipe_trains_on_the_distributed_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    folder = tmp_path / readers.CIFAR10_FOLDER
    folder.mkdir()
    rng = np.random.default_rng(0)
    sums = {}
    for batch in readers.CIFAR10_MD5["train"]:
        pixels = rng.integers(0, 256, (10, 3072), dtype=np.uint8)
        content = pickle.dumps({"data": pixels, "labels": [0] * 10}, protocol=4)
        (folder / batch).write_bytes(content)
        sums[batch] = hashlib.md5(content).hexdigest()
    monkeypatch.setitem(readers.CIFAR10_MD5, "train", sums)
    trainer = recipes.get(name).trainer(tmp_path)
    assert trainer.config.steps == 2 * (50 // 8)
    assert trainer.config.optimizer_g == replace(recipes.get(name).config.optimizer_g, epoch=50 // 8)
    x = trainer.real_batch(0)
    torch.testing.assert_close(x.flatten(1).norm(dim=1), torch.full((8,), 55.0))
    for _ in trainer.run():
        pass
    assert trainer.sample(3).shape == (3, 3, 32, 32)
    assert models.value_range(trainer.G) == (-2.5, 2.5)


@pytest.mark.usefixtures("small")
def test_the_faces_in_two_stages(tmp_path: Path):
    from scipy.io import savemat

    images = np.random.default_rng(0).integers(0, 256, (40, 48, 48), dtype=np.uint8)
    content = {"images": images, "labs_ex": np.full((40, 1), -1), "folds": np.zeros((40, 5))}
    savemat(tmp_path / FILE, content)
    first = recipes.get("gan2014-faces-1").trainer(tmp_path)
    mean = torch.from_numpy(images).float().mean(dim=0).flatten() / 255
    torch.testing.assert_close(linears(first.G)[-1].bias.sigmoid(), mean)
    for _ in first.run():
        pass
    file = tmp_path / "first.safetensors"
    training.export_generator(first, file)
    second = recipes.get("gan2014-faces-2").trainer(tmp_path, file)
    trained = first.G.state_dict()
    before = {name: value.clone() for name, value in second.G.state_dict().items()}
    assert all(torch.equal(before[f"faces.{name}"], value) for name, value in trained.items())
    for _ in second.run():
        pass
    moved = {name for name, value in second.G.state_dict().items() if not torch.equal(value, before[name])}
    assert moved >= {name for name in before if name.endswith("weight")}  # both stages learn
    training.export_generator(second, file)
    again, _ = training.load_generator(file)
    z = torch.randn(2, 100)
    assert torch.equal(again(z), second.G.eval()(z))


@pytest.mark.usefixtures("small")
def test_a_second_stage_without_the_first_says_what_to_do(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"none.safetensors, which is not there; train gan2014-faces-1 first"):
        recipes.get("gan2014-faces-2").trainer(tmp_path, tmp_path / "none.safetensors")
    other = models.MLPGenerator(z_dim=3, side=8)
    with pytest.raises(ConfigError, match="the first stage is MLPGenerator"):
        models.DeepFaceGenerator2014(side=8, hidden=20).stack_on(other)
