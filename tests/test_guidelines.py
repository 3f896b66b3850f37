"""DCGAN's guidelines as checks: what keeps them, what breaks exactly one, and networks of every make."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from ganlab import models
from ganlab.errors import ConfigError, ShapeError
from ganlab.models.base import init_normal
from ganlab.models.deviations import COPIES, DEVIATIONS, deviating
from ganlab.models.guidelines import check
from ganlab.models.traced import trace

STRIDES, NORM, LINEAR = "strides instead of pooling", "batch norm", "no hidden fully connected layer"
LEAKY, RELU, OUTPUT, WEIGHTS = "D: LeakyReLU", "G: ReLU, tanh at the end", "D: raw logits or sigmoid", "initialisation"
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


def said_of(guideline: str, G: nn.Module, D: nn.Module, **examples: Tensor) -> str:
    (finding,) = [f for f in check(G, D, **examples).findings if f.guideline == guideline]
    return finding.said


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


# Other makes of the same networks ------------------------------------------------------------------------------------


class FunctionalG(nn.Module):
    """Functions alone, in place where they can be."""

    def __init__(self, relu=F.relu, grow: str = "stride"):
        super().__init__()
        self.z_dim, self.relu, self.grow = 100, relu, grow
        self.a, self.b = nn.ConvTranspose2d(100, 16, 4, bias=False), nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False)
        self.c = nn.ConvTranspose2d(8, 1, 4, 2, 1)
        self.gains = nn.ParameterList([torch.ones(16), torch.ones(8)])
        init_normal(self)

    def forward(self, z: Tensor) -> Tensor:
        h = z.reshape(len(z), -1, 1, 1)
        for layer, gain in zip((self.a, self.b), self.gains, strict=True):
            h = self.relu(F.batch_norm(layer(h), None, None, gain, torch.zeros(len(gain)), training=True))
        if self.grow == "interpolate":
            h = F.interpolate(h, scale_factor=2.0)
            return torch.tanh(F.conv_transpose2d(h, self.c.weight[:, :, 1:, 1:], padding=1))
        return torch.tanh(self.c(h))


class FunctionalD(nn.Module):
    def __init__(self, end=lambda t: t, pool: bool = False):
        super().__init__()
        self.end, self.pool = end, pool
        self.a, self.b = nn.Parameter(torch.empty(8, 1, 4, 4)), nn.Parameter(torch.empty(16, 8, 4, 4))
        self.c, self.norm = nn.Parameter(torch.empty(1, 256)), nn.BatchNorm2d(16)
        for weight in (self.a, self.b, self.c):
            nn.init.normal_(weight, 0, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu_(F.conv2d(x, self.a, stride=2, padding=1), 0.2)
        if self.pool:
            h = F.leaky_relu(self.norm(F.max_pool2d(F.conv2d(h, self.b[..., 1:, 1:], padding=1), 2)), 0.2)
        else:
            h = F.leaky_relu(self.norm(F.conv2d(h, self.b, stride=2, padding=1)), 0.2)
        return self.end(h.flatten(1) @ self.c.T).squeeze(1)


@pytest.mark.parametrize("relu", [F.relu, torch.relu_, Tensor.relu, lambda h: h.clamp(min=0), lambda h: h.clamp_min(0)])
def test_functional_networks_are_read(relu):
    report = check(FunctionalG(relu), FunctionalD(torch.sigmoid))
    assert (report.broken, report.unread) == ((), ())
    assert "a sigmoid" in str(report)


@pytest.mark.parametrize(
    ("G", "D", "guideline", "said"),
    [
        (FunctionalG(grow="interpolate"), FunctionalD(), STRIDES, "G holds upsample_nearest2d"),
        (FunctionalG(), FunctionalD(pool=True), STRIDES, "D holds max_pool2d"),
        (FunctionalG(), FunctionalD(torch.tanh), OUTPUT, "D ends in tanh after linear"),
        (
            FunctionalG(lambda h: F.leaky_relu(h, 0.2)),
            FunctionalD(),
            RELU,
            "LeakyReLU follows G's transposed convolution",
        ),
        (FunctionalG(F.silu), FunctionalD(), RELU, "silu follows G's transposed convolution (a); silu follows"),
        (FunctionalG(lambda h: h), FunctionalD(), RELU, "no activation follows G's transposed convolution (a)"),
    ],
)
def test_functional_deviations_are_found(G: nn.Module, D: nn.Module, guideline: str, said: str):
    report = check(G, D)
    assert (report.broken, report.unread) == ((guideline,), ())
    assert said_of(guideline, G, D).startswith(said)


@pytest.mark.parametrize(
    ("relu", "what"),
    [
        (lambda h: torch.maximum(h, 0 * h), "maximum"),
        (lambda h: torch.where(h > 0, h, 0 * h), "where"),
        (lambda h: h * torch.sigmoid(h), "mul of two activations"),
        (lambda h: h + h.pow(2).mean(), "pow"),
        (lambda h: h.clamp_min(0.5), "clamp_min"),
    ],
)
def test_what_cannot_be_read_is_named_and_nothing_is_said_to_be_kept(relu, what: str):
    G, D = FunctionalG(relu), FunctionalD()
    report = check(G, D)
    assert {STRIDES, NORM, LINEAR} <= set(report.unread)
    assert f"G holds {what}, which cannot be read" in said_of(STRIDES, G, D)
    assert not {LEAKY, OUTPUT} & {*report.unread, *report.broken}  # D's own guidelines are clear


def test_a_network_whose_operations_are_hidden_is_named(pair):
    class Hidden(nn.Module):
        z_dim = 100

        def forward(self, z: Tensor) -> Tensor:
            return torch.from_numpy(pair[0](z).detach().numpy().copy())

    report = check(Hidden(), pair[1])
    assert STRIDES in {*report.unread, *report.broken}
    assert "G's output does not come from its input by operations that can be seen" in said_of(NORM, Hidden(), pair[1])


def test_modules_in_a_dictionary_are_read(pair):
    class Dictionary(nn.Module):
        def __init__(self, layers: dict[str, nn.Module] | nn.ModuleDict):
            super().__init__()
            self.layers = layers
            self.z_dim = 100

        def forward(self, x: Tensor) -> Tensor:
            return self.layers["last"](self.layers["first"](x[:, :, None, None] if x.ndim == 2 else x))

    for kind in (dict, nn.ModuleDict):
        G, D = (
            Dictionary(kind({"first": nn.Sequential(*net[:3]), "last": nn.Sequential(*net[3:])}))
            for net in ([*m.get_submodule("net").children()] for m in pair)
        )
        assert check(G, D).broken == check(G, D).unread == ()
        G, D = (
            Dictionary(kind({"first": nn.Sequential(*net[:3]), "last": nn.Sequential(*net[3:])}))
            for net in ([*m.get_submodule("net").children()] for m in deviating("max-pooling in D"))
        )
        assert check(G, D).broken == (STRIDES,)


def test_a_shared_module_is_read_at_each_call(pair):
    class Shared(nn.Module):
        def __init__(self, slope: float):
            super().__init__()
            self.a, self.b = nn.Conv2d(1, 8, 4, 2, 1), nn.Conv2d(8, 16, 4, 2, 1, bias=False)
            self.norm, self.leak, self.end = nn.BatchNorm2d(16), nn.LeakyReLU(slope), nn.Conv2d(16, 1, 4)
            init_normal(self)

        def forward(self, x: Tensor) -> Tensor:
            return self.end(self.leak(self.norm(self.b(self.leak(self.a(x)))))).flatten()

    assert check(pair[0], Shared(0.2)).broken == ()
    assert said_of(LEAKY, pair[0], Shared(0.1)) == (
        "D's LeakyReLU (leak) has slope 0.1; D's LeakyReLU (leak (call 2)) has slope 0.1"
    )


def test_spectral_norm_is_read_and_its_weights_judged_as_they_are_used(pair):
    G, D = pair
    net = D.get_submodule("net")
    for layer in [m for m in net if isinstance(m, nn.Conv2d)]:
        parametrizations.spectral_norm(layer)
    report = check(G, D)
    assert (report.broken, report.unread) == ((WEIGHTS,), ())  # divided by its largest singular value
    assert "D's weights (net.0) have a standard deviation of" in said_of(WEIGHTS, G, D)


def test_lazy_layers_are_read_but_for_their_weights(pair):
    G, D = pair
    net = D.get_submodule("net")
    net[0], net[3] = nn.LazyConv2d(8, 4, 2, 1), nn.LazyBatchNorm2d()
    report = check(G, D)
    assert (report.broken, report.unread) == ((), (WEIGHTS,))
    assert "D's net.0.weight has no values before its first batch" in said_of(WEIGHTS, G, D)
    assert isinstance(net[0], nn.LazyConv2d)  # the network itself has seen no batch


def test_a_residual_network_is_read(pair):
    class Block(nn.Module):
        def __init__(self, shrink: nn.Module):
            super().__init__()
            self.a, self.b = nn.Conv2d(8, 8, 3, 1, 1, bias=False), nn.Conv2d(8, 8, 3, 1, 1, bias=False)
            self.norms, self.shrink = nn.ModuleList([nn.BatchNorm2d(8), nn.BatchNorm2d(8)]), shrink

        def forward(self, h: Tensor) -> Tensor:
            inner = F.leaky_relu(self.norms[0](self.a(h)), 0.2)
            return self.shrink(F.leaky_relu(h + self.norms[1](self.b(inner)), 0.2))

    class Residual(nn.Sequential):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (as its parent has it)
            return super().forward(input).flatten()

    layers = [nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), Block(nn.Identity()), nn.Conv2d(8, 1, 8)]
    D = Residual(*layers)
    init_normal(D)
    assert check(pair[0], D).broken == ()
    layers[2] = Block(nn.AvgPool2d(2))
    D = Residual(*layers[:3], nn.Conv2d(8, 1, 4))
    init_normal(D)
    assert check(pair[0], D).broken == (STRIDES,)
    assert said_of(STRIDES, pair[0], D) == "D holds avg_pool2d (2.shrink)"


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


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning", "ignore:.*torch.jit.*:DeprecationWarning")
def test_a_scripted_network_is_read(pair):
    G, D = pair
    scripted = torch.jit.script(D.get_submodule("net"))  # what a file of old may hold
    assert check(G, scripted).broken == ()


def test_a_network_that_is_to_be_compiled_is_read_as_it_was(pair):
    G, D = pair
    compiled: list[Any] = [torch.compile(network) for network in (G, D, deviating("max-pooling in D")[1])]
    assert check(*compiled[:2]).broken == ()
    assert said_of(STRIDES, G, compiled[2]) == "D holds max_pool2d (net.1)"


@pytest.mark.parametrize(
    "grow",
    [
        lambda h: h.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3),
        lambda h: F.pixel_shuffle(h.repeat(1, 4, 1, 1), 2),
        lambda h: h[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2).reshape(len(h), 8, 16, 16),
        lambda h: F.grid_sample(h, torch.zeros(len(h), 16, 16, 2), align_corners=False),
    ],
)
def test_every_way_of_growing_without_a_stride_is_found(pair, grow):
    class Grows(nn.Module):
        z_dim = 100

        def __init__(self):
            super().__init__()
            self.body, self.end = pair[0].get_submodule("net")[:6], nn.Conv2d(8, 1, 3, 1, 1)
            init_normal(self)

        def forward(self, z: Tensor) -> Tensor:
            return torch.tanh(self.end(grow(self.body(z[:, :, None, None]))))

    report = check(Grows(), pair[1])
    assert STRIDES in report.broken
    assert report.findings[0].said.startswith(("G holds ", "G's maps change from 8×8 to 16×16 before end"))


def test_every_second_pixel_is_no_stride_and_padding_is_no_change_of_size(pair):
    class Skips(nn.Module):
        def __init__(self, skip: bool):
            super().__init__()
            self.a, self.b = (
                nn.Conv2d(1, 8, 4, 2, 0),
                nn.Conv2d(8, 16, 3 if skip else 4, 1 if skip else 2, 1, bias=False),
            )
            self.norm, self.end, self.skip = nn.BatchNorm2d(16), nn.Conv2d(16, 1, 4), skip
            init_normal(self)

        def forward(self, x: Tensor) -> Tensor:
            h = F.leaky_relu(self.a(F.pad(x, (1, 1, 1, 1), mode="reflect")), 0.2)
            h = self.b(h[:, :, ::2, ::2] if self.skip else h)
            return self.end(F.leaky_relu(self.norm(h), 0.2)).flatten()

    assert check(pair[0], Skips(False)).broken == ()
    assert said_of(STRIDES, pair[0], Skips(True)) == "D's maps change from 8×8 to 4×4 before b"


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


def test_a_trace_tells_first_and_last_layers_and_shapes():
    _, D = deviating()
    seen = trace(D, torch.zeros(2, 1, 16, 16))
    assert [(layer.where, layer.shape_out) for layer in seen.layers] == [
        ("net.0", (2, 8, 8, 8)),
        ("net.2", (2, 16, 4, 4)),
        ("net.5", (2, 1, 1, 1)),
    ]
    assert [seen.is_first(layer) for layer in seen.layers] == [True, False, False]
    assert [seen.is_last(layer) for layer in seen.layers] == [False, False, True]
