"""The Toronto Face Database (Susskind, Anderson, Hinton 2010), as its authors hand it out: `TFD_48x48.mat`."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganlab.data.files import beyond_memory, holds
from ganlab.data.readers import Read
from ganlab.errors import ConfigError, DatasetUnavailable

FILE = "TFD_48x48.mat"
SIDE = 48
FOLDS = 5
PARTS = {"unlabelled": 0, "train": 1, "validation": 2, "test": 3}
"""What the column of a fold says of an image."""
EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
ASK = f"ask its authors for {FILE} (it is handed out on request only) and put it there"


def tfd(root: Path, part: str = "unlabelled", fold: int = 0) -> Read:
    """Faces [N, 1, 48, 48] uint8 of one part of an official fold, 0 … 4; labels are expressions, −1 for none.

    The 2014 paper trains on the unlabelled faces and scores on the five folds' test faces. Raises `DatasetUnavailable`
    for a file that is missing or not as described, `ConfigError` for an unknown part or fold.
    """
    if part not in PARTS:
        raise ConfigError(f"part is {part!r}; give one of {', '.join(PARTS)}.")
    if fold not in range(FOLDS):
        raise ConfigError(f"fold is {fold!r}; give one of 0 … {FOLDS - 1}.")
    content = _content(root / FILE)
    chosen = content["folds"][:, fold] == PARTS[part]
    if not chosen.any():
        raise DatasetUnavailable(f"{root / FILE} has no {part} faces in fold {fold}; {ASK}.")
    images = torch.from_numpy(np.ascontiguousarray(content["images"][chosen]))[:, None]
    labels = torch.from_numpy(content["labs_ex"][chosen].astype(np.int64))
    return Read(images, torch.where(labels > 0, labels - 1, -1), EXPRESSIONS)


def _content(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    if not holds(path.parent, [path.name]):
        raise DatasetUnavailable(f"{path} is not there; {ASK}.")
    try:
        content = loadmat(path, variable_names=["images", "labs_ex", "folds"])
        images, expressions, folds = (np.asarray(content[name]) for name in ("images", "labs_ex", "folds"))
    except MemoryError as error:
        raise beyond_memory(str(path)) from error
    except Exception as error:  # scipy passes on whatever a damaged file gives rise to
        why = "it is cut off or damaged, or lacks images, labs_ex or folds"
        raise DatasetUnavailable(f"{path} cannot be read: {why}; {ASK}.") from error
    n = len(images)
    expressions = expressions.reshape(-1)
    as_described = images.shape == (n, SIDE, SIDE) and images.dtype == np.uint8
    if not as_described or expressions.shape != (n,) or folds.shape != (n, FOLDS):
        shapes = f"images {images.shape} {images.dtype}, labs_ex {expressions.shape}, folds {folds.shape}"
        raise DatasetUnavailable(f"{path} holds {shapes}; wanted are (n, 48, 48) uint8, (n,) and (n, 5): {ASK}.")
    if not (known := np.isin(expressions, range(-1, len(EXPRESSIONS) + 1))).all():
        other = expressions[~known][0]
        raise DatasetUnavailable(f"{path} has a labs_ex of {other}; wanted are −1 and 1 … {len(EXPRESSIONS)}: {ASK}.")
    return {"images": images, "labs_ex": expressions, "folds": folds}
