"""Arguments and objectives at `Trainer`'s door: those of another kind are named, and the advice is carried out."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from own import DIGITS, ImageD, ImageG, image_trainer, refusal, toy_ensemble, wrong
from tiny import run

from ganlab import objectives
from ganlab.errors import ConfigError
from ganlab.objectives import NON_SATURATING, Objective, least_squares
from ganlab.training import SGD, Adam, TrainConfig, Trainer, front_door


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
    with pytest.warns(
        UserWarning, match="own: (real|fake) = .* has no lower bound, .*; keep its weights or its slope in bounds"
    ):
        assert run(image_trainer(objective=wasserstein)).step == 3
    for bounded in (NON_SATURATING, objectives.MINIMAX, objectives.GAN_2014, least_squares(0, 1, 1)):
        assert front_door.refuse_turned_sign(bounded) == []
