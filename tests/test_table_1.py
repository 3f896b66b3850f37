"""Table 1 of the 2014 paper: the recipe item by item, the protocol, and the record that the README shows."""

import copy
import itertools
import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from ganlab import data, models, objectives, training
from ganlab.errors import CheckpointError, ConfigError
from ganlab.experiments import recipes, records, table_1
from ganlab.experiments.study import get
from ganlab.experiments.units import Unit
from ganlab.metrics import parzen
from ganlab.models.mlp2014 import Maxout
from ganlab.training import checkpoint
from ganlab.training.config import SGD, options_of
from ganlab.training.sampling import draw_noise

ROOT = Path(__file__).parents[1]
RECIPE = recipes.get("gan2014-mnist")


def test_the_networks_item_by_item():
    G, D = models.build(RECIPE.G), models.build(RECIPE.D)
    assert sum(p.numel() for p in G.parameters()) == 2_503_984
    assert sum(p.numel() for p in D.parameters()) == 1_231_441
    assert [type(m) for m in G.modules() if isinstance(m, nn.ReLU | nn.Dropout)] == [nn.ReLU] * 2
    assert [m.p for m in D.modules() if isinstance(m, nn.Dropout)] == [0.2, 0.5, 0.5]
    assert [(m.linear.in_features, m.linear.out_features, m.pieces) for m in D.modules() if isinstance(m, Maxout)] == [
        (784, 1200, 5),
        (240, 1200, 5),
    ]
    for net, half_width in ((G, 0.05), (D, 0.005)):
        for layer in (m for m in net.modules() if isinstance(m, nn.Linear)):
            # The largest of n uniform numbers is below 1 − 20/n of the end with a probability of e⁻²⁰.
            assert (1 - 20 / layer.weight.numel()) * half_width < layer.weight.abs().max() <= half_width
            assert not layer.bias.any()


def test_the_training_item_by_item():
    config = RECIPE.config
    assert (config.update, config.k, config.batch, config.noise) == ("simultaneous", 1, 100, "unit uniform")
    assert (config.label_smoothing, config.instance_noise, config.decay_from) == (0, 0, 1)
    assert config.optimizer_d == config.optimizer_g
    sgd = config.optimizer_d
    assert sgd.at(0) == {"lr": 0.1, "momentum": 0.5}
    # The rates that the released code's decay gives, as rounded in its documentation.
    rates = {50: 0.0905, 100: 0.0819, 250: 0.0607, 500: 0.0368, 1000: 0.0135}
    for epoch, rate in rates.items():
        assert sgd.at(500 * epoch)["lr"] == pytest.approx(rate, abs=5e-5)
    assert sgd.at(3_000_000)["lr"] == 1e-6
    momenta = [sgd.at(500 * (epoch - 1))["momentum"] for epoch in (1, 2, 126, 249, 250, 1000)]
    part = 0.2 / 249
    assert momenta == pytest.approx([0.5, 0.5 + part, 0.5 + 125 * part, 0.7 - part, 0.7, 0.7])
    assert sgd.at(500)["momentum"] == sgd.at(999)["momentum"]


@pytest.mark.parametrize(("option", "value"), [("epoch", 0), ("ramp_epochs", 1), ("ramp_epochs", 2.5)])
def test_a_momentum_that_cannot_rise_is_refused(option: str, value: float):
    with pytest.raises(ConfigError, match=f"{option} is {value}; give an integer of at least"):
        SGD(**{option: value})  # pyright: ignore[reportArgumentType]


def test_the_losses():
    t = torch.tensor([-2.0, 0.5])
    losses = objectives.GAN_2014.losses()
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    zeros, ones = torch.zeros(2), torch.ones(2)
    half = 0.5 * (bce(t, ones) + bce(t, zeros))
    torch.testing.assert_close(losses.discriminator(t, t), half)
    torch.testing.assert_close(losses.generator(t), bce(t, ones))


def test_the_noise_has_variance_one():
    z = draw_noise("unit uniform", 20_000, 5, torch.Generator().manual_seed(0))
    assert z.abs().max() <= math.sqrt(3)
    assert z.abs().max() > 1.73
    assert float(z.var()) == pytest.approx(1, abs=0.01)


