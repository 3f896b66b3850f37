"""Networks of every make, as the check of DCGAN's guidelines reads them."""

from typing import Any

import pytest
import torch
from dcgans import LEAKY, LINEAR, NORM, OUTPUT, RELU, STRIDES, WEIGHTS, said_of
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from ganlab.models.base import init_normal
from ganlab.models.deviations import deviating
from ganlab.models.guidelines import check
from ganlab.models.traced import trace


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def pair() -> tuple[nn.Module, nn.Module]:
    return deviating()


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
