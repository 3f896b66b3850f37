"""What comes into `Trainer`: made to work where it is clear, refused in a line where it is not, and left as it is."""

import dataclasses
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import own
import pytest
import sympy as sp
import torch
from own import DIGITS, ImageD, ImageG, image_trainer, refusal, toy_ensemble, wrong
from tiny import TinyD, TinyG, assert_equal, examples, run, tiny_trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from ganlab import data, models, objectives
from ganlab.errors import ConfigError
from ganlab.objectives import NON_SATURATING, Objective, least_squares
from ganlab.training import SGD, Adam, TrainConfig, Trainer, front_door
from ganlab.training.rehearsal import Fit

# Data -----------------------------------------------------------------------------------------------------------------


def test_images_may_come_as_a_set_or_an_array():
    expected = run(image_trainer()).history
    swapped = DIGITS.images.numpy()[:, ::-1]  # a view with a negative stride
    read_only = DIGITS.images.numpy().copy()
    read_only.setflags(write=False)
    for same in (DIGITS, DIGITS.images.numpy(), read_only, swapped[:, ::-1]):
        assert torch.equal(run(image_trainer(x=same)).history, expected)


def test_other_precisions_become_float32():
    x = DIGITS.images.float() / 127.5 - 1
    expected = run(image_trainer(x=x)).history
    for same in (x.double(), x.numpy().astype(np.float64), x.numpy().astype(">f4"), x.clone().requires_grad_()):
        assert torch.equal(run(image_trainer(x=same)).history, expected)
    for half in (x.half(), x.bfloat16(), x.numpy().astype(np.float16)):
        batch = image_trainer(x=half).real_batch(0)
        assert batch.dtype is torch.float32
        torch.testing.assert_close(batch, image_trainer(x=x).real_batch(0), atol=0.01, rtol=0)


class Pairs(Dataset):
    def __len__(self) -> int:
        return len(DIGITS)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return DIGITS.images[i], int(DIGITS.labels[i])


def test_other_kinds_of_data_are_named_and_the_advice_works():
    kinds: dict[str, object] = {
        "loader": DataLoader(TensorDataset(DIGITS.images), 16),
        "dataset": TensorDataset(DIGITS.images),
        "pairs": Pairs(),
        "data": (DIGITS.images, DIGITS.labels),
        "examples": list(DIGITS.images),
    }
    for name, given in kinds.items():
        line = refusal(lambda given=given: image_trainer(x=given))
        advice = line.removesuffix(".").rpartition(": ")[2]
        names = {"torch": torch, "dataset": given, name: given}
        if " = " in advice:
            exec(advice, names)
            images = names["images"]
        else:
            images = eval(advice, names)
        assert isinstance(images, Tensor)
        assert torch.equal(images, DIGITS.images)
    assert "load it first: data.load(name).images" in refusal(lambda: image_trainer(x="digits"))
    assert "data is None; give a tensor, or a law" in refusal(lambda: image_trainer(x=None))
    assert "data is the function load" in refusal(lambda: image_trainer(x=data.load))
    for other in (DIGITS.labels, DIGITS.images.long(), DIGITS.images.bool(), torch.zeros(64, 2, dtype=torch.complex64)):
        assert f"examples are {other.dtype}; give uint8" in refusal(lambda other=other: image_trainer(x=other))
    assert "one number" in refusal(lambda: image_trainer(x=torch.tensor(1.0)))
    assert "a sparse_coo tensor" in refusal(lambda: image_trainer(x=torch.eye(64).to_sparse()))
    assert "examples are <U1" in refusal(lambda: image_trainer(x=np.array(["a", "b"])))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_is_named_by_its_number(bad: float):
    x = DIGITS.images.float() / 127.5 - 1
    x[7, 0, 3, 3] = bad
    x[9] = bad
    assert "example 7 holds NaN or infinity, one of 2 among 64" in refusal(lambda: image_trainer(x=x))
    assert "example 7 holds" in refusal(lambda: image_trainer(x=x.double().numpy()))
    too_large = torch.full((64, 1, 8, 8), 1e300, dtype=torch.float64)
    assert "example 0 holds" in refusal(lambda: image_trainer(x=too_large))


class OwnLaw:
    """A law of one's own: points on a line, drawn in any way."""

    def __init__(self, draw: Callable[[int, torch.Generator], object]) -> None:
        self.draw = draw

    def sample(self, n: int, generator: torch.Generator) -> object:
        return self.draw(n, generator)


