"""Options: what counts as a number, the ends of every range, and what is written of them."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from own import refusal, wrong

from ganlab.training import R1, SGD, WGANGP, Adam, RMSProp, TrainConfig
from ganlab.training.checks import integer, number, one_of, shown
from ganlab.training.config import options_of, plain

# What counts as a number ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [3, np.int64(3), np.uint8(3), np.array(3), torch.tensor(3), torch.tensor([3])])
def test_integers_of_all_kinds_are_pythons_own(given: object):
    assert type(integer("n", given)) is int
    assert integer("n", given, 3) == 3
    assert refusal(lambda: integer("n", given, 4)).endswith("; give an integer of at least 4.")


@pytest.mark.parametrize(
    "given",
    [True, np.True_, torch.tensor(True), np.array(True), 3.0, torch.tensor(3.0), "3", None, torch.tensor([3, 3]), [3]],
)
def test_what_is_no_integer_is_refused(given: object):
    assert refusal(lambda: integer("n", given)).endswith("; give an integer.")
    assert refusal(lambda: integer("n", given)).startswith(f"n is {shown(given)}")


@pytest.mark.parametrize("given", [0.5, np.float32(0.5), np.float64(0.5), torch.tensor(0.5), torch.tensor([[0.5]])])
def test_numbers_of_all_kinds_are_pythons_own(given: object):
    assert number("x", given, "…") == 0.5
    assert type(number("x", given, "…")) is float
    assert type(number("x", np.int64(2), "…")) is type(number("x", torch.tensor(2), "…")) is int


@pytest.mark.parametrize("given", [True, np.True_, torch.tensor(True), 1j, "0.5", None, torch.ones(2), [0.5]])
def test_what_is_no_number_is_refused(given: object):
    assert refusal(lambda: number("x", given, "a share")) == f"x is {shown(given)}; give a share."


def test_a_range_holds_its_lower_end_and_not_its_upper_one():
    assert number("x", 0, "…", 0, 1) == 0
    assert number("x", math.nextafter(1, 0), "…", 0, 1) < 1
    assert number("x", -1e300, "…") == -1e300
    for value in (1, 1.0, math.nextafter(0, -1), math.inf, -math.inf, math.nan):
        assert refusal(lambda value=value: number("x", value, "a share", 0, 1)) == f"x is {value}; give a share."
    for value in (math.inf, -math.inf, math.nan):
        assert "give any" in refusal(lambda value=value: number("x", value, "any"))
    for value in (10**400, -(10**5000), Fraction(10**400, 3)):
        assert refusal(lambda value=value: number("x", value, "any")) == "x is beyond every float; give any."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a", "'a'"),
        ([1, 2], "[1, 2]"),
        (np.zeros((2, 1)), "array([[0.], [0.]])"),
        ("x" * 58, repr("x" * 58)),
        ("x" * 59, "a str"),
        pytest.param(object(), "a object", id="object"),
        (int, "the type int"),
        (math.sin, "the builtin_function_or_method sin"),
        (torch.nn.ReLU(), "a ReLU"),
    ],
    ids=str,
)
def test_a_wrong_value_is_shown_short_and_on_one_line(value: object, said: str):
    assert shown(value) == said


def test_one_of_several_names():
    one_of("law", "b", ("a", "b"))
    for value in ("c", "", "ab", None, 0, ["a"]):
        assert refusal(lambda value=value: one_of("law", value, ("a", "b"))) == (
            f"law is {value!r}; give one of 'a', 'b'."
        )


# The ends of every range ----------------------------------------------------------------------------------------------

BELOW_1 = math.nextafter(1, 0)


@pytest.mark.parametrize(
    ("make", "option", "fits", "refused"),
    [
        (TrainConfig, "steps", [1], [0, 1.0]),
        (TrainConfig, "batch", [1], [0]),
        (TrainConfig, "k", [1, 5], [0]),
        (TrainConfig, "ema_warmup", [1], [0]),
        (TrainConfig, "seed", [-1, 2**63], [0.5]),
        (TrainConfig, "label_smoothing", [0, 0.499], [0.5, -0.1]),
        (TrainConfig, "instance_noise", [0, 1e9], [-1e-9, math.inf]),
        (TrainConfig, "decay_from", [0, 1], [1.001, -0.001, math.nan]),
        (TrainConfig, "ema", [0, BELOW_1], [1, -0.1]),
        (TrainConfig, "update", ["alternating", "simultaneous", "one per minibatch"], ["both"]),
        (TrainConfig, "noise", ["normal", "uniform", "unit uniform"], ["cauchy"]),
        (TrainConfig, "fake_labels", ["real", "uniform"], ["drawn"]),
        (TrainConfig, "precision", ["float32", "bfloat16"], ["float16"]),
        (TrainConfig, "compile", [True, False], [1, "yes", None]),
        (TrainConfig, "device", ["cpu", torch.device("cpu")], [0, None]),
        (TrainConfig, "penalty", [None, R1()], [R1, 0.1]),
        (TrainConfig, "optimizer_d", [Adam(), SGD(), RMSProp()], [Adam, RMSProp, None]),
        (Adam, "lr", [0, 10], [-1e-9, math.inf]),
        (Adam, "beta1", [0, BELOW_1], [1, -0.1]),
        (Adam, "beta2", [0, BELOW_1], [1, -0.1]),
        (Adam, "weight_decay", [0, 1], [-1e-9, math.inf]),
        (SGD, "lr", [0, 10], [-1e-9, math.nan]),
        (SGD, "momentum", [0, BELOW_1], [1, -0.1]),
        (SGD, "decay", [1, 1.5], [BELOW_1, math.inf]),
        (SGD, "lr_floor", [0, 1], [-1e-9]),
        (SGD, "final_momentum", [None, 0, BELOW_1], [1, -0.1]),
        (SGD, "weight_decay", [0, 1], [-1e-9, math.nan]),
        (SGD, "epoch", [1], [0, 1.5]),
        (SGD, "ramp_epochs", [2], [1]),
        (RMSProp, "lr", [0, 10], [-1e-9, math.nan]),
        (RMSProp, "decay", [0, BELOW_1], [1, -0.1]),
        (RMSProp, "eps", [math.nextafter(0, 1), 1], [0, -1e-9, math.inf]),
    ],
)
def test_the_ends_of_a_range(make: Any, option: str, fits: list[Any], refused: list[Any]):
    for value in fits:
        assert getattr(make(**{option: value}), option) == (str(value) if option == "device" else value)
    for value in refused:
        assert refusal(lambda value=value: make(**{option: value})).startswith(f"{option} is ")


def test_options_are_kept_as_plain_values():
    """A checkpoint holds them, and is read with nothing but plain values allowed."""
    config = TrainConfig(steps=wrong(np.int64(5)), ema=wrong(np.float32(0.5)), device=wrong(torch.device("cpu")))
    assert [type(value) for value in (config.steps, config.ema, config.device)] == [int, float, str]
    sgd = SGD(wrong(np.float64(0.5)), wrong(torch.tensor(0.25)), final_momentum=wrong(torch.tensor(0.75)))
    assert (sgd.lr, sgd.momentum, sgd.final_momentum) == (0.5, 0.25, 0.75)
    adam = Adam(wrong(np.float32(0.5)), wrong(torch.tensor(0.25)), wrong(np.float64(0.75)), wrong(np.float32(0.125)))
    assert (adam.lr, adam.beta1, adam.beta2, adam.weight_decay) == (0.5, 0.25, 0.75, 0.125)
    rms = RMSProp(wrong(np.float32(0.5)), wrong(torch.tensor(0.25)), wrong(np.float64(0.75)))
    assert (rms.lr, rms.decay, rms.eps) == (0.5, 0.25, 0.75)
    kept = (sgd.lr, sgd.momentum, sgd.final_momentum, adam.lr, adam.beta1, adam.beta2, adam.weight_decay)
    kept += (rms.lr, rms.decay, rms.eps)
    assert {type(value) for value in kept} == {float}


def test_an_optimiser_is_made_of_its_options_for_the_given_weights():
    weights = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(3))]
    for chosen, said in (
        (Adam(0.3, 0.1, 0.2, 0.5), {"lr": 0.3, "betas": (0.1, 0.2), "weight_decay": 0.5}),
        (SGD(0.4, 0.25, final_momentum=0.7, weight_decay=0.5), {"lr": 0.4, "momentum": 0.25, "weight_decay": 0.5}),
        (RMSProp(0.4, 0.25, 0.5), {"lr": 0.4, "alpha": 0.25, "eps": 0.5, "momentum": 0, "centered": False}),
    ):
        (group,) = chosen.build(weights).param_groups
        assert {key: group[key] for key in said} == said
        assert list(map(id, group["params"])) == list(map(id, weights))


def test_what_goes_only_with_something_else():
    assert TrainConfig(update="simultaneous", k=1).k == 1
    assert "give k = 1" in refusal(lambda: TrainConfig(update="simultaneous", k=2))
    assert TrainConfig(penalty=R1(), fake_labels="uniform").fake_labels == "uniform"
    assert TrainConfig(penalty=WGANGP(), fake_labels="real").penalty == WGANGP()
    assert "give fake_labels='real'" in refusal(lambda: TrainConfig(penalty=WGANGP(), fake_labels="uniform"))


# Schedules at their ends ----------------------------------------------------------------------------------------------


def test_momentum_rises_in_equal_parts_once_an_epoch():
    """Released code of 2014: 0.5 in the first epoch, 0.7 in the last of the ramp; a step of it after each epoch."""
    sgd = SGD(1.0, 0.5, final_momentum=0.7, epoch=10, ramp_epochs=5)
    epochs = [[sgd.at(10 * epoch + step)["momentum"] for step in (0, 9)] for epoch in range(7)]
    assert epochs == [pytest.approx([m, m]) for m in (0.5, 0.55, 0.6, 0.65, 0.7, 0.7, 0.7)]
    assert SGD(1.0, 0.5, final_momentum=0.0, epoch=1, ramp_epochs=2).at(1)["momentum"] == 0


def test_without_other_options_the_ramp_is_that_of_2014_on_mnist():
    """Batches of 100 from 50,000 images make epochs of 500 steps; the ramp ends in epoch 250."""
    sgd = SGD(final_momentum=0.7)
    assert [sgd.at(step)["momentum"] for step in (0, 499)] == [0.5, 0.5]
    assert sgd.at(500)["momentum"] == pytest.approx(0.5 + 0.2 / 249)
    assert sgd.at(249 * 500 - 1)["momentum"] == pytest.approx(0.7 - 0.2 / 249)
    assert {sgd.at(step)["momentum"] for step in (249 * 500, 250 * 500, 10**7)} == {0.7}


def test_a_rate_falls_to_its_floor_and_never_below():
    sgd = SGD(0.8, decay=2.0, lr_floor=0.1)
    assert [sgd.at(step)["lr"] for step in range(5)] == [0.8, 0.4, 0.2, 0.1, 0.1]
    assert SGD(0.8, decay=2.0).at(5000) == {"lr": 0.0, "momentum": 0.5}
    assert Adam(0.3).at(10**9) == RMSProp(0.3).at(10**9) == {"lr": 0.3}


def test_instance_noise_is_gone_at_half_time_and_rates_would_be_at_the_end():
    config = TrainConfig(steps=8, instance_noise=0.75, decay_from=0.5)
    assert [config.instance_noise_at(step) / 0.75 for step in range(8)] == [1, 0.75, 0.5, 0.25, 0, 0, 0, 0]
    assert [config.rate_at(step) for step in range(8)] == [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_what_depends_on_the_length_of_a_run_is_called_scheduled():
    assert not TrainConfig().scheduled
    assert not TrainConfig(optimizer_g=SGD(decay=1.1, final_momentum=0.7), penalty=R1(1.0), ema=0.9).scheduled
    assert TrainConfig(instance_noise=1e-9).scheduled
    assert TrainConfig(decay_from=0.999).scheduled
    assert TrainConfig(penalty=R1(1.0, final=0.0)).scheduled


def test_the_first_average_is_the_network():
    config = TrainConfig(ema=0.75, ema_warmup=2)
    assert [config.average_decay_at(step) for step in range(7)] == [0, 0.5, 0.6, 4 / 6, 5 / 7, 0.75, 0.75]
    assert {TrainConfig().average_decay_at(step) for step in (0, 1, 99)} == {0}


# What is written of them ----------------------------------------------------------------------------------------------


def test_a_record_names_all_options_but_the_seed():
    adam = {"kind": "Adam", "lr": 2e-4, "beta1": 0.5, "beta2": 0.999}
    known = {
        "steps": 2000,
        "batch": 64,
        "k": 1,
        "update": "alternating",
        "optimizer_d": adam,
        "optimizer_g": adam,
        "noise": "normal",
        "instance_noise": 0.0,
        "decay_from": 1.0,
        "label_smoothing": 0.0,
        "ema": 0.0,
        "ema_warmup": 9,
        "precision": "float32",
        "compile": False,
        "device": "auto",
    }
    assert options_of(TrainConfig(seed=7)) == known
    # Later options stand in a record where they are not what they were before there was such an option.
    later = options_of(TrainConfig(penalty=R1(0.1), fake_labels="uniform", optimizer_g=Adam(weight_decay=0.5)))
    assert later == known | {
        "penalty": {"kind": "R1", "gamma": 0.1, "final": None},
        "fake_labels": "uniform",
        "optimizer_g": adam | {"weight_decay": 0.5},
    }
    assert plain(TrainConfig(seed=7)) == {"kind": "TrainConfig", "seed": 7} | known
    rms = {"kind": "RMSProp", "lr": 2e-4, "decay": 0.9, "eps": 1e-5}
    assert options_of(TrainConfig(optimizer_d=RMSProp())) == known | {"optimizer_d": rms}


@pytest.mark.parametrize("seed", [-(2**63), 2**64 - 1])
def test_a_seed_is_one_that_torch_takes(seed: int):
    torch.Generator().manual_seed(TrainConfig(seed=seed).seed)
    beyond = seed + (1 if seed > 0 else -1)
    assert f"seed is {beyond}; give an integer from" in refusal(lambda: TrainConfig(seed=beyond))
    with pytest.raises(ValueError, match="Overflow"):
        torch.Generator().manual_seed(beyond)
