"""DCGAN's guidelines as checks: what keeps them, what breaks exactly one, and what is said of it."""

import copy
import math

import pytest
import torch
from dcgans import LEAKY, LINEAR, NORM, OUTPUT, RELU, STRIDES, WEIGHTS, said_of
from torch import Tensor, nn

from ganlab import models
from ganlab.errors import ConfigError, ShapeError
from ganlab.models.base import init_normal
from ganlab.models.deviations import COPIES, DEVIATIONS, deviating
from ganlab.models.guidelines import check

BROKEN = {
    "max-pooling in D": STRIDES,
    "upsampling in G": STRIDES,
    "batch norm after D's first layer": NORM,
    "batch norm at G's output": NORM,
    "no batch norm in G": NORM,
    "batch norm with ε = 0.8": NORM,
    "a hidden fully connected layer": LINEAR,
    "slope 0.01 in D": LEAKY,
    "ReLU in D": LEAKY,
    "LeakyReLU in G": RELU,
    "sigmoid at G's end": RELU,
    "tanh at D's end": OUTPUT,
    "one law for all, gains too": WEIGHTS,
    "PyTorch's own first weights": WEIGHTS,
}


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def pair() -> tuple[nn.Module, nn.Module]:
    return deviating()


@pytest.mark.parametrize("variant", models.VARIANTS)
@pytest.mark.parametrize("size", [8, 16, 28, 64])
def test_the_courses_dcgan_keeps_all(size: int, variant: str):
    G, D = models.DCGANGenerator(size, 3, 4, variant=variant), models.DCGANDiscriminator(size, 3, 4, variant=variant)
    report = check(G, D)
    assert (report.broken, report.unread) == ((), ())
    assert len(report.findings) == 7


def test_every_deviation_is_listed_here():
    assert BROKEN.keys() == set(DEVIATIONS)


@pytest.mark.parametrize("name", DEVIATIONS)
def test_a_deviation_breaks_exactly_its_guideline(name: str):
    report = check(*deviating(name))
    assert (report.broken, report.unread) == ((BROKEN[name],), ())


@pytest.mark.parametrize(("name", "deviations"), COPIES.items())
def test_what_three_much_copied_dcgans_break(name: str, deviations: tuple[str, ...]):
    assert set(check(*deviating(*deviations)).broken) == {BROKEN[deviation] for deviation in deviations}


@pytest.mark.parametrize(
    ("name", "guideline", "said"),
    [
        ("max-pooling in D", STRIDES, "D holds max_pool2d (net.1)"),
        ("upsampling in G", STRIDES, "G holds upsample_nearest2d (net.6)"),
        ("batch norm after D's first layer", NORM, "batch norm (net.1) follows D's first layer (net.0)"),
        ("batch norm at G's output", NORM, "batch norm (net.7) follows G's output (net.6)"),
        ("batch norm with ε = 0.8", NORM, "G's batch norm (net.4) has ε = 0.8, as large as a variance"),
        ("a hidden fully connected layer", LINEAR, "D's linear (net.6) connects everything with everything"),
        ("slope 0.01 in D", LEAKY, "D's LeakyReLU (net.1) has slope 0.01; D's LeakyReLU (net.4) has slope 0.01"),
        ("sigmoid at G's end", RELU, "G ends in sigmoid after net.6"),
        ("tanh at D's end", OUTPUT, "D ends in tanh after net.5"),
    ],
)
def test_the_layer_is_named(name: str, guideline: str, said: str):
    assert said_of(guideline, *deviating(name)) == said


def test_gains_drawn_as_weights_are_named():
    assert "G's gain (net.1) is 0 on average, not 1" in said_of(WEIGHTS, *deviating("one law for all, gains too"))


@pytest.mark.parametrize(
    ("norm", "said"),
    [
        (nn.InstanceNorm2d(16, affine=True), "instance_norm follows D's convolution (net.2)"),
        (nn.GroupNorm(4, 16), "group_norm follows D's convolution (net.2)"),
        (nn.LayerNorm([16, 4, 4]), "layer_norm follows D's convolution (net.2)"),
    ],
)
def test_other_norms_are_not_taken_for_batch_norm(pair, norm: nn.Module, said: str):
    G, D = pair
    D.get_submodule("net")[3] = norm
    assert check(G, D).broken == (NORM,)
    assert said_of(NORM, G, D) == said


def test_global_pooling_is_pooling_and_a_mean_over_the_batch_is_not(pair):
    class Mean(nn.Module):
        def __init__(self, over: tuple[int, ...]):
            super().__init__()
            self.body, self.end, self.over = pair[1].get_submodule("net")[:-1], nn.Conv2d(16, 1, 1), over
            init_normal(self)

        def forward(self, x: Tensor) -> Tensor:
            h = self.body(x)
            return self.end(h.mean(self.over, keepdim=True)).flatten()

    assert check(pair[0], Mean((2, 3))).broken == (STRIDES,)


