"""What a recipe is: data, networks, objective and options of one experiment, as one frozen value."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import torch
from torch import Tensor, nn

from ganlab import data, models
from ganlab.errors import CheckpointError, ConfigError
from ganlab.objectives import Objective
from ganlab.training import SGD, TrainConfig, Trainer, load_generator
from ganlab.training.sources import Law


@dataclass(frozen=True)
class Recipe:
    """One experiment.

    data         an image set's name for `ganlab.data.load`, or a law with known density; None: it is a user's to give
    G, D         specifications for `ganlab.models.build`
    first        train on the first so many images only: the rest is for validation
    prepare      what is done to the images once, before training; None: they are scaled to G's output range
    epochs       the length in passes over the images (then `config.steps` is not used); the momentum's epoch follows
    output_bias  sets the bias of G's output, from the mean of the images in [0, 1]
    after        the recipe whose trained generator this one's is stacked on, which is what `stack` does
    labels       whether both networks take the labels of the examples
    own          what images of a user's own are called here, such as "folder:PATH"; "": the recipe has its own
    scalable     whether size and number of the images are a user's to choose; the networks follow, in channels, too
    """

    name: str
    about: str
    data: str | Law | None
    G: dict[str, Any]
    D: dict[str, Any]
    objective: Objective
    config: TrainConfig
    size: int | None = None
    first: int | None = None
    prepare: Callable[[Tensor], Tensor] | None = None
    epochs: int | None = None
    output_bias: Callable[[Any, Tensor], None] | None = None
    after: str | None = None
    stack: Callable[[Any, nn.Module], None] | None = None
    labels: bool = False
    own: str = ""
    scalable: bool = False

    def with_images(self, name: str | None = None, *, size: int | None = None, limit: int | None = None) -> "Recipe":
        """The recipe on a user's images, size×size pixels, the first `limit` of them; None: as the recipe has it.

        Raises `ConfigError` for what this recipe does not leave to its user, and for a size that its networks refuse.
        """
        own, scalable = bool(self.own), self.scalable
        given = {"data": (name, own), "size": (size, scalable), "limit": (limit, scalable)}
        for option, (value, taken) in given.items():
            if value is not None and not taken:
                raise ConfigError(f"{option} is {value}, which {self.name} does not take; leave it out.")
        if name is not None:
            self._refuse_other_names(name)
        fields = {"data": name, "size": size, "first": limit}
        changed = replace(self, **{field: value for field, value in fields.items() if value is not None})
        if size is not None:
            with torch.device("meta"):  # before many images are read
                changed.networks(0)
        return changed

    def _refuse_other_names(self, name: str) -> None:
        begin = self.own.rstrip(ascii_uppercase)
        if not isinstance(name, str) or not name.startswith(begin) or name == begin:
            such = "" if name in ("", begin) else f", such as {begin}{name}"
            raise ConfigError(f"data is {str(name)!r}; {self.name} takes {self.own}{such}.")

    def trainer(self, root: Path | None = None, start: Path | None = None, **options: Any) -> Trainer:
        """A trainer at step 0, with some options of the config replaced; the seed also decides the initial weights.

        `start` is the exported generator of the recipe before, where there is one. Raises `DatasetUnavailable` when the
        images are not under `root`, `ConfigError` for options that do not fit and where images are to be given and are
        not, `CheckpointError` without `start`.
        """
        if self.data is None:
            raise ConfigError(f"{self.name} has no images of its own; give data as {self.own}.")
        first_stage = None if self.after is None else self._first_stage(start)
        examples, labels = self.data, True if self.labels else None
        if isinstance(examples, str):
            loaded = data.load(examples, root=root, size=self.size, limit=self.first)
            examples, labels = loaded.images, loaded.labels if self.labels else None
        config = self._with_epochs(examples, **options)
        G, D = self.networks(config.seed, examples)
        if self.stack is not None and first_stage is not None:
            self.stack(G, first_stage)
        if self.prepare is not None and isinstance(examples, Tensor):
            examples = self.prepare(examples)
        return Trainer(G, D, self.objective, examples, config, labels=labels)

    def networks(self, seed: int, examples: Any = None) -> tuple[nn.Module, nn.Module]:
        """G and D untrained, with this seed; `output_bias` follows the mean of uint8 images, if they are given."""
        shape = {"size": self.size} if self.scalable else {}
        if self.scalable and isinstance(examples, Tensor):
            shape["channels"] = examples.shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            G, D = models.build(self.G | shape), models.build(self.D | shape)
        if self.output_bias is not None and isinstance(examples, Tensor):
            self.output_bias(G, examples.float().mean(dim=0) / 255)
        return G, D

    def _first_stage(self, start: Path | None) -> nn.Module:
        if start is None or not start.exists():
            raise CheckpointError(f"{self.name} goes on from {start}, which is not there; train {self.after} first.")
        return load_generator(start)[0]

    def _with_epochs(self, examples: Any, **options: Any) -> TrainConfig:
        """The config with these options; steps and the momentum's epoch, where they are not among them, are counted in
        passes over these images."""
        config = replace(self.config, **options)
        if self.epochs is None:
            return config
        pairs = self.objective.output == "pair"
        updates = max(1, len(examples) // (config.batch * config.minibatches(pairs)))
        counted = {"steps": self.epochs * updates} | {
            role: replace(optimizer, epoch=updates)
            for role in ("optimizer_d", "optimizer_g")
            if isinstance(optimizer := getattr(config, role), SGD)
        }
        return replace(config, **{option: value for option, value in counted.items() if option not in options})
