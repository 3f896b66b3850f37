"""The command line: `python -m ganlab doctor | train | sample | reproduce | table | ledger`."""

import io
import os
import shlex
import sys
import warnings
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from torch import Tensor
from tqdm import tqdm

from ganlab import doctor as examination
from ganlab import models, plots, training
from ganlab.errors import ConfigError, GanlabError, printable
from ganlab.experiments import recipes, records, running, study, tables
from ganlab.ledger import format_ledger, read_ledger
from ganlab.training import Trainer
from ganlab.training.checkpoint import find, place_of, refuse_foreign, temporary, write_whole
from ganlab.training.labels import labels_of_samples, rows_of_classes
from ganlab.training.sampling import z_dim_of

INTERRUPTED = 130
MOST_STEPS = 10**8
"""Every step leaves four numbers in the history, which is held in memory."""
MOST_IN_A_PICTURE = 10_000
MOST_BYTES = 4 * 2**30
"""Of samples in one file: they are held in memory before they are written."""
SAMPLES_SHOWN, COLUMNS = 64, 8
"""How many samples are shown; of each class, where there are classes, so many as a grid has columns."""
CHECKPOINT, GENERATOR, SAMPLES, HISTORY = "run.ckpt", "generator.safetensors", "samples.png", "history.csv"
HEADER = ",".join(("step", *training.COLUMNS))

DataRoot = Annotated[Path | None, tyro.conf.arg(help="Folder of the image sets (else $GANLAB_DATA, ~/.cache/ganlab).")]


def doctor(root: DataRoot = None) -> int:
    """Check Python, packages, device and data sets; say what to do about each that is not OK."""
    return 0 if examination.report(root) else 1


