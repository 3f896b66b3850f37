"""Algorithm 1 of the 2014 paper: two symmetric steps, and a loop that yields one record per step."""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.models import value_range
from ganlab.objectives import Objective
from ganlab.training import front_door
from ganlab.training.averaging import Average
from ganlab.training.compilation import compiled, compiler_named, differentiable_twice
from ganlab.training.conditions import conditions, require_labels
from ganlab.training.config import TrainConfig, pick_device
from ganlab.training.examples import as_examples
from ganlab.training.finite import FINITE_CHECK_EVERY
from ganlab.training.interrupts import interrupts_deferred
from ganlab.training.labels import NO_LABELS, Labels, labels_of_samples
from ganlab.training.optimisers import optimiser, set_rates, trained
from ganlab.training.penalties import Batches
from ganlab.training.randomness import derived_seed, forked, generator
from ganlab.training.ranges import declared_range
from ganlab.training.record import COLUMNS, StepRecord
from ganlab.training.rehearsal import Fit
from ganlab.training.resumable import Resumable
from ganlab.training.sampling import draw_noise, require_memory, sample, z_dim_of
from ganlab.training.sources import Law, Source, source_of
from ganlab.training.tuning import is_small, one_thread
from ganlab.training.turns import TURNS
from ganlab.training.wrappers import unwrapped


