"""Steps of training that readers write by hand, right and wrong: as texts of code with autograd, or as plain loops."""

import math
from typing import Any

import pytest
import torch
from attempts import Answer, judged
from torch.nn.functional import logsigmoid


def descended(w: float, x: float, y: float, rate: float, paid: str = "(w * x - y) ** 2", then: str = "w - rate * g"):
    """A step of exercise 00.2 with autograd, on what is paid; `then` says what is made of the gradient g."""
    weight = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    loss = eval(paid, {"w": weight, "x": x, "y": y})
    (g,) = torch.autograd.grad(loss, weight)
    return float(eval(then, {"w": w, "rate": rate, "g": g.item(), "loss": loss.item()}))


def both(
    theta_d: float,
    theta_g: float,
    x: Any,
    z_D: Any,
    z_G: Any,
    rate: float,
    *,
    V: str = "logsigmoid(d * x).mean() + logsigmoid(-d * g * z_D).mean()",
    paid: str = "-logsigmoid(d * g * z_G).mean()",
    order: str = "dg",
) -> tuple[float, float]:
    """A step of exercise 01.1 with autograd: D up V, G down what it pays; in the order d, g, or both from the start."""
    now = {name: torch.tensor(value, dtype=torch.float64) for name, value in (("d", theta_d), ("g", theta_g))}
    given = {"x": torch.tensor(x), "z_D": torch.tensor(z_D), "z_G": torch.tensor(z_G), "logsigmoid": logsigmoid}
    start = dict(now)
    for name in order.lower():
        weights = {key: value.clone().requires_grad_() for key, value in (start if order.isupper() else now).items()}
        (slope,) = torch.autograd.grad(eval(V if name == "d" else paid, {**given, **weights}), weights[name])
        now[name] = now[name] + (rate if name == "d" else -rate) * slope
    return now["d"].item(), now["g"].item()


def line_of_D(
    slope: float, height: float, real: Any, fake: Any, rate: float, *, up: str = "1 - D", of: str = "/ n", x: str = "x"
) -> tuple[float, float]:
    """A step of exercise 02.1, sample by sample."""
    by_slope = by_height = 0.0
    for samples, push in ((real, up), (fake, "-D")):
        for at in samples:
            D = 1 / (1 + math.exp(-(slope * at + height)))
            pushed = eval(f"({push}) {of}", {"D": D, "n": len(samples)})
            by_slope += pushed * eval(x, {"x": at})
            by_height += pushed
    return slope + rate * by_slope, height + rate * by_height


def logits_for_D(slope: float, height: float, real: Any, fake: Any, rate: float) -> tuple[float, float]:
    t_real, t_fake = slope * real + height, slope * fake + height
    by_height = (1 - t_real).mean() - t_fake.mean()
    return slope + rate * (((1 - t_real) * real).mean() - (t_fake * fake).mean()), height + rate * by_height


def slope_first(slope: float, height: float, real: Any, fake: Any, rate: float) -> tuple[float, float]:
    new, _ = line_of_D(slope, height, real, fake, rate)
    return new, line_of_D(new, height, real, fake, rate)[1]


def round_of(p_d: Any, p_g: Any, rate: float, to: str = "q * (1 + p / q) ** rate", whole: bool = True) -> list[float]:
    """A round of exercise 03.1, letter by letter: exp(−rate log(1 − D*)) is (1 + p_d/p_g)^rate."""
    moved = [eval(to, {"p": p, "q": q, "rate": rate, "math": math}) for p, q in zip(p_d, p_g, strict=True)]
    return [value / sum(moved) for value in moved] if whole else moved


SUMS = {"V": "logsigmoid(d * x).sum() + logsigmoid(-d * g * z_D).sum()", "paid": "-logsigmoid(d * g * z_G).sum()"}
IN_THE_LOGIT = {
    "V": "(d * (1 - torch.sigmoid(d * x)).detach()).mean() - (d * torch.sigmoid(d * g * z_D).detach()).mean()",
}


