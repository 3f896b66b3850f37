"""What lessons use: `setup()` in their first cell, `watch()` to see a GAN learn, `picture()` for one that is kept."""

import io
import random
from pathlib import Path

import ganlab
from ganlab.errors import MissingPackage

try:
    import numpy as np
    import torch
    from IPython.core.getipython import get_ipython
    from IPython.display import HTML, display
    from matplotlib import pyplot as plt
    from matplotlib.figure import Figure
    from PIL import Image
    from torch import Tensor
    from tqdm.auto import tqdm

    from ganlab import inline, plots
    from ganlab.shown import in_notebook
    from ganlab.training import Trainer, cores, leave_room, pick_device, tune
except ModuleNotFoundError as error:
    raise MissingPackage(error) from None

SEED = 0
BETWEEN_WORDS = """<style>
.jp-OutputArea-child .jp-OutputArea-output pre {word-break: normal; overflow-wrap: anywhere}
</style>"""
"""Where a printed line that is too wide breaks; JupyterLab breaks it within words."""


def setup() -> None:
    """Seed every source of randomness, set how figures and missing packages are shown, and say what was found."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 (libraries that draw from the global state)
    torch.manual_seed(SEED)
    tune()
    if leave_room():
        print("other programs keep the cores busy: this lesson takes one thread")
    plots.use_style()
    if (shell := get_ipython()) is not None:
        inline.describe_figures(shell)
        inline.advise_on_missing_packages(shell)
    if in_notebook():
        display({"text/plain": "", "text/html": BETWEEN_WORDS}, raw=True)
    device = pick_device("auto")
    print(f"ganlab {ganlab.__version__}, torch {torch.__version__}, {device.type}, {cores()} cores, seed {SEED}")


def watch(trainer: Trainer, *, every: int, shown: int = 36) -> dict[int, Tensor]:
    """Train to the end with a progress bar, redrawing a grid of images of the same latent points each `every` steps.

    Gives what was shown, by step: images [shown, C, H, W] in the generator's range.
    """
    seen = {trainer.step: trainer.sample(shown)}
    picture = display(_grid(trainer, seen), display_id=True)
    for record in tqdm(trainer.run(), initial=trainer.step, total=trainer.config.steps, unit="step"):
        if record.step % every == 0:
            seen[record.step] = trainer.sample(shown)
            if picture is not None:  # in a notebook
                picture.update(_grid(trainer, seen))
    return seen


def picture(png: bytes, words: str) -> HTML:
    """Show a PNG, with `words` for whoever cannot see it."""
    return HTML(inline.as_html(words, png))


def top_of(grid: Path, rows: int, *, of: int = 10) -> bytes:
    """The upper `rows` of the `of` rows of a grid of images in a PNG file, as PNG: a lesson need not hold all."""
    upper = io.BytesIO()
    with Image.open(grid) as whole:
        height = (whole.height - plots.GAP) // of * rows + plots.GAP
        whole.crop((0, 0, whole.width, height)).save(upper, "PNG")
    return upper.getvalue()


def _grid(trainer: Trainer, seen: dict[int, Tensor]) -> Figure:
    step, images = list(seen.items())[-1]
    title = f"After {step:,} steps each of these latent points has its own picture"
    figure = plots.sample_grid(images, columns=12, title=title, value_range=trainer.value_range)
    plt.close(figure)
    return figure
