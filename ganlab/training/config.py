"""How a run trains: one frozen dataclass, checked when it is made."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import torch
from torch import nn

from ganlab.errors import ConfigError
from ganlab.training.checks import integer, make_plain, number, one_of, shown, yes_or_no
from ganlab.training.penalties import WGANGP, Penalty
from ganlab.training.sampling import NOISES

RATE = "a finite number of at least 0"
UPDATES = ("alternating", "simultaneous", "one per minibatch", "shared samples")


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015) with DCGAN's values: lr 0.001 was too high, β1 0.9 oscillated (its sec. 4).

    weight_decay    so much of each weight is added to its gradient (L2), before anything is made of it
    """

    lr: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        rates = {name: number(name, getattr(self, name), RATE, 0) for name in ("lr", "weight_decay")}
        make_plain(self, **rates)
        betas = {name: number(name, getattr(self, name), "a share in [0, 1)", 0, 1) for name in ("beta1", "beta2")}
        make_plain(self, **betas)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of these parameters, one kernel per step; on a GPU one that a CUDA graph may hold."""
        parameters, betas = list(parameters), (self.beta1, self.beta2)
        on_gpu = any(parameter.is_cuda for parameter in parameters)
        rest: dict[str, Any] = {"weight_decay": self.weight_decay, "fused": True, "capturable": on_gpu}
        optimizer = torch.optim.Adam(parameters, lr=self.lr, betas=betas, **rest)

        def whatever_it_was_saved_on(loaded: torch.optim.Optimizer) -> None:
            for group in loaded.param_groups:
                group["capturable"] = on_gpu

        optimizer.register_load_state_dict_post_hook(whatever_it_was_saved_on)
        return optimizer

    def at(self, step: int) -> dict[str, float]:  # noqa: ARG002 (the same for all steps)
        """What step 0, 1, … runs with."""
        return {"lr": self.lr}


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with classical momentum, as the 2014 paper trains (its Algorithm 1).

    decay           the rate of step n is lr / decayⁿ, at least `lr_floor`
    final_momentum  what the momentum rises to, in equal parts, one after each `epoch` steps: epoch 1 has `momentum`,
                    epoch `ramp_epochs` and all later ones have this; None: it stays
    weight_decay    so much of each weight is added to its gradient (L2), before anything is made of it
    """

    lr: float = 0.1
    momentum: float = 0.5
    decay: float = 1.0
    lr_floor: float = 0.0
    final_momentum: float | None = None
    epoch: int = 500
    ramp_epochs: int = 250
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        make_plain(
            self,
            lr=number("lr", self.lr, RATE, 0),
            momentum=number("momentum", self.momentum, "a share in [0, 1)", 0, 1),
            decay=number("decay", self.decay, "a number of at least 1, such as 1.000004", 1),
            lr_floor=number("lr_floor", self.lr_floor, RATE, 0),
            weight_decay=number("weight_decay", self.weight_decay, RATE, 0),
            epoch=integer("epoch", self.epoch, 1),
            ramp_epochs=integer("ramp_epochs", self.ramp_epochs, 2),
        )
        if self.final_momentum is not None:
            final = number("final_momentum", self.final_momentum, "a share in [0, 1), or None", 0, 1)
            make_plain(self, final_momentum=final)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of these parameters, one kernel per step."""
        momentum, decay = self.momentum, self.weight_decay
        return torch.optim.SGD(parameters, lr=self.lr, momentum=momentum, weight_decay=decay, fused=True)

    def at(self, step: int) -> dict[str, float]:
        """What step 0, 1, … runs with."""
        final = self.momentum if self.final_momentum is None else self.final_momentum
        done = min(1.0, step // self.epoch / (self.ramp_epochs - 1))
        try:
            lr = self.lr / self.decay**step
        except OverflowError:
            lr = 0.0
        return {"lr": max(lr, self.lr_floor), "momentum": self.momentum + done * (final - self.momentum)}


@dataclass(frozen=True)
class RMSProp:
    """RMSProp (Tieleman & Hinton 2012): each gradient over the root of the running mean of its squares.

    decay  the share of that mean that a step keeps
    eps    what is added to the root

    The rate, the decay and ε are those of LSGAN's authors (Mao et al. 2017, without batch norm), whose decay and ε are
    TensorFlow's defaults; PyTorch's are 0.99 and 10⁻⁸. In TensorFlow an ε of 10⁻¹⁰ stands under the root, which is then
    10⁻⁵ at least: so much stands outside it here, as PyTorch has it. TensorFlow's mean begins with 1, PyTorch's with 0:
    its first steps are the larger ones.
    """

    lr: float = 2e-4
    decay: float = 0.9
    eps: float = 1e-5

    def __post_init__(self) -> None:
        make_plain(
            self,
            lr=number("lr", self.lr, RATE, 0),
            decay=number("decay", self.decay, "a share in [0, 1)", 0, 1),
            eps=number("eps", self.eps, "a positive number", math.nextafter(0, 1)),
        )

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of these parameters."""
        return torch.optim.RMSprop(parameters, lr=self.lr, alpha=self.decay, eps=self.eps)

    def at(self, step: int) -> dict[str, float]:  # noqa: ARG002 (the same for all steps)
        """What step 0, 1, … runs with."""
        return {"lr": self.lr}