@pytest.mark.parametrize("change", ["uniform", "shifted", "narrow"])
def test_weights_of_another_law_are_noticed(pair, change: str):
    """Of the right spread, but uniform; moved by a tenth of it; a tenth too narrow."""
    G, D = pair
    weight = G.get_submodule("net")[0].weight
    with torch.no_grad():
        if change == "uniform":
            weight.uniform_(-0.02 * math.sqrt(3), 0.02 * math.sqrt(3))
        else:
            weight.copy_(weight + 0.002 if change == "shifted" else 0.9 * weight)
    assert check(G, D).broken == (WEIGHTS,)


def test_dcgans_weights_are_never_refused_by_chance():
    """Five standard errors: of 200 draws of six tensors none is refused."""
    for seed in range(100):
        torch.manual_seed(seed)
        assert check(*deviating()).broken == ()


def test_a_constant_gain_of_1_is_as_good(pair):
    for network in pair:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.ones_(module.weight)
    assert check(*pair).broken == ()


def test_stride_3_and_a_wrong_way_of_growing_break_the_rule(pair):
    G, _ = pair
    D = nn.Sequential(nn.Conv2d(1, 8, 6, 3, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 5), nn.Flatten(0))
    init_normal(D)
    assert said_of(STRIDES, G, D) == "D's convolution (0) changes the size of its maps with stride 3"
    D = nn.Sequential(nn.Conv2d(1, 8, 5), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 12), nn.Flatten(0))
    init_normal(D)
    assert said_of(STRIDES, G, D).startswith("D's convolution (0) changes the size of its maps with stride 1")


def test_a_convolution_that_sees_its_whole_map_is_fully_connected(pair):
    G, D = pair
    net = D.get_submodule("net")
    D.add_module(
        "net",
        nn.Sequential(
            *net[:-1], nn.Conv2d(16, 32, 4, bias=False), nn.BatchNorm2d(32), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 1)
        ),
    )
    init_normal(D)
    assert said_of(LINEAR, G, D) == "D's convolution (net.5) connects everything with everything"


def test_fully_connected_networks_have_no_strides():
    report = check(models.MLPGenerator(z_dim=5, side=8), models.MLPDiscriminator(side=8))
    assert {STRIDES, LINEAR} <= set(report.broken)
    assert "D has no convolution with stride 2" in report.findings[0].said


def test_dropout_changes_nothing(pair):
    G, D = pair
    net = D.get_submodule("net")
    D.add_module("net", nn.Sequential(*net[:2], nn.Dropout(0.5), nn.Dropout2d(0.3), *net[2:]))
    assert check(G, D).broken == check(G, D).unread == ()


# What the check leaves, and refuses ----------------------------------------------------------------------------------


def test_the_networks_and_torchs_random_numbers_stay_as_they_are(pair):
    G, D = pair
    before = [copy.deepcopy(m.state_dict()) for m in pair]
    numbers, mode = torch.get_rng_state(), G.eval().training
    check(G, D)
    assert torch.equal(numbers, torch.get_rng_state())
    assert G.training == mode
    for network, old in zip(pair, before, strict=True):
        assert all(torch.equal(value, old[key]) for key, value in network.state_dict().items())
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_a_report_is_a_table_in_text_and_in_html():
    report = check(*deviating("max-pooling in D"))
    lines = str(report).splitlines()
    assert len(lines) == len(report.findings)
    assert [line[0] for line in lines] == ["✗", *"✓" * 6]
    page = report._repr_html_()
    assert page.count("<tr>") == 7
    assert "N(0, 0.02²)" in page
    assert "G&#x27;s last" in page
    assert repr(report) == str(report)


@pytest.mark.parametrize(
    ("G", "D", "kind", "said"),
    [
        (nn.Linear(3, 4), nn.Linear(4, 1), ConfigError, "G has no z_dim; give z, an example batch for it."),
        (
            models.DCGANGenerator(16, 1, 2),
            models.DCGANDiscriminator(8, 1, 2),
            ShapeError,
            "D on an example [4, 1, 16, 16] raised ShapeError; give an example batch that it takes.",
        ),
        (
            models.DCGANGenerator(16, 1, 2),
            nn.LSTM(16, 3),
            ShapeError,
            "D on an example [4, 1, 16, 16] raised",
        ),
    ],
)
def test_what_cannot_be_checked_is_refused_in_a_line(G: nn.Module, D: nn.Module, kind: type, said: str):
    with pytest.raises(kind) as caught:
        check(G, D)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_module_that_gives_two_tensors_is_refused():
    class Two(nn.Module):
        z_dim = 3

        def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
            return z, z

    with pytest.raises(ShapeError, match="G gives a tuple; give a module that returns one tensor"):
        check(Two(), nn.Linear(3, 1))


def test_examples_may_be_given():
    G, D = (m.get_submodule("net") for m in deviating())
    report = check(G, D, z=torch.randn(3, 100, 1, 1), x=torch.zeros(5, 1, 16, 16))
    assert report.broken == ()


def test_an_unknown_deviation_lists_those_there_are():
    with pytest.raises(ConfigError, match=r"'pooling' is no deviation; give some of max-pooling in D, "):
        deviating("pooling")