def test_a_law_is_tried_once():
    def on_law(draw: Callable[[int, torch.Generator], object]) -> Trainer:
        return Trainer(TinyG(), TinyD(), NON_SATURATING, OwnLaw(draw), TrainConfig(steps=2, batch=8, device="cpu"))

    in_float64 = run(on_law(lambda n, g: torch.randn(n, 2, generator=g, dtype=torch.float64)))
    assert in_float64.history.isfinite().all()
    for draw, named in (
        (lambda n, _: np.zeros((n, 2)), "draws a ndarray"),
        (lambda n, _: torch.zeros(n, 2, dtype=torch.int64), "draws torch.int64"),
        (lambda n, _: torch.zeros(n + 1, 2), r"draws [9, 2] for 8 examples"),
        (lambda n, _: torch.full((n, 2), torch.nan), "not finite"),
        (lambda *_: 1 / 0, "cannot draw 8 examples"),
    ):
        assert named in refusal(lambda draw=draw: on_law(draw))


# Ranges ---------------------------------------------------------------------------------------------------------------


def test_float_images_on_another_scale_are_refused_with_both_ranges():
    fractions, bytes_as_floats = DIGITS.images.float() / 255, DIGITS.images.float()
    G: Any
    for G in (ImageG(), models.MLPGenerator(4, side=8, hidden=(8,))):
        for x, span in ((fractions, "0 … 1"), (bytes_as_floats, "0 … 255")):
            line = refusal(lambda G=G, x=x: image_trainer(G, x=x))
            assert span in line
            assert "−1 … 1" in line
        G.output_range = None  # what the message says to do when it is meant
        assert run(image_trainer(G, x=fractions)).step == 3
    assert run(image_trainer(x=fractions * 2 - 1)).step == 3  # and when it is not


def test_a_range_that_G_cannot_quite_reach_is_said_once():
    standardised = (DIGITS.images.float() / 255 - 0.3) / 0.35
    with pytest.warns(UserWarning, match=r"examples lie in −0\.857\d … 2 where G gives −1 … 1") as said:
        run(image_trainer(x=standardised))
    assert len(said) == 1
    assert said[0].filename == own.__file__  # where the trainer is made
    run(image_trainer(ImageG(lambda t: t), x=standardised))  # an unbounded G: nothing to say
    run(image_trainer(x=0.8 * (DIGITS.images.float() / 127.5 - 1)))  # well within: nothing either


def test_a_G_that_ends_in_a_sigmoid_must_say_so():
    for last in (torch.sigmoid, lambda t: t.tanh() * 0.5 + 0.5, lambda t: t.sigmoid().clone().unsqueeze(1).squeeze(1)):
        line = refusal(lambda last=last: image_trainer(ImageG(last)))
        assert "set G.output_range = (0, 1)" in line
        G = ImageG(last)
        G.output_range = (0, 1)  # what the message says
        assert image_trainer(G).real_batch(0).min() == 0
    for last in (torch.tanh, nn.Identity()):
        assert image_trainer(ImageG(last)).real_batch(0).min() == -1


def test_a_range_that_is_said_must_be_the_last_layers():
    for last, said, right in ((torch.tanh, (0, 1), (-1.0, 1.0)), (torch.sigmoid, (-1, 1), (0.0, 1.0))):
        G = ImageG(last)
        G.output_range = said
        assert f"set G.output_range = {right}" in refusal(lambda G=G: image_trainer(G))
        G.output_range = right
        assert image_trainer(G).value_range == right
    G = ImageG()
    G.output_range = np.array([-0.9, 0.9])
    assert image_trainer(G).value_range == (-0.9, 0.9)
    for nonsense in (1, (1, -1), (0, np.nan), ("a", "b"), (0, 1, 2)):
        G.output_range = nonsense
        assert "two finite numbers" in refusal(lambda: image_trainer(G))