Optimizer = Adam | SGD | RMSProp


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Options of a run. `steps` counts generator updates; to each belong k discriminator updates."""

    steps: int = 2000
    batch: int = 64  # m in Algorithm 1: real samples per update, and as many generated ones
    k: int = 1  # discriminator updates per generator update; 1 in the paper, "the least expensive option"
    # G answers the new D, or the D of before; or each real minibatch is for one network alone: G's, then k for D; or G
    # answers the new D on the samples of D's last update, as most published loops do, which saves one pass through G
    update: Literal["alternating", "simultaneous", "one per minibatch", "shared samples"] = "alternating"
    optimizer_d: Optimizer = Adam()
    optimizer_g: Optimizer = Adam()
    # z ~ N(0, I); uniform on (−1, 1) as in DCGAN; or uniform on (−√3, √3), of variance 1, as in the 2014 paper
    noise: Literal["normal", "uniform", "unit uniform"] = "normal"
    fake_labels: Literal["real", "uniform"] = "real"  # a generated batch's, if there are any: its real one's, or drawn
    penalty: Penalty | None = None  # what D pays for its slope besides: R1(γ), R2(γ), R1R2(γ), WGANGP(λ), LSGANGP(λ, c)
    instance_noise: float = 0.0  # σ of normal noise on all that D sees (Sønderby et al. 2017); 0 from half time on
    decay_from: float = 1.0  # share of the steps after which both learning rates fall linearly to 0; 1: never
    label_smoothing: float = 0.0  # share of real samples that count as generated: 0.1 for targets of 0.9
    ema: float = 0.0  # decay per step of the averaged generator that samples are drawn from; 0: no average.
    # The decay of step n = 0, 1, … is at most (1 + n)/(1 + n + ema_warmup), or the first weights would stay in the
    ema_warmup: int = 9  # average: a young one reaches back over about n/ema_warmup steps; 1: the mean of all so far
    precision: Literal["float32", "bfloat16"] = "float32"  # of the forward passes; weights stay float32
    compile: bool = False  # torch.compile, on CUDA in CUDA graphs: slow first steps, faster ones after
    device: str = "auto"  # cuda, then mps, then cpu
    seed: int = 0  # of batches, noise and dropout; first weights are drawn before, where torch.manual_seed decides them

    def instance_noise_at(self, step: int) -> float:
        """The σ of step 0, 1, …: linear from `instance_noise` to 0 at half of the steps."""
        return self.instance_noise * max(0.0, 1 - 2 * step / self.steps)

    def minibatches(self, pairs: bool) -> int:
        """How many real minibatches a step takes: D's, and one for G where it uses one up, as objectives on pairs do
        that do not share D's."""
        return self.k + (self.update == "one per minibatch" or (pairs and self.update == "alternating"))

    def average_decay_at(self, step: int) -> float:
        """The decay of the average after step 0, 1, …: when it is young, smaller; 0 in the first of all."""
        return min(self.ema, (1 + step) / (1 + step + self.ema_warmup)) if step else 0.0

    @property
    def scheduled(self) -> bool:
        """Whether what a step does depends on how many there will be."""
        return self.instance_noise > 0 or self.decay_from < 1 or getattr(self.penalty, "final", None) is not None

    def rate_at(self, step: int) -> float:
        """What the learning rates of step 0, 1, … are multiplied with, in (0, 1]."""
        constant = self.decay_from * self.steps
        return 1.0 if step < constant else (self.steps - step) / (self.steps - constant)

    def __post_init__(self) -> None:
        counts = {name: integer(name, getattr(self, name), 1) for name in ("steps", "batch", "k", "ema_warmup")}
        make_plain(
            self,
            **counts,
            seed=integer("seed", self.seed),
            label_smoothing=number("label_smoothing", self.label_smoothing, "a number in [0, 0.5)", 0, 0.5),
            instance_noise=number(
                "instance_noise", self.instance_noise, "a standard deviation of at least 0, and finite", 0
            ),
            decay_from=number("decay_from", self.decay_from, "a share of the steps in [0, 1]", 0, math.nextafter(1, 2)),
            ema=number("ema", self.ema, "a decay in [0, 1), such as 0.999, or 0 for none", 0, 1),
            update=one_of("update", self.update, UPDATES),
            fake_labels=one_of("fake_labels", self.fake_labels, ("real", "uniform")),
            noise=one_of("noise", self.noise, NOISES),
            precision=one_of("precision", self.precision, ("float32", "bfloat16")),
            compile=yes_or_no("compile", self.compile),
        )
        if not -(2**63) <= self.seed < 2**64:
            raise ConfigError(f"seed is {self.seed}; give an integer from −2⁶³ to 2⁶⁴ − 1, which torch takes.")
        if not isinstance(self.device, str | torch.device):
            raise ConfigError(f"device is {shown(self.device)}; give a name, such as 'cpu', or 'auto'.")
        make_plain(self, device=str(self.device))
        if self.update == "simultaneous" and self.k != 1:
            raise ConfigError(f"k is {self.k} with simultaneous updates, which are one for one; give k = 1.")
        for role in ("optimizer_d", "optimizer_g"):
            if not isinstance(given := getattr(self, role), Optimizer):
                raise ConfigError(f"{role} is {shown(given)}; give training.Adam(…), SGD(…) or RMSProp(…).")
        if not isinstance(self.penalty, Penalty | None):
            raise ConfigError(f"penalty is {shown(self.penalty)}; give one that is made, such as training.R1(0.1).")
        if isinstance(self.penalty, WGANGP) and self.fake_labels == "uniform":
            raise ConfigError(
                "fake_labels is 'uniform' with WGANGP, whose points lie between a real and a generated sample of one"
                " label; give fake_labels='real'."
            )


