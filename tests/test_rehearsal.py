"""A first batch through both networks: which answers are taken, and how the others are refused."""

import numpy as np
import pytest
import torch
from own import ImageD, ImageG, image_trainer, refusal, seeded, toy_ensemble, toy_pair
from tiny import run
from torch import Tensor, nn

from ganlab.objectives import least_squares
from ganlab.training import R1, sample


@pytest.mark.parametrize("shape", [(-1, 1), (-1, 1, 1, 1)])
def test_logits_may_be_a_column(shape: tuple[int, ...]):
    flat, column = (
        image_trainer(D=seeded(lambda last=last: ImageD(last))) for last in (lambda t: t, lambda t: t.view(shape))
    )
    assert torch.equal(run(flat).history, run(column).history)


def test_z_may_be_wanted_as_a_map_of_one_pixel():
    class MapG(ImageG):
        def forward(self, z: Tensor) -> Tensor:
            n, z_dim, height, width = z.shape
            assert (height, width) == (1, 1)
            return super().forward(z.view(n, z_dim))

    flat, mapped = (run(image_trainer(seeded(G), seeded(ImageD))) for G in (ImageG, MapG))
    assert torch.equal(flat.history, mapped.history)
    assert torch.equal(flat.sample(7, seed=2), mapped.sample(7, seed=2))
    assert torch.equal(sample(mapped.G, 300, seed=2), sample(flat.G, 300, seed=2))


@pytest.mark.parametrize(
    ("last", "named"),
    [
        (lambda t: t.mean(), "D gives [] for 16 examples; give one logit each, [16]: leave out what averages"),
        (lambda t: t[:, None, None, None].expand(-1, 1, 2, 2), "D gives [16, 1, 2, 2]"),
        (lambda t: torch.stack([t, t], dim=1), "D gives [16, 2]"),
        (lambda t: (t, t), "D gives a tuple; let its forward give one floating-point tensor"),
        (lambda _: None, "D gives a NoneType"),
        (lambda t: (t > 0).long(), "D gives torch.int64"),
        (lambda t: t.double(), "D gives torch.float64; end its forward with .float()"),
        (lambda t: t * torch.nan, "D gives NaN or infinity"),
        (lambda t: t.detach(), "no gradient of D's output reaches the weights of D"),
        (torch.sigmoid, "D ends in a sigmoid; let it give its raw output"),
        (lambda t: t.sigmoid().view(-1, 1), "D ends in a sigmoid"),
        (nn.LogSigmoid(), "D ends in a logsigmoid"),
        (torch.tanh, "D ends in a tanh"),
    ],
)
def test_what_D_must_not_give(last, named: str):
    assert named in refusal(lambda: image_trainer(D=ImageD(last)))


def test_a_score_in_bounds_is_refused_where_it_is_a_probability():
    for coding in ((-1, 1, 0), (0, 1, 1)):
        line = refusal(lambda coding=coding: image_trainer(D=ImageD(torch.sigmoid), objective=least_squares(*coding)))
        assert "D ends in a sigmoid" in line
    assert run(image_trainer(D=ImageD(torch.tanh), objective=least_squares(-1, 1, 0))).step == 3


@pytest.mark.parametrize(
    ("last", "named"),
    [
        (lambda x: (x, x), "G gives a tuple"),
        (lambda x: x.double(), "G gives torch.float64"),
        (lambda x: x.detach(), "no gradient of D's output reaches the weights of G"),
        (lambda x: x * torch.nan, "G gives NaN"),
        (
            lambda x: x.view(-1, 64),
            "G gives [16, 64] where examples are [16, 1, 8, 8]; end its forward with .view(-1, 1, 8, 8)",
        ),
        (lambda x: x[:, :, :7], "G gives [16, 1, 7, 8] where examples are [16, 1, 8, 8]; give it the examples' shape"),
    ],
)
def test_what_G_must_not_give(last, named: str):
    class G(ImageG):
        def forward(self, z: Tensor) -> Tensor:
            return last(super().forward(z))

    assert named in refusal(lambda: image_trainer(G()))