# Arguments and objectives ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: image_trainer(objective="lsgan"), "objective is 'lsgan'; give an Objective"),
        (lambda: image_trainer(objective=least_squares), "objective is the function least_squares"),
        (
            lambda: Trainer(ImageG(), ImageD(), NON_SATURATING, DIGITS, wrong({})),
            "config is {}; give training.TrainConfig",
        ),
        (lambda: Trainer(ImageG(), ImageD(), NON_SATURATING, DIGITS, wrong(DIGITS.labels)), "config is a Tensor"),
        (lambda: Trainer(ImageG(), ImageD(), NON_SATURATING, DIGITS, rank=wrong("1")), "rank is '1'"),
        (lambda: Trainer(ImageG(), ImageD(), NON_SATURATING, DIGITS, rank=-1), "rank is -1"),
        (lambda: image_trainer(ImageG), "G is the type ImageG; give a network"),
        (lambda: image_trainer(D=torch.tanh), "D is the builtin_function_or_method tanh"),
        (lambda: image_trainer().sample(0), "n is 0; give an integer of at least 1"),
        (lambda: image_trainer().sample(-1), "n is -1"),
        (lambda: image_trainer().sample(wrong(2.5)), "n is 2.5"),
        (lambda: image_trainer().sample(10**11), "n is 100,000,000,000, which takes"),
        (lambda: toy_ensemble(seeds=3), "seeds is 3; give several, such as range(3)"),
        (lambda: toy_ensemble(seeds=["a"]), "a seed is 'a'"),
        (lambda: toy_ensemble(make="pair"), "make is 'pair'; give a function"),
        (lambda: toy_ensemble(make=lambda: ImageG()), "let it give a pair of networks"),
        (lambda: toy_ensemble().sample(-1), "n is -1"),
        (lambda: toy_ensemble().sample(10**11), "give a smaller n, such as"),
        (lambda: Adam(lr=-1), "lr is -1; give a finite number of at least 0"),
        (lambda: Adam(lr=torch.inf), "lr is inf"),
        (lambda: Adam(lr=wrong("fast")), "lr is 'fast'"),
        (lambda: Adam(beta2=1.0), "beta2 is 1.0; give a share in"),
        (lambda: SGD(momentum=1), "momentum is 1"),
        (lambda: SGD(decay=0.5), "decay is 0.5; give a number of at least 1"),
        (lambda: SGD(lr_floor=torch.nan), "lr_floor is nan"),
        (lambda: SGD(final_momentum=wrong("high")), "final_momentum is 'high'"),
        (lambda: TrainConfig(seed=wrong(1.5)), "seed is 1.5; give an integer"),
        (lambda: TrainConfig(seed=True), "seed is True"),
        (lambda: TrainConfig(compile=wrong("yes")), "compile is 'yes'; give True or False"),
        (lambda: TrainConfig(device=wrong(0)), "device is 0; give a name"),
        (lambda: TrainConfig(noise=wrong(["normal"])), "noise is ['normal']"),
        (lambda: TrainConfig(ema=wrong("0.9")), "ema is '0.9'"),
        (lambda: TrainConfig(ema=wrong(torch.zeros(2))), "ema is"),
        (lambda: TrainConfig(instance_noise=torch.inf), "instance_noise is inf"),
        (lambda: TrainConfig(optimizer_d=wrong(torch.optim.Adam)), "optimizer_d is the type Adam; give training.Adam"),
    ],
)
def test_arguments_of_another_kind_are_named(make: Callable[[], object], named: str):
    assert named in refusal(make)


def test_numbers_of_numpy_and_torch_become_plain():
    ours = TrainConfig(
        seed=wrong(np.int64(3)),
        ema=wrong(np.float32(0.5)),
        steps=wrong(np.int32(9)),
        optimizer_g=Adam(wrong(torch.tensor(0.25))),
    )
    plain = TrainConfig(seed=3, ema=0.5, steps=9, optimizer_g=Adam(0.25))
    assert ours == plain
    for one, other in zip(map(type, dataclasses.astuple(ours)), map(type, dataclasses.astuple(plain)), strict=True):
        assert one is other
    assert TrainConfig(device=wrong(torch.device("cpu"))).device == "cpu"


def test_a_rate_that_has_decayed_to_nothing_is_zero():
    assert SGD(1.0, decay=2).at(10**6)["lr"] == 0
    assert SGD(1.0, decay=2.5, lr_floor=0.1).at(10**6)["lr"] == 0.1


def objective(real: sp.Expr, fake: sp.Expr, output: Any = "probability") -> Objective:
    return Objective(name="own", real=real, fake=fake, generator=-objectives.D, output=output, source="here")


def test_a_loss_of_D_with_its_sign_turned_is_refused_and_the_advice_works():
    D = objectives.D
    for real, fake in ((sp.log(D), sp.log(1 - D)), (-sp.log(D), sp.log(1 - D)), (sp.log(D), -sp.log(1 - D))):
        line = refusal(lambda real=real, fake=fake: image_trainer(objective=objective(real, fake)))
        losses = {"real": real, "fake": fake}
        while "turn its sign" in line:
            role, expression = line.removesuffix(".").rpartition("turn its sign: ")[2].split(" = ")
            losses[role] = sp.sympify(expression, {"D": D})
            try:
                image_trainer(objective=objective(**losses))
                line = ""
            except ConfigError as error:
                line = str(error)
        assert losses == {"real": -sp.log(D), "fake": -sp.log(1 - D)}
    turned = objective(-((D - 1) ** 2), -(D**2), "score")
    assert "turn its sign" in refusal(lambda: image_trainer(objective=turned))


