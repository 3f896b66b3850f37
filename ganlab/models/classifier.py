"""A small network that tells digits apart, whose last hidden layer is what generated images are compared in.

The published Fréchet distances use the features of an Inception network, which has to be downloaded and was trained on
photographs. These features come with the package, and know digits.
"""

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from ganlab.errors import CheckpointError, ConfigError, GanlabError
from ganlab.models.base import Rebuildable, at_least_one, build, require_shape, yes_or_no

WEIGHTS = Path(__file__).parent / "weights"
"""Where the weights lie that come with the package, a file for each image set."""
FORMAT = "ganlab classifier 1"


class Classifier(Rebuildable):
    """Images [batch, channels, side, side] in [−1, 1] → logits [batch, classes].

    Three 3×3 convolutions with batch norm and ReLU, the first and the last followed by 2×2 max-pooling; then a layer of
    `features` units with ReLU, which are the features, and one from them to the classes. Raises `ConfigError` for a
    side that is no multiple of 4 (deep: of 8), and for sizes and options of another kind.

    deep   for photographs: six convolutions, of `width`, 2 and 3 times `width` maps, each second one followed by
           max-pooling; each of the last maps is then averaged over its places
    info   how the weights were made, None for a network that nobody trained
    """

    input_range = (-1.0, 1.0)
    later: ClassVar[dict[str, Any]] = {"deep": False}

    def __init__(
        self,
        side: int = 28,
        channels: int = 1,
        classes: int = 10,
        width: int = 16,
        features: int = 64,
        deep: bool = False,
    ) -> None:
        super().__init__()
        at_least_one(side=side, channels=channels, classes=classes, width=width, features=features)
        yes_or_no(deep=deep)
        if side % (smallest := 8 if deep else 4):
            raise ConfigError(f"side is {side}; give a multiple of {smallest}.")
        self.info: ClassifierInfo | None = None
        self.sample_shape = (channels, side, side)
        self.maps = nn.Sequential(*(_deep_maps if deep else _maps)(channels, width))
        self.hidden = nn.Linear(3 * width if deep else 2 * width * (side // 4) ** 2, features)
        self.out = nn.Linear(features, classes)

    def features(self, x: Tensor) -> Tensor:
        """The features [batch, features] of images x, not negative. Raises `ShapeError`."""
        require_shape(x, self.sample_shape, "x")
        x = x.to(memory_format=torch.channels_last)  # on a CPU twice as fast
        return self.hidden(self.maps(x).flatten(1)).relu()  # [batch, features]

    def forward(self, x: Tensor) -> Tensor:
        """Logits [batch, classes] of images x. Raises `ShapeError`."""
        return self.out(self.features(x))

    @torch.no_grad()
    def scale_features(self, factor: float) -> None:
        """Multiply the features by a positive number, and leave the logits as they are."""
        self.hidden.weight.mul_(factor)
        self.hidden.bias.mul_(factor)
        self.out.weight.div_(factor)

    def __str__(self) -> str:
        made = "untrained" if self.info is None else str(self.info)
        return f"{self.hidden.out_features} features of a classifier ({made})"


def _maps(channels: int, width: int) -> list[nn.Module]:
    return [
        *_convolution(channels, width),
        nn.MaxPool2d(2),
        *_convolution(width, 2 * width),
        *_convolution(2 * width, 2 * width),
        nn.MaxPool2d(2),
    ]


def _deep_maps(channels: int, width: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for maps_in, maps in itertools.pairwise((channels, width, 2 * width, 3 * width)):
        layers += [*_convolution(maps_in, maps), *_convolution(maps, maps), nn.MaxPool2d(2)]
    return [*layers, nn.AdaptiveAvgPool2d(1)]


def _convolution(maps_in: int, maps: int) -> list[nn.Module]:
    return [nn.Conv2d(maps_in, maps, 3, padding=1, bias=False), nn.BatchNorm2d(maps), nn.ReLU()]


@dataclass(frozen=True)
class ClassifierInfo:
    """How a classifier's weights were made, and how good they are.

    spec         what `ganlab.models.build` makes the network from
    images       the set that it was trained on, and the command that did it
    validation, accuracy   the share of validation and of test images that it tells right, 0 … 1
    data_sha256  of the training images and labels, as `digest` gives it
    sha256       of the weights and of all that is said here
    """

    spec: dict[str, Any]
    images: str
    command: str
    seed: int
    epochs: float
    validation: float
    accuracy: float
    data_sha256: str
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.images}, seed {self.seed}, {100 * self.accuracy:.2f} % of the test images right"


def trained(images: str) -> Classifier:
    """The classifier that comes with the package for an image set, on the CPU in evaluation mode.

    images  "mnist" (28×28, of which 99 % are told right), "digits" (8×8) or "cifar10" (32×32, in colour)

    Raises `ConfigError` for another set, `CheckpointError` for a file that is missing or damaged.
    """
    there = sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))
    if not isinstance(images, str) or images not in there:
        raise ConfigError(f"images is {images!r}; there are classifiers of {', '.join(there)}.")
    return load(WEIGHTS / f"{images}.safetensors")


def load(path: Path) -> Classifier:
    """A classifier from a file that `packed` made, on the CPU in evaluation mode. Raises `CheckpointError`."""
    try:
        content = path.read_bytes()
        tensors = safetensors.torch.load(content)
        said = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__", {})
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); install ganlab again.") from error
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be read (it is no whole safetensors file); get it again.") from error
    if said.get("format") != FORMAT:
        raise CheckpointError(f"{path} has the format {said.get('format')!r}, not {FORMAT!r}; make it again.")
    try:
        info = ClassifierInfo(**json.loads(said["info"]))
        network = build(info.spec)
    except (GanlabError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} holds no classifier that this ganlab can make; make it again.") from error
    if not isinstance(network, Classifier):
        raise CheckpointError(f"{path} holds a {type(network).__name__}; give the file of a Classifier.")
    wanted = {name: (list(tensor.shape), tensor.dtype) for name, tensor in network.state_dict().items()}
    given = {name: (list(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}
    for name in [*wanted, *given]:
        if wanted.get(name) != given.get(name):
            there, here = (" ".join(map(str, part[name])) if name in part else "missing" for part in (given, wanted))
            raise CheckpointError(f"{path}: {name} is {there} there and {here} in the network; make the file again.")
    if _checksum(tensors, info) != info.sha256:
        raise CheckpointError(f"{path} is damaged: its checksum is not the one that was written; get it again.")
    network.load_state_dict(tensors)
    network.info = info
    return network.eval()


def packed(network: Classifier, info: ClassifierInfo) -> bytes:
    """What a file of a classifier holds: its weights, and `info` with the checksum of both."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    said = asdict(replace(info, sha256=_checksum(tensors, info)))
    return safetensors.torch.save(tensors, {"format": FORMAT, "info": json.dumps(said)})


def digest(*tensors: Tensor) -> str:
    """The SHA-256 of tensors: their dtypes, shapes and values, in this order."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(f"{tensor.dtype} {list(tensor.shape)}".encode())
        found.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _checksum(tensors: dict[str, Tensor], info: ClassifierInfo) -> str:
    names = sorted(tensors)
    said = json.dumps([asdict(replace(info, sha256="")), names], sort_keys=True)
    return hashlib.sha256((said + digest(*(tensors[name] for name in names))).encode()).hexdigest()
