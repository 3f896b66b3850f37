"""Every recipe makes networks that fit its data, and trains as it says (those of 2014: test_table_1, test_wide2014)."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from labelled import LabelledD, LabelledG
from torch import nn

from ganlab import data, models
from ganlab.errors import ConfigError
from ganlab.experiments import recipes
from ganlab.objectives import NON_SATURATING, RELATIVISTIC, least_squares
from ganlab.training import SGD, Adam, TrainConfig
from ganlab.training.sampling import z_dim_of

SHAPES = {
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "stacked-mnist": (3, 28, 28),
    "cifar10": (3, 32, 32),
    "tfd": (1, 48, 48),
    **dict.fromkeys(("celeba", "lsun/bedroom", None), (3, 64, 64)),
}
LARGER = {"lsgan-lsun": (3, 112, 112)}
"""What a recipe makes of its images."""


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_networks_fit_the_data(name: str):
    recipe = recipes.get(name)
    assert recipe.name == name
    G, D = recipe.networks(0)
    z, y = torch.randn(3, z_dim_of(G)), [torch.zeros(3).long()] * recipe.labels
    x = G.eval()(z, *y)
    expected = SHAPES[recipe.data] if recipe.data is None or isinstance(recipe.data, str) else (2,)
    expected = LARGER.get(name, expected)
    assert x.shape == (3, *expected)
    assert recipe.size in (None, expected[-1])
    assert D.eval()(x, *y).shape == (3,)


def test_the_seed_decides_the_first_weights():
    weights = []
    for seed in (0, 0, 1):
        G, D = recipes.get("digits").networks(seed)
        weights.append(torch.cat([p.flatten() for p in (*G.parameters(), *D.parameters())]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_modern_recipes_train_as_usual():
    for name, options in {
        "digits": {"steps": 3000, "ema": 0.99},
        "cgan-digits": {"steps": 3000, "ema": 0.99},
        "dcgan-mnist": {"steps": 5000, "batch": 64, "noise": "uniform", "ema": 0.999},
        "mnist-mlp": {"batch": 100, "ema": 0.99999, "ema_warmup": 1},
    }.items():
        recipe = recipes.get(name)
        assert recipe.objective == NON_SATURATING
        assert {option: getattr(recipe.config, option) for option in options} == options
        assert recipe.config.optimizer_d == recipe.config.optimizer_g == Adam()
        assert recipe.config.update == "alternating"


def test_dcgans_authors_add_l2_and_give_each_minibatch_to_one_network():
    """`train_uncond_dcgan.py`: 128 images, z uniform, 10⁻⁵ in both gradients; 25 epochs with N/256 updates of each."""
    recipe = recipes.get("dcgan-mnist-authors")
    config = recipe.config
    assert (config.batch, config.k, config.update, config.noise) == (128, 1, "one per minibatch", "uniform")
    assert config.optimizer_d == config.optimizer_g == Adam(2e-4, 0.5, 0.999, weight_decay=1e-5)
    assert (recipe.objective, recipe.epochs) == (NON_SATURATING, 25)
    assert recipe.G["variant"] == recipe.D["variant"] == "authors"
    assert recipe._with_epochs(torch.empty(60_000, 0)).steps == 25 * (60_000 // 256)


def test_epochs_are_passes_over_the_images_whatever_a_step_takes():
    """1,200 images: 12 batches of 100; a step takes one for each update of D, and one for G where it needs its own."""
    recipe, images = replace(recipes.get("mnist-mlp"), epochs=5), torch.empty(1200, 0)
    for objective, options, steps_an_epoch in (
        (NON_SATURATING, {}, 12),
        (NON_SATURATING, {"k": 3}, 4),
        (NON_SATURATING, {"k": 2, "update": "one per minibatch"}, 4),
        (RELATIVISTIC, {}, 6),
        (RELATIVISTIC, {"update": "one per minibatch"}, 6),
        (RELATIVISTIC, {"update": "simultaneous"}, 12),
    ):
        changed = replace(recipe, objective=objective, config=replace(recipe.config, **options))
        assert changed._with_epochs(images).steps == 5 * steps_an_epoch
        given = replace(recipe, objective=objective)._with_epochs(images, **options)
        assert given.steps == 5 * steps_an_epoch


def test_epochs_are_counted_with_the_options_of_the_run():
    """1,200 images are 12 batches of 100, 24 of 50; what is given is not counted."""
    images, recipe = torch.empty(1200, 0), replace(recipes.get("gan2014-mnist"), epochs=5)
    config = recipe._with_epochs(images, batch=50)
    assert (config.steps, config.batch, config.optimizer_d) == (120, 50, replace(recipes.SGD_2014, epoch=24))
    assert recipe._with_epochs(images, steps=7).steps == 7
    given = recipe._with_epochs(images, batch=50, optimizer_g=SGD(epoch=3))
    assert (given.steps, given.optimizer_g, given.optimizer_d) == (120, SGD(epoch=3), config.optimizer_d)


def test_the_conditional_digits_are_the_digits_with_labels():
    plain, labelled = recipes.get("digits"), recipes.get("cgan-digits")
    assert (labelled.data, labelled.objective, labelled.config) == (plain.data, plain.objective, plain.config)
    for network in ("G", "D"):
        named, conditional = getattr(plain, network), getattr(labelled, network)
        assert conditional == named | {"name": f"Conditional{named['name']}"}
    assert [plain.labels, labelled.labels] == [False, True]


def test_the_modern_pair_is_as_wide_as_the_generator_of_2014():
    def widths(net: nn.Module) -> list[int]:
        return [layer.out_features for layer in net.modules() if isinstance(layer, nn.Linear)][:-1]

    ours, theirs = recipes.get("mnist-mlp").networks(0), recipes.get("gan2014-mnist").networks(0)
    assert widths(ours[0]) == widths(ours[1]) == widths(theirs[0])


@pytest.mark.parametrize("name", ["gan2014-faces-1", "gan2014-faces-2"])
def test_the_discriminator_of_faces_keeps_to_the_released_limit(name: str):
    D: Any = models.build(recipes.get(name).D)
    layers = [module for module in D.modules() if isinstance(module, nn.Linear)]
    with torch.no_grad():
        for layer in layers:
            layer.weight.fill_(1.0)
    D.constrain()
    for layer in layers:
        torch.testing.assert_close(layer.weight.norm(dim=1), torch.full((layer.out_features,), 1.9365))


@pytest.mark.parametrize("labels", [True, False])
def test_a_recipe_on_a_law_takes_its_labels_where_it_says_so(labels: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recipes.Recipe, "networks", lambda *_: (LabelledG(8), LabelledD(8)))
    recipe = recipes.Recipe(
        "ring", "", data.ring(), {}, {}, NON_SATURATING, TrainConfig(steps=2, device="cpu"), labels=labels
    )
    if labels:
        assert len(list(recipe.trainer().run())) == 2
    else:
        with pytest.raises(ConfigError, match=r"give labels="):
            recipe.trainer()


def test_the_ring_is_least_squares_of_0_1_1():
    recipe = recipes.get("ring")
    assert recipe.objective == least_squares(0, 1, 1)
    assert (recipe.config.steps, recipe.config.batch) == (20_000, 512)
    assert (recipe.config.optimizer_d, recipe.config.optimizer_g) == (Adam(1e-4), Adam(1e-3))


def test_an_unknown_recipe_is_named_with_those_there_are():
    with pytest.raises(ConfigError, match=r"^recipe is 'dcgan'; give one of digits, cgan-digits, dcgan-mnist, "):
        recipes.get("dcgan")
    assert "mnist-dcgan" not in recipes.RECIPES