def in_the_logit(theta_d: float, theta_g: float, x: Any, z_D: Any, z_G: Any, rate: float) -> tuple[float, float]:
    """D's slopes without x and G(z), the inner ones; G's step as it should be."""
    D_x, D_made = (torch.sigmoid(torch.tensor(theta_d * samples)) for samples in (x, theta_g * z_D))
    moved = theta_d + rate * float((1 - D_x).mean() - D_made.mean())
    return moved, both(moved, theta_g, x, z_D, z_G, rate, order="g")[1]


STEPS: dict[str, tuple[Answer, list[tuple[Answer, str]]]] = {
    "00.2": (
        descended,
        [
            (lambda *given: descended(*given, then="w + rate * g"), "That climbs"),
            (lambda w, x, y, rate: w - rate * 2 * (w * x - y), "The chain has two links"),
            (lambda *given: descended(*given, paid="(w * x - y) ** 2 / 2"), "The square has a slope, too"),
            (lambda *given: descended(*given, then="w - rate * loss"), "takes the loss itself away"),
            (lambda *given: descended(*given, then="w - g"), "goes the whole slope"),
            (lambda *given: descended(*given, then="g"), "Asked is the weight after the step"),
            (lambda *given: descended(*given, then="-rate * g"), "Where is it then?"),
        ],
    ),
    "01.1": (
        both,
        [
            (lambda *given: both(*given, V="-logsigmoid(d * x).mean() - logsigmoid(-d * g * z_D).mean()"), "D ascends"),
            (lambda *given: both(*given, paid="logsigmoid(d * g * z_G).mean()"), "G runs away"),
            (lambda *given: both(*given, order="DG"), "G asks the new θ_d"),
            (lambda *given: both(*given, paid="logsigmoid(-d * g * z_G).mean()"), "Asked is −log D"),
            (lambda d, g, x, z_D, _, rate: both(d, g, x, z_D, z_D, rate), "samples of its own"),
            (lambda *given: both(*given, **SUMS), "a mean over it"),
            (lambda *given: both(*given, V="logsigmoid(d * x).mean()"), "V has a second term"),
            (in_the_logit, "the chain rule brings a factor"),
            (lambda *given: tuple(reversed(both(*given))), "turn the answer round"),
            (lambda *given: both(*given, order="gd"), "Here G moves first"),
        ],
    ),
    "02.1": (
        line_of_D,
        [
            (lambda slope, height, real, fake, rate: line_of_D(slope, height, real, fake, -rate), "goes down V"),
            (lambda *given: line_of_D(*given, up="D"), "none where D is sure of it"),
            (lambda *given: line_of_D(*given, x="1"), "weigh by it"),
            (lambda *given: line_of_D(*given, of=""), "adds up over the samples"),
            (lambda slope, height, real, fake, rate: line_of_D(slope, height, real, fake, rate / 2), "half of it"),
            (lambda slope, height, real, fake, rate: line_of_D(slope, height, fake, real, rate), "are swapped"),
            (logits_for_D, "Where is the sigmoid?"),
            (slope_first, "Both move at once"),
        ],
    ),
    "03.1": (
        round_of,
        [
            (lambda *given: round_of(*given, to="q * (1 + p / q) ** -rate"), "That climbs"),
            (lambda *given: round_of(*given, whole=False), "Divide them by their sum"),
            (lambda *given: round_of(*given, to="q * (1 + q / p) ** rate"), "p_g multiplies log(1 − D)"),
            (lambda *given: round_of(*given, to="q * math.exp(-rate * q / (p + q))"), "the logarithm is missing"),
            (lambda *given: round_of(*given, to="q + rate * math.log(1 + p / q)"), "That subtracts the step"),
            (lambda *given: round_of(*given, to="(1 + p / q) ** rate"), "the factor alone"),
            (lambda *given: round_of(*given, to="p * (1 + p / q) ** rate"), "moves the law of the data"),
        ],
    ),
}


@pytest.mark.parametrize("id_", STEPS)
def test_a_step_gets_its_verdict(id_: str):
    judged(id_, *STEPS[id_])
