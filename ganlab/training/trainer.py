"""Algorithm 1 of the 2014 paper: two symmetric steps, and a loop that yields one record per step."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ganlab.errors import CheckpointError, NonFiniteLoss
from ganlab.models import value_range
from ganlab.objectives import Objective
from ganlab.training import checkpoint
from ganlab.training.config import TrainConfig, pick_device, plain
from ganlab.training.interrupts import interrupts_deferred
from ganlab.training.randomness import derived_seed, generator
from ganlab.training.record import COLUMNS, StepRecord
from ganlab.training.sampling import draw_noise, sample, z_dim_of
from ganlab.training.sources import Law, Source, source_of

FINITE_CHECK_EVERY = 50
"""Steps between two looks at the losses; each look waits for the device."""
RESUMABLE_WITH_OTHER = ("steps", "device")
"""Options that may differ between a checkpoint and the run that goes on from it, unless they decide a schedule."""


class Trainer:
    """Trains a generator G against a discriminator D by Algorithm 1 of Goodfellow et al. 2014.

    G           maps z [batch, z_dim] to samples; has `z_dim`, and `output_range` if it makes images. Where G or D has
                a method `constrain()`, it is called after each update
    D           maps samples to logits t [batch]
    objective   what both minimise; the losses are compiled from it
    data        uint8 images [N, C, H, W] or float examples [N, …], or a law with `sample(n, generator)`
    config      the options
    rank        which of several processes this is: each draws its own batches and noise

    Models are moved to the device and trained in place. `run()` yields a `StepRecord` per step.
    Raises `ConfigError` for options that do not fit.
    """

    def __init__(
        self,
        G: nn.Module,
        D: nn.Module,
        objective: Objective,
        data: Tensor | Law,
        config: TrainConfig | None = None,
        *,
        rank: int = 0,
    ) -> None:
        self.config = config = config or TrainConfig()
        self.device = pick_device(config.device)
        self.objective = objective
        self.losses = objective.smoothed(config.label_smoothing).losses()
        self.z_dim = z_dim_of(G)
        self.value_range = value_range(G)
        self.rank = rank
        self.source = self._source(data)

        self.G, self.D = (self._placed(model) for model in (G, D))
        self.ema = None
        if config.ema:
            self.ema = AveragedModel(self.G, multi_avg_fn=self._average, use_buffers=True)
        self.optimizer_g = config.optimizer_g.build(self.G.parameters())
        self.optimizer_d = config.optimizer_d.build(self.D.parameters())
        for model, optimizer in ((self.G, self.optimizer_g), (self.D, self.optimizer_d)):
            constrain = getattr(model, "constrain", None)
            if callable(constrain):
                optimizer.register_step_post_hook(lambda *_, constrain=constrain: constrain())
        if config.compile:
            self.G.compile()
            self.D.compile()
        self.step = 0
        self._known_finite = 0
        self._history = torch.zeros(config.steps, len(COLUMNS), device=self.device)

    def _source(self, data: Tensor | Law) -> Source:
        return source_of(data, self.config.batch, self.value_range, self.device, self.config.seed, self.rank)

    def _placed(self, model: nn.Module) -> nn.Module:
        model = model.to(self.device).train()
        if any(isinstance(module, nn.Conv2d | nn.ConvTranspose2d) for module in model.modules()):
            model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        return model

    # Algorithm 1 ------------------------------------------------------------------------------------------------

    def run(self) -> Iterator[StepRecord]:
        """Train until `config.steps` steps are done, yielding a record after each.

        Ctrl-C takes effect between two steps, so that the state can be saved and continued exactly. Raises
        `NonFiniteLoss` with the first step whose loss is NaN or infinite.
        """
        one_step = self._simultaneous_step if self.config.update == "simultaneous" else self._alternating_step
        while self.step < self.config.steps:
            with interrupts_deferred(), self._model_randomness():
                self._set_rates()
                self._history[self.step] = torch.stack(one_step())
                if self.ema is not None:
                    self.ema.update_parameters(self.G)
                self.step += 1
            if self.step % FINITE_CHECK_EVERY == 0 or self.step == self.config.steps:
                self._refuse_non_finite()
            yield StepRecord(self.step, self._history[self.step - 1])

    def _alternating_step(self) -> tuple[Tensor, ...]:
        k = self.config.k
        of_D = [
            self.discriminator_step(self.real_batch(self.step * k + i), self.noise(f"z for D, {i}")) for i in range(k)
        ]
        loss_g = self.generator_step(self.noise("z for G"))
        loss_d, D_real, D_fake = of_D[-1]
        return loss_d, loss_g, D_real, D_fake

    def _simultaneous_step(self) -> tuple[Tensor, ...]:
        """Both gradients at the same parameters, noise and dropout masks, then both updates."""
        x, z = self.real_batch(self.step), self.noise("z for D, 0")
        with self._precision():
            fake = self.G(z)
            t_real, t_fake = self.D(self._blurred(x)), self.D(self._blurred(fake))  # [batch], [batch]
        loss_d, loss_g = self.losses.discriminator(t_real, t_fake), self.losses.generator(t_fake)
        self.optimizer_d.zero_grad()
        self.optimizer_g.zero_grad()
        loss_d.sum().backward(inputs=list(self.D.parameters()), retain_graph=True)
        loss_g.sum().backward(inputs=list(self.G.parameters()))
        self.optimizer_d.step()
        self.optimizer_g.step()
        return loss_d.detach(), loss_g.detach(), self._mean_output(t_real), self._mean_output(t_fake)

    def discriminator_step(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Update D on a real batch x and on G(z). Returns D's loss and its mean outputs on both."""
        loss_and_outputs = self.discriminator_gradient(x, z)
        self.optimizer_d.step()
        return loss_and_outputs

    def generator_step(self, z: Tensor) -> Tensor:
        """Update G against D at noise z [batch, z_dim]. Returns G's loss."""
        loss = self.generator_gradient(z)
        self.optimizer_g.step()
        return loss

    def discriminator_gradient(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Put the gradient of D's loss into D. Real and generated samples go through D apart (DCGAN, guideline 6)."""
        with self._precision():
            with torch.no_grad():
                fake = self.G(z)
            t_real, t_fake = self.D(self._blurred(x)), self.D(self._blurred(fake))  # [batch], [batch]
        loss = self.losses.discriminator(t_real, t_fake)
        self.optimizer_d.zero_grad()
        loss.sum().backward(inputs=list(self.D.parameters()))
        return loss.detach(), self._mean_output(t_real), self._mean_output(t_fake)

    def generator_gradient(self, z: Tensor) -> Tensor:
        """Put the gradient of G's loss into G, through D, which is left as it is."""
        with self._precision():
            t_fake = self.D(self._blurred(self.G(z)))  # [batch]
        loss = self.losses.generator(t_fake)
        self.optimizer_g.zero_grad()
        loss.sum().backward(inputs=list(self.G.parameters()))
        return loss.detach()

    # What the steps draw ----------------------------------------------------------------------------------------

    def real_batch(self, number: int) -> Tensor:
        """Real minibatch `number`, [batch, …]; step s uses k·s … k·s + k − 1."""
        return self.source.batch(number)

    def noise(self, stream: str) -> Tensor:
        """Noise z [batch, z_dim] of the current step, on the device."""
        source = generator(self.device, self.config.seed, self.rank, self.step, stream)
        return draw_noise(self.config.noise, self.config.batch, self.z_dim, source)

    def sample(self, n: int, *, seed: int = 0) -> Tensor:
        """`n` samples of G in evaluation mode (of its average when there is one), on the CPU.

        `seed` alone decides the noise, so the same call shows the same z at every stage of training.
        """
        return sample(self.sampler, n, noise=self.config.noise, seed=seed, batch=max(self.config.batch, 256))

    @property
    def sampler(self) -> nn.Module:
        """The generator that samples are drawn from: the averaged one when there is one."""
        return self.G if self.ema is None else self.ema.module

    @property
    def history(self) -> Tensor:
        """[steps done, 4] float32 on the CPU: both losses, and D's mean output on real and generated samples."""
        return self._history[: self.step].cpu()

    def _average(self, averaged: Any, current: Any, _count: Any) -> None:
        """Move the average towards the current weights and buffers; in the first steps, when it is young, by more."""
        decay = min(self.config.ema, (1 + self.step) / (1 + self.step + self.config.ema_warmup))
        get_ema_multi_avg_fn(decay)(averaged, current, _count)

    def _blurred(self, samples: Tensor) -> Tensor:
        """What D sees of samples: with this step's instance noise added."""
        sigma = self.config.instance_noise_at(self.step)
        return samples + sigma * self._standard_normal(samples) if sigma else samples

    def _standard_normal(self, like: Tensor) -> Tensor:
        return torch.randn_like(like)

    def _set_rates(self) -> None:
        rate = self.config.rate_at(self.step)
        pairs = ((self.optimizer_d, self.config.optimizer_d), (self.optimizer_g, self.config.optimizer_g))
        for optimizer, chosen in pairs:
            now = chosen.at(self.step)
            for group in optimizer.param_groups:
                group.update(now, lr=now["lr"] * rate)

    def _mean_output(self, logits: Tensor) -> Tensor:
        logits = logits.detach().float()
        return (logits.sigmoid() if self.objective.output == "probability" else logits).mean(dim=-1)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bfloat16")

    @contextlib.contextmanager
    def _model_randomness(self) -> Iterator[None]:
        """Dropout and the like draw from a stream of this step; the caller's own randomness is untouched."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(derived_seed(self.config.seed, self.rank, self.step, "model"))
            yield

    def _refuse_non_finite(self) -> None:
        bad = ~self._history[self._known_finite : self.step, :2].isfinite().flatten(1).all(dim=1)
        if bad.any():
            step = self._known_finite + int(bad.nonzero()[0]) + 1
            loss_d, loss_g = self._history[step - 1, :2].reshape(2, -1).sum(dim=1).tolist()
            raise NonFiniteLoss(
                f"at step {step} D's loss is {loss_d:g} and G's {loss_g:g}; training stopped and the last good"
                " checkpoint is kept: lower the learning rates, or use float32."
            )
        self._known_finite = self.step

    # Checkpoints ------------------------------------------------------------------------------------------------

    def save(self, path: Path | str) -> None:
        """Write a checkpoint in one move; the one before it is kept. Raises `CheckpointError`, `NonFiniteLoss`."""
        self._refuse_non_finite()
        checkpoint.write(Path(path), self.state_dict())

    def resume(self, path: Path | str) -> bool:
        """Go on from a checkpoint at `path`; False when there is none.

        Raises `CheckpointError` when it is damaged, foreign, or of a run with other options (naming them).
        """
        place = checkpoint.find(Path(path))
        if place is None:
            return False
        state = checkpoint.read(place)
        checkpoint.refuse_drift(place, state["run"], self.description)
        if state["step"] > self.config.steps:
            raise CheckpointError(f"{place} is at step {state['step']}; give at least as many steps.")
        self.load_state_dict(state)
        return True

    @property
    def description(self) -> dict[str, Any]:
        """What must be equal for a run to go on from a checkpoint, as plain values."""
        free = ("device",) if self.config.scheduled else RESUMABLE_WITH_OTHER
        config = {key: value for key, value in plain(self.config).items() if key not in free}
        roles = ("real", "fake", "generator")
        models = {name: _architecture(model) for name, model in (("G", self.G), ("D", self.D))}
        objective = {f"objective.{role}": str(getattr(self.objective, role)) for role in roles}
        return config | objective | models | {"data": self.source.fingerprint, "rank": self.rank}

    def state_dict(self) -> dict[str, Any]:
        """Everything that a run needs to go on, as tensors and plain values."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        return {"run": self.description, "step": self.step, "history": self.history, **parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state that `state_dict` gave. Raises `CheckpointError` when the models differ."""
        try:
            for name, part in self._parts().items():
                part.load_state_dict(state[name])
        except (KeyError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise CheckpointError(
                f"the checkpoint does not fit these models ({reason}); give the same ones."
            ) from error
        self.step = self._known_finite = state["step"]
        self._history[: self.step] = state["history"]

    def _parts(self) -> dict[str, Any]:
        parts = {"G": self.G, "D": self.D, "optimizer_g": self.optimizer_g, "optimizer_d": self.optimizer_d}
        return parts if self.ema is None else parts | {"ema": self.ema}


def _architecture(model: nn.Module) -> str:
    return str(getattr(model, "spec", type(model).__name__))
