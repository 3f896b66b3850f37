"""Trained generators as safetensors files: weights, and in the metadata what is needed to draw from them.

One checksum is over both: a file whose weights, names, shapes or metadata were changed is refused.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from ganlab import models
from ganlab.errors import CheckpointError, GanlabError
from ganlab.training.checkpoint import content_of, place_of, refuse_foreign, temporary, write_whole
from ganlab.training.checks import shown
from ganlab.training.labels import labels_of_samples
from ganlab.training.randomness import forked
from ganlab.training.sampling import require_values, sample
from ganlab.training.trainer import Trainer
from ganlab.training.wrappers import load_state, misfit, state_of, unwrapped


@dataclass(frozen=True)
class GeneratorInfo:
    """How an exported generator was trained and how to draw from it.

    spec     what `ganlab.models.build` makes it from; None for a network of one's own, of which only weights are saved
    network  the name of its class
    classes  how many labels 0, 1, … it takes; None for a generator without labels
    """

    spec: dict[str, Any] | None
    noise: str
    step: int
    objective: str
    seed: int
    sha256: str
    network: str = ""
    classes: int | None = None

    @property
    def said(self) -> dict[str, Any]:
        """All of it as plain values, as the file holds it; without labels nothing is said of classes."""
        unsaid = () if self.classes is not None else ("classes",)
        return {key: value for key, value in asdict(self).items() if key not in unsaid}


def export_generator(trainer: Trainer, path: Path | str, *, weights_only: bool = False) -> None:
    """Write the generator that the trainer samples from (the averaged one when there is one) to one file.

    A network of one's own has no `spec` to be made again from. With `weights_only` its weights alone are written, and
    `load_generator(path, into=G)` loads them into one that is made anew.

    Raises `CheckpointError` when the generator has no `spec` and `weights_only` is not set, when another kind of file
    is at `path`, or when the disk is full; `NonFiniteLoss` as `Trainer.save` does.
    """
    if not isinstance(trainer, Trainer) or trainer.lead != 1:
        what = f"an {type(trainer).__name__} of many generators" if isinstance(trainer, Trainer) else shown(trainer)
        raise CheckpointError(f"trainer is {what}; give a Trainer, which has one generator.")
    place = place_of(path)
    trainer.refuse_non_finite()
    G = unwrapped(trainer.sampler)
    spec = models.spec_of(G) if not weights_only else None
    name = type(G).__name__
    why_not = "has no spec to rebuild it from" if spec is None else _changed(G, spec, trainer.classes)
    if why_not and not weights_only:
        raise CheckpointError(
            f"{name} {why_not}; export its weights with export_generator(trainer, path,"
            f" weights_only=True) and load them with load_generator(path, into=G), G being a {name} made anew."
        )
    tensors = {key: _plain(key, value) for key, value in state_of(G).items()}
    config = trainer.config
    info = GeneratorInfo(
        spec, config.noise, trainer.step, trainer.objective.name, config.seed, "", name, trainer.classes
    )
    info = replace(info, sha256=_digest(tensors, info))
    try:
        content = safetensors.torch.save(tensors, metadata={"ganlab": json.dumps(info.said)})
    except KeyError as error:
        raise CheckpointError(
            f"the generator's state holds {error.args[0]}, which no such file holds; convert it."
        ) from error
    for other in (place, temporary(place)):
        refuse_foreign(other, lambda start: b'"ganlab"' in start)
    write_whole(place, content)


def _changed(G: nn.Module, spec: dict[str, Any], classes: int | None) -> str:
    """That a network is no longer what its specification makes, if it is not: the same weights give other samples."""
    with forked(torch.device("cpu")):
        made = models.build(spec).to(next(G.parameters()).device)
    state = state_of(G)
    if not misfit(made, state):
        load_state(made, state)
        y = labels_of_samples(2, None, classes)
        if torch.allclose(sample(made, 2, labels=y), sample(G, 2, labels=y), rtol=1e-3, atol=1e-4, equal_nan=True):
            return ""
    return "was changed after it was made, by another layer, forward or hook"


def load_generator(path: Path | str, *, into: nn.Module | None = None) -> tuple[nn.Module, GeneratorInfo]:
    """The generator in an exported file, on the CPU in evaluation mode, and how it was trained.

    into   a network to load the weights into: needed for one's own, of which only the weights are saved

    Raises `CheckpointError` for a file that is missing, damaged, or not exported by ganlab, and for weights that do not
    fit.
    """
    tensors, info = _read(path := place_of(path))
    if into is None and info.spec is None:
        raise CheckpointError(
            f"{path} holds the weights of a {info.network} alone; make one and load them with"
            " load_generator(path, into=G)."
        )
    try:
        G = into if info.spec is None or into is not None else models.build(info.spec)
    except (GanlabError, TypeError) as error:
        raise CheckpointError(f"{path} holds a network that this ganlab cannot make; export it again.") from error
    if not isinstance(G, nn.Module):
        raise CheckpointError(f"into is {shown(G)}; give a network, a torch.nn.Module that is made.")
    require_values("G", G)
    if any(nn.parameter.is_lazy(tensor) for tensor in (*G.parameters(), *G.buffers())):
        sample(G, 2, labels=labels_of_samples(2, None, info.classes))  # lazy layers take their sizes from it
    if reason := misfit(G, tensors):
        name = type(unwrapped(G)).__name__
        raise CheckpointError(f"{path} does not fit this {name} ({reason}); give the network that it is of.")
    load_state(G, tensors)
    return G.eval(), info


def _read(path: Path) -> tuple[dict[str, Tensor], GeneratorInfo]:
    """The tensors and the metadata of an exported file, checked."""
    content = content_of(path, "give a file that ganlab exported")
    try:
        tensors = safetensors.torch.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        metadata = json.loads(header.get("__metadata__", {}).get("ganlab", "null"))
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} cannot be read (it is no whole safetensors file); give one by ganlab."
        ) from error
    if not isinstance(metadata, dict):
        raise CheckpointError(f"{path} holds no ganlab generator; give a file that ganlab exported.")
    try:
        info = GeneratorInfo(**metadata)
    except TypeError as error:
        raise CheckpointError(f"{path} was exported by another version of ganlab; export it again.") from error
    expected = _digest(tensors, info) if info.network else _digest_of_tensors_alone(tensors)
    if expected != info.sha256:
        raise CheckpointError(f"{path} is damaged: its checksum is not the one that was written; export it again.")
    return tensors, info


def _plain(name: str, value: Any) -> Tensor:
    """A tensor as it is written: on the CPU, contiguous, sharing memory with no other."""
    if not isinstance(value, Tensor) or value.layout is not torch.strided:
        what = f"{value.layout} tensor" if isinstance(value, Tensor) else type(value).__name__
        raise CheckpointError(
            f"the generator's state {name} is a {what}; only tensors can be exported, and no sparse ones: make it one."
        )
    return value.detach().cpu().contiguous().clone()


def _digest(tensors: dict[str, Tensor], info: GeneratorInfo) -> str:
    """One checksum over all that the file says: metadata, names, dtypes, shapes and weights."""
    shapes = [(name, str(tensor.dtype), list(tensor.shape)) for name, tensor in sorted(tensors.items())]
    said = json.dumps([replace(info, sha256="").said, shapes], sort_keys=True)
    return hashlib.sha256(said.encode() + _digest_of_tensors_alone(tensors).encode()).hexdigest()


def _digest_of_tensors_alone(tensors: dict[str, Tensor]) -> str:
    """What files of before hold: names and weights, without shapes and metadata."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
