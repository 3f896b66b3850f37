"""Trained generators as safetensors files: weights, and in the metadata what is needed to draw from them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from ganlab import models
from ganlab.errors import CheckpointError
from ganlab.training.checkpoint import write_whole
from ganlab.training.trainer import Trainer


@dataclass(frozen=True)
class GeneratorInfo:
    """How an exported generator was trained and how to draw from it."""

    spec: dict[str, Any]
    noise: str
    step: int
    objective: str
    seed: int
    sha256: str


def export_generator(trainer: Trainer, path: Path | str) -> None:
    """Write the generator that the trainer samples from (the averaged one when there is one) to one file.

    Raises `CheckpointError` when the generator has no `spec` (it is not one of `ganlab.models`) or the disk is full.
    """
    G = trainer.sampler
    spec = getattr(G, "spec", None)
    if not isinstance(spec, dict):
        raise CheckpointError(
            f"{type(G).__name__} has no spec to rebuild it from; export a generator of ganlab.models."
        )
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in G.state_dict().items()}
    info = GeneratorInfo(
        spec, trainer.config.noise, trainer.step, trainer.objective.name, trainer.config.seed, _digest(tensors)
    )
    write_whole(Path(path), safetensors.torch.save(tensors, metadata={"ganlab": json.dumps(asdict(info))}))


def load_generator(path: Path | str) -> tuple[nn.Module, GeneratorInfo]:
    """The generator in an exported file, on the CPU in evaluation mode, and how it was trained.

    Raises `CheckpointError` for a file that is missing, damaged, or not exported by ganlab.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {}).get("ganlab", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, safetensors.SafetensorError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); give a file that ganlab exported.") from error
    if not isinstance(metadata, dict):
        raise CheckpointError(f"{path} holds no ganlab generator; give a file that ganlab exported.")
    try:
        info = GeneratorInfo(**metadata)
    except TypeError as error:
        raise CheckpointError(
            f"{path} was exported by another version of ganlab ({error}); export it again."
        ) from error
    if _digest(tensors) != info.sha256:
        raise CheckpointError(f"{path} is damaged: its checksum is not the one that was written; export it again.")
    G = models.build(info.spec)
    G.load_state_dict(tensors)
    return G.eval(), info


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