def test_both_players_answer_the_same_noise_and_dropout():
    """One simultaneous step against the same by hand: one forward pass, two gradients, two updates."""
    torch.manual_seed(0)
    G, D = models.Generator2014(side=4, hidden=16), models.Discriminator2014(side=4, units=6)
    images = torch.randint(0, 256, (200, 1, 4, 4), dtype=torch.uint8)
    config = training.TrainConfig(
        steps=3,
        batch=50,
        update="simultaneous",
        optimizer_d=recipes.SGD_2014,
        optimizer_g=recipes.SGD_2014,
        device="cpu",
    )
    G2, D2 = copy.deepcopy(G), copy.deepcopy(D)
    trainer = training.Trainer(G, D, objectives.GAN_2014, images, config)
    x, z = trainer.real_batch(0), trainer.noise("z for D, 0")
    with trainer._model_randomness():
        t_fake_input = G2(z)
        t_real, t_fake = D2(x), D2(t_fake_input)
    losses = objectives.GAN_2014.losses()
    of_D = torch.autograd.grad(losses.discriminator(t_real, t_fake), list(D2.parameters()), retain_graph=True)
    of_G = torch.autograd.grad(losses.generator(t_fake), list(G2.parameters()))
    next(trainer.run())
    for net, other, gradients in ((D, D2, of_D), (G, G2, of_G)):
        for new, old, gradient in zip(net.parameters(), other.parameters(), gradients, strict=True):
            torch.testing.assert_close(new, old - 0.1 * gradient)


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded digits, enlarged to 28×28, in place of MNIST, and epochs of four updates."""
    digits = {split: data.load("digits", split=split, size=28) for split in ("train", "test")}
    monkeypatch.setattr(recipes.data, "load", lambda _name, **options: digits[options.get("split", "train")])
    images = digits["train"].images
    monkeypatch.setattr(table_1.data, "three_parts", lambda *_: (images, images[1250:], digits["test"].images))
    for name, value in (("SAMPLES", 200), ("EPOCH", 4), ("EVERY_EPOCHS", 1)):
        monkeypatch.setattr(table_1, name, value)


@pytest.mark.usefixtures("small_mnist")
def test_a_cut_run_goes_on_to_the_same_result(tmp_path: Path):
    """Twelve updates of the full networks, three times: 5 s. The cut fell between the two moves of a save."""
    whole = table_1.table_1(3, epochs=3, device="cpu")
    table_1.table_1(3, epochs=2, device="cpu", place=tmp_path / "c")
    (tmp_path / "c").replace(checkpoint.previous(tmp_path / "c"))
    told: list[tuple[float, str]] = []
    rest = table_1.table_1(3, epochs=3, device="cpu", place=tmp_path / "c", told=lambda *said: told.append(said))
    assert told[0] == (2 / 3, "going on from epoch 2")
    assert [done for done, note in told if not note] == pytest.approx([(8 + i) / 12 for i in range(1, 5)])
    assert told[-1][0] == 1
    assert told[-1][1].startswith("epoch 3: ")
    assert rest["test"] == whole["test"]
    values = [[(row["epoch"], row["last"], row["averaged"]) for row in run["curve"]] for run in (whole, rest)]
    assert values[0] == values[1]
    assert [row["epoch"] for row in rest["curve"]] == [1, 2, 3]


@pytest.mark.usefixtures("small_mnist")
def test_the_best_weights_are_those_of_the_best_look():
    result = table_1.table_1(0, epochs=3, device="cpu")
    for name in ("last", "averaged"):
        best = max(result["curve"], key=lambda row: row[name])
        assert result["test"][name]["epoch"] == best["epoch"]
        assert result["test"][f"{name}, final"]["epoch"] == 3


@pytest.mark.usefixtures("small_mnist")
def test_a_lengthened_run_gives_up_its_old_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Four runs of the full networks: 5 s. The look at the old end, off the schedule, is made to score best of all."""
    monkeypatch.setattr(table_1, "EVERY_EPOCHS", 2)
    straight = table_1.table_1(3, epochs=4, device="cpu")
    validation, _ = table_1.evaluation_images()
    calls = itertools.count()
    with monkeypatch.context() as patch:
        draw = training.sample

        def best_at_epoch_3(G: nn.Module, n: int, **options: Any) -> torch.Tensor:
            return validation if next(calls) >= 2 else draw(G, n, **options)

        patch.setattr(table_1.training, "sample", best_at_epoch_3)
        short = table_1.table_1(3, epochs=3, device="cpu", place=tmp_path / "c")
    assert epochs_of(short) == [2, 3]
    for name in ("last", "averaged"):
        assert short["test"][name] == short["test"][f"{name}, final"]  # the end of a run is looked at, too
        assert short["test"][name]["epoch"] == 3

    again = table_1.table_1(3, epochs=3, device="cpu", place=tmp_path / "c")
    assert (again["curve"], again["test"]) == (short["curve"], short["test"])
    longer = table_1.table_1(3, epochs=4, device="cpu", place=tmp_path / "c")
    assert epochs_of(longer) == epochs_of(straight) == [2, 4]
    assert longer["test"] == straight["test"]
    for name in ("last", "averaged"):
        assert [row[name] for row in longer["curve"]] == [row[name] for row in straight["curve"]]


def epochs_of(result: dict[str, Any]) -> list[float]:
    return [row["epoch"] for row in result["curve"]]


@pytest.mark.usefixtures("small_mnist")
def test_a_training_without_scores_is_refused(tmp_path: Path):
    RECIPE.trainer(seed=3, steps=12, device="cpu").save(tmp_path / "c")
    with pytest.raises(
        CheckpointError, match=r"^\S+c holds a training without its scores; move it away or give another place\.$"
    ):
        table_1.table_1(3, epochs=3, device="cpu", place=tmp_path / "c")