def test_a_loss_of_G_with_its_sign_turned_is_refused_and_the_advice_works():
    D = objectives.D
    games = {
        "probability": (-sp.log(D), -sp.log(1 - D), (sp.log(D), -sp.log(1 - D))),
        "score": ((D - 1) ** 2, D**2, (D, -((D - 1) ** 2))),
    }
    for output, (real, fake, turned) in games.items():
        for generator in turned:

            def own(loss: sp.Expr, real=real, fake=fake, output: Any = output) -> Objective:
                return Objective(name="own", real=real, fake=fake, generator=loss, output=output, source="here")

            line = refusal(lambda own=own, generator=generator: image_trainer(objective=own(generator)))
            advised = sp.sympify(line.removesuffix(".").rpartition("generator = ")[2], {"D": D})
            assert advised == -generator
            assert image_trainer(objective=own(advised)).step == 0
    for coding in ((0, 1, 1), (-1, 1, 0), (1, 0, 0), (0, 1, 0)):
        front_door.refuse_turned_generator(least_squares(*coding))
    for known in (NON_SATURATING, objectives.MINIMAX, objectives.GAN_2014, objectives.RELATIVISTIC):
        front_door.refuse_turned_generator(known)


def test_an_objective_without_a_lower_bound_is_said_and_trains():
    wasserstein = objective(-objectives.D, objectives.D, "score")
    with pytest.warns(UserWarning, match="own: (real|fake) = .* has no lower bound"):
        assert run(image_trainer(objective=wasserstein)).step == 3
    for bounded in (NON_SATURATING, objectives.MINIMAX, objectives.GAN_2014, least_squares(0, 1, 1)):
        assert front_door.refuse_turned_sign(bounded) == []


# No trace -------------------------------------------------------------------------------------------------------------


def unlooked(trainer_of: Callable[[], Trainer], monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """The same trainer, made without a first batch through its networks."""
    plain = Fit((), flat=False, copies_z=False, copies_x=False, last_of_G="", last_of_D="", fake=torch.zeros(1))
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_looked_at", lambda *_: (plain, []))
        return trainer_of()


@pytest.mark.parametrize(
    "options",
    [{}, {"ema": 0.9}, {"k": 2, "precision": "bfloat16"}, {"update": "simultaneous", "instance_noise": 0.1}],
    ids=str,
)
def test_runs_are_what_they_are_without_the_door(options: dict, monkeypatch: pytest.MonkeyPatch):
    def make() -> Trainer:
        return tiny_trainer(**options)

    looked, plain = make(), unlooked(make, monkeypatch)
    assert_equal(looked.state_dict(), plain.state_dict())
    assert_equal(run(looked).state_dict(), run(plain).state_dict())


class CountingD(TinyD):
    """Keeps everything that a forward pass may leave behind."""

    def __init__(self) -> None:
        super().__init__()
        self.net.insert(1, nn.BatchNorm1d(8))
        self.passes, self.seen = 0, []
        self.register_buffer("noise", torch.zeros(2))

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        self.seen.append(x)
        self.noise = torch.randn(2)
        return super().forward(x)


def test_the_door_leaves_no_trace():
    G, D = TinyG(), CountingD()
    before = {name: value.clone() for name, value in {**G.state_dict(), **D.state_dict()}.items()}
    strides = [parameter.stride() for parameter in D.parameters()]
    torch.manual_seed(11)
    numbers, state = wrong(np.random.get_state())[1].copy(), torch.get_rng_state()  # noqa: NPY002
    Trainer(G, D, NON_SATURATING, examples(), TrainConfig(batch=8, device="cpu"))
    assert torch.equal(torch.get_rng_state(), state)
    assert (wrong(np.random.get_state())[1] == numbers).all()  # noqa: NPY002
    assert_equal({**G.state_dict(), **D.state_dict()}, before)
    assert (D.passes, D.seen) == (0, [])
    assert [parameter.stride() for parameter in D.parameters()] == strides
    assert all(parameter.grad is None for model in (G, D) for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in D.modules())


def test_a_network_that_cannot_be_copied_is_looked_at_all_the_same():
    class LockedG(TinyG):
        def __init__(self) -> None:
            super().__init__()
            self.progress = (step for step in range(3))  # no generator can be copied

    before = LockedG().state_dict().keys()
    torch.manual_seed(1)
    G = LockedG()
    state = {name: value.clone() for name, value in G.state_dict().items()}
    config = TrainConfig(steps=3, batch=8, device="cpu")
    locked = Trainer(G, TinyD(), NON_SATURATING, examples(), config)
    assert_equal({name: G.state_dict()[name] for name in before}, state)
    assert run(locked).history.isfinite().all()
    with pytest.raises(ConfigError, match=r"LockedG holds what cannot be copied .* set ema=0"):
        Trainer(LockedG(), TinyD(), NON_SATURATING, examples(), dataclasses.replace(config, ema=0.9))


def test_the_door_takes_milliseconds():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        G, D = models.MLPGenerator(64, side=8), models.MLPDiscriminator(side=8)
        made = image_trainer(G, D, data.load("digits"))
    times = []
    for _ in range(5):
        start = time.process_time()  # not what others take of the processor
        made._looked_at(DIGITS.images)
        times.append(time.process_time() - start)
    assert min(times) < 0.05