def test_a_network_that_does_not_fit_is_named_with_its_layer():
    wide, narrow = ImageD(), ImageG()
    wide.net[1] = nn.Linear(784, 1)
    narrow.net = nn.Linear(5, 64)
    line = refusal(lambda: image_trainer(D=wide))
    assert "D (ImageD) fails on examples of shape [16, 1, 8, 8], in its Linear net.1, given [16, 64]" in line
    assert "G (ImageG) fails on z of shape [16, 4], in its Linear net, given [16, 4]" in refusal(
        lambda: image_trainer(narrow)
    )
    assert "between its layers" in refusal(lambda: image_trainer(D=ImageD(lambda t: t.view(3, 3, 3))))
    normed = ImageG()
    normed.last = nn.BatchNorm1d(64)
    assert "batch norm a batch of at least 2" in refusal(lambda: image_trainer(normed, batch=1))


def test_other_precisions_of_weights_are_refused_and_the_advice_works():
    for precision in (torch.float64, torch.bfloat16):
        G, D = ImageG().to(precision), ImageD().to(precision)
        assert f"G's net.weight is {precision}; make it float32 with G.float()" in refusal(
            lambda G=G, D=D: image_trainer(G, D)
        )
        assert run(image_trainer(G.float(), D.float())).step == 3


def test_there_must_be_something_to_train():
    frozen, empty = ImageG().requires_grad_(False), type("Empty", (nn.Module,), {"z_dim": 4})()
    assert "G (ImageG) has 2 parameters, all frozen" in refusal(lambda: image_trainer(frozen))
    assert "G (Empty) has no parameters" in refusal(lambda: image_trainer(empty))
    G = ImageG()
    assert "G and D are one and the same" in refusal(lambda: image_trainer(G, G))


@pytest.mark.parametrize("z_dim", [0, -1, True, None, 2.5, "4", [4]])
def test_z_dim_is_a_number_of_variables(z_dim: object):
    G = ImageG()
    G.z_dim = z_dim  # pyright: ignore[reportAttributeAccessIssue]
    assert "set it to the number of latent variables" in refusal(lambda: image_trainer(G))
    assert "set it to the number of latent variables" in refusal(lambda: sample(G, 3))
    G.z_dim = np.int64(4)  # pyright: ignore[reportAttributeAccessIssue]
    assert image_trainer(G).z_dim == 4


def test_all_that_is_unusual_is_said_at_once():
    """A generator of its own in G, and batch norm in a D that pays for its slope."""

    class DrawingG(ImageG):
        def __init__(self) -> None:
            super().__init__()
            self.source = torch.Generator()

    normed = ImageD()
    normed.net.insert(1, nn.BatchNorm1d(64))
    with (
        pytest.warns(UserWarning, match="G has a generator of its own, source"),
        pytest.warns(
            UserWarning, match="D has batch norm, which mixes the examples of a batch, and R1 is on D's slope"
        ),
    ):
        image_trainer(DrawingG(), normed, penalty=R1(1.0))


def test_samples_of_weights_that_are_nowhere_are_refused():
    assert "meta device" in refusal(lambda: sample(ImageG().to("meta"), 3))


# Ensembles ------------------------------------------------------------------------------------------------------------


def test_an_ensembles_members_come_through_the_same_door():
    assert "D ends in a sigmoid" in refusal(lambda: toy_ensemble(lambda: (toy_pair()[0], ProbableD())))
    assert "[16, 3] torch.float32; give a floating-point batch [n, 2]" in refusal(
        lambda: toy_ensemble(x=torch.zeros(20, 3))
    )
    assert "does more in its forward than its `.net`" in refusal(
        lambda: toy_ensemble(lambda: (ScaledG(), toy_pair()[1]))
    )
    assert [type(seed) for seed in toy_ensemble(seeds=np.arange(2)).seeds] == [int, int]


class ProbableD(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).squeeze(1)


class ScaledG(nn.Module):
    z_dim = 4

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 2))

    def forward(self, z: Tensor) -> Tensor:
        return 3 * self.net(z)


def test_frozen_layers_stay_frozen_in_an_ensemble():
    def half_frozen() -> tuple[nn.Module, nn.Module]:
        G, D = toy_pair()
        D.get_submodule("net.0").requires_grad_(False)
        return G, D

    before, after = toy_ensemble(half_frozen).D.state_dict(), run(toy_ensemble(half_frozen)).D.state_dict()
    assert {name for name in before if torch.equal(before[name], after[name])} == {"net.0.weight", "net.0.bias"}