LATER: dict[str, Any] = {"penalty": None, "fake_labels": "real", "weight_decay": 0.0}
"""Options that records and checkpoints from before do not name, with their defaults: named when they differ."""


def plain(value: Any) -> Any:
    """A frozen dataclass as plain nested values, each with the name of its kind."""
    if not is_dataclass(value):
        return value
    parts = {field.name: getattr(value, field.name) for field in fields(value)}
    named = {name: plain(part) for name, part in parts.items() if name not in LATER or part != LATER[name]}
    return {"kind": type(value).__name__, **named}


def options_of(config: TrainConfig) -> dict[str, Any]:
    """The options of a run as plain values, without the seed: what a record says of them."""
    return {key: value for key, value in plain(config).items() if key not in ("kind", "seed")}


def pick_device(name: str) -> torch.device:
    """The device of this name; "auto" takes cuda, then mps, then cpu. Raises `ConfigError` for one that is not here."""
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, here in present.items() if here))
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is not None and device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count() > 0:
        raise ConfigError(f"device is {name!r}; the GPUs here are cuda:0 … cuda:{torch.cuda.device_count() - 1}.")
    if device is None or not present.get(device.type, False):
        here = ", ".join(kind for kind, is_here in present.items() if is_here)
        raise ConfigError(f"device is {name!r}; this machine has {here}: give one of them, or 'auto'.")
    return device