@pytest.mark.usefixtures("small_mnist")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"precision": "bfloat16"}, "precision: float32 then, bfloat16 now"),
        ({"optimizer_g": SGD(0.05)}, r"optimizer_g: .*'lr': 0\.1\b.* then, .*'lr': 0\.05\b.* now"),
    ],
    ids=["precision", "rate"],
)
def test_a_record_tells_of_no_option_that_was_not_trained_with(tmp_path: Path, options: dict[str, Any], said: str):
    place, other = tmp_path / "c", {"epochs": 1, "device": "cpu", **options}
    table_1.table_1(3, epochs=1, device="cpu", place=place)
    kept = place.read_bytes()
    with pytest.raises(CheckpointError, match=rf"^\S+c belongs to another run \({said}\); give the same options, or"):
        table_1.table_1(3, place=place, **other)
    assert place.read_bytes() == kept
    for file in tmp_path.glob("c*"):
        file.unlink()
    anew, alone = table_1.table_1(3, place=place, **other), table_1.table_1(3, **other)
    assert (anew["config"], anew["test"]) == (alone["config"], alone["test"])


@pytest.mark.usefixtures("small_mnist")
def test_a_training_on_another_device_is_refused_where_its_checkpoint_tells(tmp_path: Path):
    place = tmp_path / "c"
    whole = table_1.table_1(3, epochs=1, device="cpu", place=place)
    state = checkpoint.read(place)
    assert state["table 1"]["device"] == "cpu"
    checkpoint.write(place, state | {"table 1": state["table 1"] | {"device": "cuda"}})
    with pytest.raises(CheckpointError, match=r"\(device: cuda then, cpu now\); .*, or move c\* away\.$"):
        table_1.table_1(3, epochs=1, device="cpu", place=place)
    del state["table 1"]["device"]
    checkpoint.write(place, state)
    assert table_1.table_1(3, epochs=1, device="cpu", place=place)["test"] == whole["test"]


@pytest.mark.usefixtures("small_mnist")
def test_a_result_says_what_decided_its_numbers():
    result = table_1.table_1(0, epochs=1, precision="bfloat16")
    assert result["config"]["precision"] == "bfloat16"
    assert result["config"]["device"] == training.pick_device("auto").type
    assert (result["samples"], result["samples kept as"]) == (200, "float16")


@pytest.mark.usefixtures("small_mnist")
def test_the_modern_recipe_is_scored_and_shown_in_pixels_from_0_to_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its G gives pixels in (−1, 1), and grey at first. Each reading of the clock is a minute later."""
    monkeypatch.setattr(table_1, "time", SimpleNamespace(perf_counter=itertools.count(0, 60).__next__))
    unit = Unit("seed 0", tmp_path, "key")
    result = table_1.measure(unit, seed=0, epochs=1, recipe="mnist-mlp", device="cpu")
    assert result["config"]["optimizer_g"]["kind"] == "Adam"
    assert [row["seconds"] for row in result["curve"]] == [60]
    assert result["seconds"] == 120
    assert unit.checkpoint.exists()
    with Image.open(unit.picture) as seen:
        assert seen.size[0] > seen.size[1]
        assert 100 < np.asarray(seen.convert("L"))[2:20, 2:20].mean() < 155


def test_half_precision_moves_no_score_that_is_shown():
    """The table shows whole nats, and standard errors of 1 to 2."""
    digits = {split: data.load("digits", split=split, size=28).images.float() / 255 for split in ("train", "test")}
    blurred = digits["train"][:1000] + 0.05 * torch.rand(1000, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    scores = [parzen.score(s, digits["train"][1000:], digits["test"]).nats for s in (blurred, blurred.half().float())]
    assert scores[0] == pytest.approx(scores[1], abs=0.02)


def test_three_parts_share_no_image():
    train, validation, test = data.three_parts("digits")
    assert (len(train), len(validation), len(test)) == (1250, 250, 297)
    whole = data.load("digits").images
    assert torch.equal(torch.cat([train, validation]), whole)


@pytest.mark.parametrize("name", ["gan2014-mnist", "gan2014-mnist-short-average", "mnist-mlp"])
def test_the_records_are_whole(name: str):
    record, study = records.read(name, ROOT / records.FOLDER), get(name)
    changed = dict(study.units([0])["seed 0"])
    assert changed.pop("seed") == 0
    recipe = changed.pop("recipe")
    assert record["study"] == name
    assert record["rule"] == study.rule == table_1.RULE
    (published,) = study.published
    assert record["published"].items() <= asdict(published).items()
    for number, result in enumerate(record["results"]):
        assert result["seed"] == number
        free = {name: result["config"][name] for name in ("precision", "device")}
        steps = round(result["epochs"] * table_1.EPOCH)
        config = replace(recipes.get(recipe).config, steps=steps, **free, **changed)
        assert result["config"] == json.loads(json.dumps(options_of(config)))
        assert result["curve"][-1]["epoch"] == result["epochs"]
        for name in ("last", "averaged"):
            best = max(result["curve"], key=lambda row: row[name])
            assert result["test"][name]["epoch"] == best["epoch"]