def train(
    recipe: Annotated[str, tyro.conf.Positional, tyro.conf.arg(help="Name of the experiment.", metavar="RECIPE")],
    /,
    steps: Annotated[int | None, tyro.conf.arg(help="Generator updates; more than before goes on from there.")] = None,
    out: Annotated[Path | None, tyro.conf.arg(help="Folder of the run (else runs/RECIPE).")] = None,
    seed: Annotated[int, tyro.conf.arg(help="Decides initial weights, batch order and noise.")] = 0,
    device: Annotated[str, tyro.conf.arg(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[
        str, tyro.conf.arg(help="float32, or bfloat16 (faster where the processor has it).")
    ] = "float32",
    compile: Annotated[bool, tyro.conf.arg(help="torch.compile both networks, on a GPU into CUDA graphs.")] = False,  # noqa: A002
    every: Annotated[int, tyro.conf.arg(help="Steps between two checkpoints, each with a sample grid.")] = 500,
    batch: Annotated[int | None, tyro.conf.arg(help="Real samples per update (else the recipe's own number).")] = None,
    data: Annotated[
        str | None, tyro.conf.arg(help="Your own images, where a recipe takes some, such as folder:PATH.")
    ] = None,
    size: Annotated[
        int | None, tyro.conf.arg(help="Pixels of a side, where a recipe leaves it open (else its own number).")
    ] = None,
    limit: Annotated[
        int | None, tyro.conf.arg(help="Train on so many images, where a recipe leaves it open (else on all).")
    ] = None,
    start: Annotated[
        Path | None, tyro.conf.arg(help="Generator of the stage before (else generator.safetensors in its folder).")
    ] = None,
    root: DataRoot = None,
) -> int:
    """Train a recipe. Stop it with Ctrl-C; the same command goes on where it stopped, to the same end.

    Writes into the run's folder: run.ckpt (to go on from), samples.png (the same latent points each time; with
    labels a row for each class), history.csv (both losses and D's mean output per step) and, at the end,
    generator.safetensors (to sample from).
    """
    chosen = recipes.get(recipe).with_images(data, size=size, limit=limit)
    if every < 1:
        raise ConfigError(f"every is {every}; give an integer of at least 1.")
    if steps is not None and steps > MOST_STEPS:
        raise ConfigError(f"steps is {steps}; give at most {MOST_STEPS:,}.")
    folder = out or Path("runs") / recipe
    if chosen.name != recipe:
        print(f"{recipe} is called {chosen.name} now; this is the same run, in {folder}")
    _refuse_files_of_others(folder)
    training.tune()
    options = {"seed": seed, "device": device, "precision": precision, "compile": compile}
    options |= {name: value for name, value in (("steps", steps), ("batch", batch)) if value is not None}
    if start is not None and not chosen.after:
        raise ConfigError(f"start is {start} and {recipe} begins anew; leave it out.")
    if chosen.after and start is None:
        start = Path("runs") / chosen.after / GENERATOR
    trainer = chosen.trainer(root, start, **options)
    folder.mkdir(parents=True, exist_ok=True)
    if trainer.resume(folder / CHECKPOINT):
        print(f"going on from step {trainer.step} of {folder / CHECKPOINT}")
    try:
        _train_with_bar(trainer, folder, every)
    except KeyboardInterrupt:
        _save(trainer, folder)
        print(f"stopped at step {trainer.step}, saved in {folder}; the same command goes on from there")
        return INTERRUPTED
    training.export_generator(trainer, folder / GENERATOR)
    generator = shlex.quote(str(folder / GENERATOR))
    print(f"done: see {folder / SAMPLES}; draw more with: python -m ganlab sample {generator}")
    return 0


def _refuse_files_of_others(folder: Path) -> None:
    """Raise `CheckpointError` for files that no run wrote and that this one would write over."""
    begun = find(folder / CHECKPOINT) is not None or (folder / HISTORY).exists()
    for name, ours in ((HISTORY, lambda start: start.startswith(HEADER.encode())), (SAMPLES, lambda _: begun)):
        for place in (folder / name, temporary(folder / name)):
            refuse_foreign(place, ours)


def _train_with_bar(trainer: Trainer, folder: Path, every: int) -> None:
    with tqdm(total=trainer.config.steps, initial=trainer.step, unit="step") as bar:
        for record in trainer.run():
            bar.update()
            if record.step % 20 == 0:
                bar.set_postfix(D=f"{record.discriminator_loss:.3f}", G=f"{record.generator_loss:.3f}", refresh=False)
            if record.step % every == 0:
                _save(trainer, folder)
    _save(trainer, folder)


def _save(trainer: Trainer, folder: Path) -> None:
    trainer.save(folder / CHECKPOINT)
    rows = None if trainer.classes is None else rows_of_classes(trainer.classes, COLUMNS)
    samples = trainer.sample(SAMPLES_SHOWN if rows is None else len(rows), labels=rows)
    if samples.ndim == 4:
        plots.save_grid_png(samples, folder / SAMPLES, value_range=trainer.value_range)
    steps = np.arange(1, trainer.step + 1)[:, None]
    rows = np.hstack([steps, trainer.history.numpy()])
    text = io.StringIO()
    np.savetxt(text, rows, fmt=["%d", *["%.6g"] * 4], delimiter=",", header=HEADER, comments="")
    write_whole(place_of(folder / HISTORY), text.getvalue().encode())


def sample(
    generator: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(help="A generator.safetensors.", metavar="FILE")],
    /,
    n: Annotated[int | None, tyro.conf.arg(help="How many samples (else 64, or 8 of each class).")] = None,
    label: Annotated[int | None, tyro.conf.arg(help="Which class, if the generator takes one (else in turn).")] = None,
    labels: Annotated[str | None, tyro.conf.arg(help="all: a row of samples for each class.")] = None,
    out: Annotated[Path, tyro.conf.arg(help="Where to: .png for a grid, .npz for an array.")] = Path("samples.png"),
    seed: Annotated[int, tyro.conf.arg(help="Decides the latent points: the same seed, the same samples.")] = 0,
) -> int:
    """Draw samples from an exported generator, into a picture or an array.

    The .npz holds `samples` [n, …] float32 in the generator's range, `seed`, and `labels` [n] where there are any. A
    picture shows at most 10,000 samples, and an array takes at most 4 GiB; for more, draw again with other seeds.
    """
    if n is not None and n < 1:
        raise ConfigError(f"n is {n}; give an integer of at least 1.")
    if out.suffix not in (".png", ".npz"):
        raise ConfigError(f"out is {out}; give a name that ends in .png or .npz.")
    if out.suffix == ".png" and n is not None and n > MOST_IN_A_PICTURE:
        raise ConfigError(f"n is {n}; a picture shows at most {MOST_IN_A_PICTURE:,}: give fewer, or an .npz.")
    G, info = training.load_generator(generator)
    y, columns = _labels_and_columns(n, label, labels, info.classes)
    n = len(y) if y is not None else n or SAMPLES_SHOWN
    numbers = training.sample(G, 1, noise=info.noise).numel() + z_dim_of(G)
    if (most := MOST_BYTES // (4 * numbers)) < n:
        raise ConfigError(f"n is {n}; a file takes at most {most:,} of these samples: for more, give other seeds, too.")
    place = place_of(out)
    if out.suffix == ".npz":
        for other in (place, temporary(place)):
            refuse_foreign(other, lambda start: b"samples.npy" in start)
    samples = training.sample(G, n, labels=y, noise=info.noise, seed=seed)
    if out.suffix == ".npz":
        also = {} if y is None else {"labels": y.numpy()}
        file = io.BytesIO()
        np.savez(file, samples=samples.numpy(), seed=seed, **also)  # pyright: ignore[reportArgumentType]
        write_whole(place, file.getbuffer())
    elif samples.ndim == 4:
        plots.save_grid_png(samples, out, columns, models.value_range(G))
    else:
        raise ConfigError(f"{generator} makes points of shape {list(samples.shape[1:])}, not images; give a .npz.")
    print(f"{n} samples of {info.objective} after {info.step} steps: {out}")
    return 0


def _labels_and_columns(
    n: int | None, label: int | None, labels: str | None, classes: int | None
) -> tuple[Tensor | None, int]:
    """The labels [n] that are asked for, None for a generator without; and the columns of a grid of the samples."""
    if classes is None and (label is not None or labels is not None):
        raise ConfigError("this generator takes no labels; leave --label and --labels out.")
    if labels is not None and (labels != "all" or label is not None):
        raise ConfigError(f"labels is {labels!r}, label {label}; give --labels all, or one class such as --label 0.")
    if labels is None or classes is None:
        return labels_of_samples(n or SAMPLES_SHOWN, label, classes), COLUMNS
    if n is not None and n % classes:
        raise ConfigError(f"n is {n} for a row each of {classes} classes; give a multiple of {classes}.")
    columns = COLUMNS if n is None else n // classes
    return rows_of_classes(classes, columns), columns


def reproduce(
    name: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(help="Name of the study.", metavar="STUDY")] = None,
    /,
    listed: Annotated[
        bool, tyro.conf.arg(name="list", help="Say which studies there are, and what they cost.")
    ] = False,
    seeds: Annotated[int | None, tyro.conf.arg(help="How many seeds: 0, 1, … (else the study's own number).")] = None,
    preset: Annotated[str | None, tyro.conf.arg(help="Which of the study's lengths (else its first).")] = None,
    epochs: Annotated[float | None, tyro.conf.arg(help="Another length of a training than the preset's.")] = None,
    precision: Annotated[
        str | None, tyro.conf.arg(help="float32 (else), or bfloat16 (faster where the processor has it).")
    ] = None,
    device: Annotated[str | None, tyro.conf.arg(help="auto (else), cpu, cuda or mps.")] = None,
    workers: Annotated[
        int | None, tyro.conf.arg(help="Processes side by side (else one per core, or one on a GPU).")
    ] = None,
    out: Annotated[
        Path, tyro.conf.arg(help=f"Folder of the record, made when missing; the course's own lie in {records.FOLDER}.")
    ] = records.OWN,
    root: DataRoot = None,
) -> int:
    """Run a study of the course again. Write its record (settings, seeds, every value, hardware) and pictures.

    Stop it with Ctrl-C; the same command goes on where it stopped, from what is kept in runs/STUDY.
    """
    if listed or name is None:
        print(tables.listing())
        return 0
    chosen = study.get(name)
    training.tune()
    options = {"preset": preset, "seeds": seeds, "epochs": epochs, "precision": precision, "device": device}
    running.reproduce(chosen, options | {"root": root}, workers=workers, out=out)
    print(f"{tables.every_seed([name], out)}\nwritten: {records.place_of(name, out)}")
    return 0


def table(
    folder: Annotated[Path | None, tyro.conf.arg(help="Folder of the records (else the course's own).")] = None,
    long: Annotated[bool, tyro.conf.arg(help="Every seed, as in the README of the records.")] = False,
) -> int:
    """Print the README's table of results, from the records."""
    print(tables.long(folder) if long else tables.short(folder))
    return 0


def ledger(
    notebooks: Annotated[Path, tyro.conf.arg(help="Folder of the lessons.")] = Path("notebooks"),
) -> int:
    """List every claim that the lessons made when they were run: by kind, with the questions that it answers."""
    print(format_ledger(read_ledger(notebooks)))
    return 0


def main() -> None:
    """Run a command; a warning is one line on stderr, and a deliberate error, too, with exit status 2."""
    warnings.formatwarning = lambda message, *_args, **_options: f"warning: {message}\n"
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # pyright: ignore[reportAttributeAccessIssue]
    names = "; ".join(f"{name}: {recipe.about}" for name, recipe in recipes.RECIPES.items())
    commands = {
        "doctor": doctor,
        "train": train,
        "sample": sample,
        "reproduce": reproduce,
        "table": table,
        "ledger": ledger,
    }
    try:
        status = tyro.extras.subcommand_cli_from_dict(
            commands, prog="python -m ganlab", description=f"The tools of the ganlab course. Recipes: {names}."
        )
        sys.stdout.flush()
    except BrokenPipeError:  # who reads, such as `head`, has read enough; nothing more is to be written at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except GanlabError as error:
        print(f"error: {error}", file=sys.stderr)
        status = 2
    except OSError as error:
        file, why = error.filename or "a file", error.strerror or "reading or writing failed"
        print(printable(f"error: {file} cannot be used ({why}); give another place."), file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print("stopped; what was saved before is kept", file=sys.stderr)
        status = INTERRUPTED
    sys.exit(status)