class Trainer(Resumable):
    """Trains a generator G against a discriminator D by Algorithm 1 of Goodfellow et al. 2014.

    G           maps z [batch, z_dim], or [batch, z_dim, 1, 1], to samples; has `z_dim`, and `output_range` if it makes
                images. A method `constrain()` of G or D is called after each update, without gradients
    D           maps samples to logits t [batch], or [batch, 1, …]
    objective   what both minimise; the losses are compiled from it
    data        uint8 images [N, C, H, W] or float examples [N, …], as a tensor, an array or an image set; or a law
                with `sample(n, generator)`
    config      the options
    labels      integers [N], one for each example; or True: those that an image set carries, or the components of a
                mixture. G and D then are called with them, G(z, y) and D(x, y), y int64 [batch]; all else stays
    rank        which of several processes this is: each draws its own batches and noise

    Models are moved to the device and trained in place; weights that need no gradient stay. A first batch goes through
    both before the first step and leaves no trace. `run()` yields a `StepRecord` per step.
    Raises `ConfigError` or `ShapeError` for arguments that do not fit each other; warns of what is likely a mistake.
    """

    lead = 1  # how many leading dimensions of a batch count samples

    def __init__(
        self,
        G: nn.Module,
        D: nn.Module,
        objective: Objective,
        data: Any,
        config: TrainConfig | None = None,
        *,
        labels: Any = None,
        rank: int = 0,
    ) -> None:
        config = config if config is not None else TrainConfig()
        front_door.refuse_wrong_arguments(G, D, objective, config, rank)
        self.config, self.objective, self.rank = config, objective, rank
        self.device = pick_device(config.device)
        self.losses = objective.smoothed(config.label_smoothing).losses()
        self.z_dim = z_dim_of(G)
        self.value_range = declared_range(G) or value_range(G)
        for n, floats, name in ((config.steps, len(COLUMNS), "steps"), (config.batch, self.z_dim, "batch")):
            require_memory(n, floats, name)
        examples = as_examples(data)
        self.source = self._source(examples)
        self.conditions = conditions(labels, data, examples, config, self.device, rank)

        self.G, self.D = (model.to(self.device) for model in (G, D))
        for model in (model for model in (self.G, self.D) if not model.training):
            model.train()  # only then: else layers that were put into evaluation mode stay in it
        self.fit, said = self._looked_at(examples)
        for line in front_door.say_what_is_unusual(self.G, self.D) + said:
            warnings.warn(line, stacklevel=2)
        self.ema: Average | None = Average(unwrapped(self.G)) if config.ema else None
        self.optimizer_g = optimiser(self.G, config.optimizer_g)
        self.optimizer_d = optimiser(self.D, config.optimizer_d)
        self._in_step = compiled(self.device, G=self.G, D=self.D) if config.compile else nullcontext
        self.step, self._known_finite, self._small = 0, 0, is_small(self.G, self.D)
        self._history = torch.zeros(config.steps, len(COLUMNS), dtype=torch.float32, device=self.device)

    def _source(self, examples: Tensor | Law) -> Source:
        return source_of(examples, self.config.batch, self.value_range, self.device, self.config.seed, self.rank)

    def _looked_at(self, examples: Tensor | Law) -> tuple[Fit, list[str]]:
        """How the networks are called, and what is to be said of them and of the examples."""
        real, z, y = self.source.batch(0), self._first_noise(), NO_LABELS
        if self.conditions is not None:
            front_door.refuse_other_classes(self.G, self.D, self.conditions.classes)
            y = self.conditions.for_a_first_look()
        rest = examples, self._precision, self.config.penalty
        return front_door.look(self.G, self.D, self.objective, real, z, y, *rest)

    def _first_noise(self) -> Tensor:
        source = generator(self.device, self.config.seed, self.rank, 0, "first look")
        return draw_noise(self.config.noise, self.config.batch, self.z_dim, source)

    # Algorithm 1 ------------------------------------------------------------------------------------------------

    def run(self) -> Iterator[StepRecord]:
        """Train until `config.steps` steps are done, yielding a record after each.

        Ctrl-C takes effect between two steps, so that the state can be saved and continued exactly. Raises
        `NonFiniteLoss` with the first step whose loss is NaN or infinite, or the weight that is; `CheckpointError`
        after an error within a step; `ConfigError` within torch.inference_mode or torch.autocast.
        """
        front_door.refuse_other_modes(self.device)
        while self.step < self.config.steps:
            self._refuse_half_a_step()
            deferred, randomness, quickly = interrupts_deferred(), self._model_randomness(), one_thread(self._small)
            with deferred, randomness, compiler_named(), torch.enable_grad(), quickly, self._in_step():
                set_rates(self.config, self.step, self.optimizer_d, self.optimizer_g)
                self._midway = True
                self._history[self.step] = torch.stack(TURNS[self.config.update](self))
                if self.ema is not None:
                    self.ema.update(unwrapped(self.G), self.config.average_decay_at(self.step))
                self.step, self._midway = self.step + 1, False
            if self.step % FINITE_CHECK_EVERY == 0 or self.step == self.config.steps:
                self.refuse_non_finite()
            yield StepRecord(self.step, self._history[self.step - 1])

    def simultaneous_step(self, x: Tensor, z: Tensor, y: Labels = NO_LABELS) -> tuple[Tensor, ...]:
        """Both gradients at the same parameters and masks, then both updates. Returns losses and D's mean outputs."""
        require_labels(y, self.conditions)
        with self._precision():
            fake = self._generated(z, *y.fake)
            (x, t_real), (fake, t_fake) = self._judged(x, *y.real), self._judged(fake, *y.fake)  # […], [batch]
        loss_d = self.losses.discriminator(t_real, t_fake)
        loss_g = self._loss_of_G(t_real, t_fake)
        self.optimizer_d.zero_grad()
        self.optimizer_g.zero_grad()
        self._with_penalty(loss_d, x, fake, y).sum().backward(inputs=trained(self.D), retain_graph=True)
        loss_g.sum().backward(inputs=trained(self.G))
        self.optimizer_d.step()
        self.optimizer_g.step()
        return loss_d.detach(), loss_g.detach(), self._mean_output(t_real), self._mean_output(t_fake)

    def discriminator_step(
        self, x: Tensor, z: Tensor, y: Labels = NO_LABELS, fake: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Update D on x and on G(z), or `fake` where it is known. Returns D's loss and its mean outputs on both."""
        loss_and_outputs = self.discriminator_gradient(x, z, y, fake)
        self.optimizer_d.step()
        return loss_and_outputs

    def generator_step(
        self, z: Tensor, x: Tensor | None = None, y: Labels = NO_LABELS, fake: Tensor | None = None
    ) -> Tensor:
        """Update G against D at noise z [batch, z_dim]; objectives on pairs need a real batch x. Returns G's loss."""
        loss = self.generator_gradient(z, x, y, fake)
        self.optimizer_g.step()
        return loss

    def discriminator_gradient(
        self, x: Tensor, z: Tensor, y: Labels = NO_LABELS, fake: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Put the gradient of D's loss into D. Where a layer of D looks at its batch, real and generated samples go
        through D apart, as DCGAN's authors send them."""
        require_labels(y, self.conditions)
        with self._precision():
            with torch.no_grad():
                fake = self._generated(z, *y.fake) if fake is None else fake.detach()
            x, fake, t_real, t_fake = self._both_judged(x, fake, y)
        loss = self.losses.discriminator(t_real, t_fake)
        self.optimizer_d.zero_grad()
        self._with_penalty(loss, x, fake, y).sum().backward(inputs=trained(self.D))
        return loss.detach(), self._mean_output(t_real), self._mean_output(t_fake)

    def generator_gradient(
        self, z: Tensor, x: Tensor | None = None, y: Labels = NO_LABELS, fake: Tensor | None = None
    ) -> Tensor:
        """Put the gradient of G's loss into G, through D, which is left as it is."""
        require_labels(y, self.conditions)
        with self._precision():
            _, t_fake = self._judged(self._generated(z, *y.fake) if fake is None else fake, *y.fake)  # [batch]
            with torch.no_grad():
                t_real = self._judged(x, *y.real)[1] if x is not None else None
        loss = self._loss_of_G(t_real, t_fake)
        self.optimizer_g.zero_grad()
        loss.sum().backward(inputs=trained(self.G))
        return loss.detach()

    def _loss_of_G(self, t_real: Tensor | None, t_fake: Tensor) -> Tensor:
        if not self.losses.generator_needs_real:
            return self.losses.generator(t_fake)
        if t_real is None:
            raise ConfigError(
                f"G's step has no real batch; {self.objective.name} is on pairs: give generator_step(z, x)."
            )
        return self.losses.generator(t_real, t_fake)

    def _with_penalty(self, loss: Tensor, x: Tensor, fake: Tensor, y: Labels = NO_LABELS) -> Tensor:
        """D's loss, and what it pays for its slope at what it sees, in float32. `history` has the loss alone."""
        if self.config.penalty is None:
            return loss
        of = Batches(x, fake, self.step / self.config.steps, self._uniform, self.lead, y)
        with torch.autocast(self.device.type, enabled=False), differentiable_twice():
            return loss + self.config.penalty(self._logits, of)

    # What the steps draw ----------------------------------------------------------------------------------------

    def real_batch(self, number: int) -> Tensor:
        """Real minibatch `number`, [batch, …]; step s uses r·s … r·s + r − 1, where r is `config.minibatches`."""
        return self.source.batch(number)

    def noise(self, stream: str) -> Tensor:
        """Noise z [batch, z_dim] of the current step, on the device."""
        source = generator(self.device, self.config.seed, self.rank, self.step, stream)
        return draw_noise(self.config.noise, self.config.batch, self.z_dim, source)

    def labels(self, number: int, stream: str) -> Labels:
        """The labels of real minibatch `number` and of a generated batch of the current step; none without labels."""
        return NO_LABELS if self.conditions is None else self.conditions.of_batches(number, self.step, stream)

    def sample(self, n: int, *, labels: Any = None, seed: int = 0) -> Tensor:
        """`n` samples of G in evaluation mode (of its average when there is one), on the CPU.

        `seed` alone decides the noise, so the same call shows the same z at every stage of training. `labels` are one
        number for all samples, or n of them; without them the classes, where it trains with labels, come in turn.
        """
        y = NO_LABELS if labels is None and self.conditions is None else labels_of_samples(n, labels, self.classes)
        return sample(self.sampler, n, labels=y, noise=self.config.noise, seed=seed, batch=max(self.config.batch, 256))

    @property
    def classes(self) -> int | None:
        """How many labels there are; None without labels."""
        return None if self.conditions is None else self.conditions.classes

    @property
    def sampler(self) -> nn.Module:
        """The generator that samples are drawn from: the averaged one when there is one."""
        return self.G if self.ema is None else self.ema.module

    @property
    def history(self) -> Tensor:
        """[steps done, 4] float32 on the CPU: both losses, and D's mean output on real and generated samples."""
        return self._history[: self.step].cpu()

    def generated(self, z: Tensor, y: Labels = NO_LABELS) -> Tensor:
        """G(z), with the graph for its gradient."""
        with self._precision():
            return self._generated(z, *y.fake)

    def _generated(self, z: Tensor, *y: Tensor) -> Tensor:
        """G's samples of z [batch, z_dim], given in the shape that G takes."""
        z = z.view(*z.shape, *self.fit.latent) if self.fit.latent else z
        return self.G(z.clone() if self.fit.copies_z else z, *y)

    def _both_judged(self, x: Tensor, fake: Tensor, y: Labels) -> tuple[Tensor, ...]:
        """What D sees of both batches, and its logits [batch] of each: in one pass, if that is the same."""
        if not self.fit.together:
            (x, t_real), (fake, t_fake) = self._judged(x, *y.real), self._judged(fake, *y.fake)
            return x, fake, t_real, t_fake
        x, fake = self._seen(x), self._seen(fake)
        t = self._logits(torch.cat([x, fake], dim=self.lead - 1), *map(torch.cat, zip(y.real, y.fake, strict=True)))
        return x, fake, *t.chunk(2, dim=-1)

    def _judged(self, samples: Tensor, *y: Tensor) -> tuple[Tensor, Tensor]:
        """What D sees of samples, and its logits [batch] of that."""
        x = self._seen(samples)
        return x, self._logits(x, *y)

    def _seen(self, samples: Tensor) -> Tensor:
        """Samples with this step's instance noise."""
        sigma = self.config.instance_noise_at(self.step)
        return samples + sigma * self._standard_normal(samples) if sigma else samples

    def _logits(self, x: Tensor, *y: Tensor) -> Tensor:
        t = self.D(x.clone() if self.fit.copies_x else x, *y)
        return t.flatten() if self.fit.flat else t

    def _standard_normal(self, like: Tensor) -> Tensor:
        return torch.randn_like(like)

    def _uniform(self, like: Tensor) -> Tensor:
        return torch.rand_like(like)

    def _mean_output(self, logits: Tensor) -> Tensor:
        logits = logits.detach().float()
        return (logits.sigmoid() if self.objective.output == "probability" else logits).mean(dim=-1)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bfloat16")

    def _model_randomness(self) -> AbstractContextManager[None]:
        """Dropout and the like draw from a stream of this step; the caller's own randomness is untouched."""
        return forked(self.device, derived_seed(self.config.seed, self.rank, self.step, "model"))
