"""Records: what experiments measured, with everything that is needed to judge the numbers, as JSON."""

import json
import platform
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ganlab
from ganlab.errors import ConfigError, ShapeError
from ganlab.training import cores
from ganlab.training.checkpoint import write_whole

FOLDER = Path("figures") / "records"
"""Where the course's own records lie."""
OWN = Path("runs") / "records"
"""Where a reader's records are written, unless told otherwise: a short run is not to replace a long one."""


def environment() -> dict[str, Any]:
    """Versions and hardware: what a measured time or a last digit depends on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "ganlab": ganlab.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "processor": _processor(),
        "cores": cores(),
        "gpu": gpu,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write(name: str, content: dict[str, Any], folder: Path) -> Path:
    """Write a record into `folder`, in one move, and give its path. Raises `CheckpointError` when that fails."""
    path = folder / f"{name}.json"
    write_whole(path, (_json(content) + "\n").encode())
    return path


def _json(content: Any, indent: str = "") -> str:
    """Objects over several lines, lists of plain values on one: a record is to be read by people, too."""
    deeper = indent + "  "
    if isinstance(content, dict) and content:
        items = (f"{deeper}{json.dumps(str(key))}: {_json(value, deeper)}" for key, value in content.items())
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(content, list) and any(isinstance(value, dict) for value in content):
        return "[\n" + ",\n".join(deeper + _json(value, deeper) for value in content) + f"\n{indent}]"
    return json.dumps(content, ensure_ascii=False)


def read(name: str, folder: Path | None = None) -> dict[str, Any]:
    """A record of the course, wherever it is read from. Raises `ConfigError` for one that is not there or is no JSON.

    folder  look here, and not in the course that encloses the working directory, nor in that of this package
    """
    path = place_of(name, folder)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        place = shlex.quote(str(path.parent))
        raise ConfigError(
            f"{path} is not there; measure it with: python -m ganlab reproduce {name} --out {place}"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); restore it from the repository.") from error
    except ValueError as error:
        raise ConfigError(f"{path} is no JSON; restore it from the repository.") from error


def place_of(name: str, folder: Path | None = None) -> Path:
    """The file of a record: in `folder`, else among those of the course."""
    return folder / f"{name}.json" if folder else _kept(f"{name}.json")


def picture(name: str) -> Path:
    """The file of a picture beside the course's records, such as "gan2014-mnist-seed-0"."""
    return _kept(f"{name}.png")


def images(name: str, side: int) -> torch.Tensor:
    """The images [n, C, side, side] in [0, 1] of a picture beside the course's records: a grid whose rows are full.

    Raises `ConfigError` for a picture that is not there, `ShapeError` for one that is no grid of such images.
    """
    from PIL import Image

    from ganlab import plots

    if not (file := picture(name)).is_file():
        raise ConfigError(f"{file} is not there; ask for one of the pictures beside the course's records.")
    with Image.open(file) as whole:
        canvas = torch.from_numpy(np.array(whole, dtype=np.float32)) / 255
    canvas = canvas if canvas.ndim == 3 else canvas[..., None]
    scale = -(-plots.SMALLEST_TILE // side) if side < plots.SMALLEST_TILE else 1
    tile = side * scale + plots.GAP
    rows, columns = ((length - plots.GAP) // tile for length in canvas.shape[:2])
    if canvas.shape[:2] != (rows * tile + plots.GAP, columns * tile + plots.GAP) or not rows * columns:
        raise ShapeError(f"{name} has {list(canvas.shape[:2])} pixels; give the side of its images, not {side}.")
    tiles = canvas[plots.GAP :, plots.GAP :].reshape(rows, tile, columns, tile, -1)
    shown = tiles[:, : side * scale : scale, :, : side * scale : scale]
    return shown.permute(0, 2, 4, 1, 3).reshape(rows * columns, -1, side, side)


def _kept(file: str) -> Path:
    """A file among the course's records: of the course that encloses the working directory, else of this package's."""
    here = Path.cwd()
    courses = (here, *here.parents, Path(ganlab.__file__).resolve().parents[1])
    places = [course / FOLDER / file for course in courses]
    return next((place for place in places if place.is_file()), places[0])
