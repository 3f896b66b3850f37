"""The protocol behind each reported number: which images do what, and each record against an independent computation.

The embedded digits, enlarged to 28×28, stand in for MNIST, and scipy's distances for our Parzen window.
"""

import copy
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from torch import Tensor, nn

from ganlab import data, models, training
from ganlab.data import ImageSet, images
from ganlab.experiments import gan2014_mnist_anchors as anchors
from ganlab.experiments import gan2014_mnist_score as score_itself
from ganlab.experiments import mode_counts, recipes, records, table_1
from ganlab.experiments.units import Unit
from ganlab.metrics import parzen
from ganlab.metrics.modes import PROTOCOL_SAMPLES
from ganlab.training import Adam, TrainConfig
from ganlab.training.randomness import derived_seed

ROOT, PLACE = Path(__file__).parents[1], Path("where-mnist-lies")
WIDTHS = [10 ** (-1 + i / 9) for i in range(10)]
TURN = math.sqrt(2 * math.pi)


def numbered(count: int, first: int = 0) -> Tensor:
    """Images of 28×28 bytes that hold their own number in their first two pixels."""
    numbers = torch.arange(first, first + count)
    made = torch.zeros(count, 1, 28, 28, dtype=torch.uint8)
    made[:, 0, 0, 0], made[:, 0, 0, 1] = (numbers // 256).byte(), (numbers % 256).byte()
    return made


def numbers_of(pixels: Tensor) -> list[int]:
    """The numbers of images in [0, 1]."""
    high, low = (255 * pixels[:, 0, 0, :2]).round().long().T
    return (256 * high + low).tolist()


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Tensor, Tensor], None]:
    """Puts images in the place of MNIST: it is asked for by name, and under the folder that was given."""

    def put(train: Tensor, test: Tensor) -> None:
        def load(
            name: str,
            *,
            root: Path | None = None,
            split: str = "train",
            size: int | None = None,
            limit: int | None = None,
        ) -> ImageSet:
            assert (name, root, size) == ("mnist", PLACE, None)
            chosen = {"train": train, "test": test}[split][:limit]
            return ImageSet(name, chosen, torch.zeros(len(chosen), dtype=torch.int64), ("0",))

        monkeypatch.setattr(images, "load", load)
        monkeypatch.setattr(data, "load", load)

    return put


@pytest.fixture
def digits(stand_in: Callable[[Tensor, Tensor], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Tensor, ...]]:
    """A small MNIST of 1,500 and 297 digits, and short studies; gives its three parts, scaled to [0, 1]."""
    train, test = (data.load("digits", split=split, size=28).images for split in ("train", "test"))
    stand_in(train, test)
    monkeypatch.setattr(table_1, "SAMPLES", 200)
    monkeypatch.setattr(table_1, "EPOCH", 4)
    monkeypatch.setattr(table_1, "EVERY_EPOCHS", 1)
    return train[:1250].numpy() / 255, train[1250:].numpy() / 255, test.numpy() / 255  # pyright: ignore


def log_densities(points: Any, samples: Any) -> dict[float, np.ndarray]:
    """For each width the log density of each point under a normal law around each sample."""
    x, s = (np.asarray(one, dtype=np.float64).reshape(len(one), -1) for one in (points, samples))
    squares, d = cdist(x, s, "sqeuclidean"), x.shape[1]
    return {
        sigma: logsumexp(-squares / (2 * sigma**2), axis=1) - math.log(len(samples)) - d * math.log(sigma * TURN)
        for sigma in WIDTHS
    }


def best_width(validation: Any, samples: Any) -> tuple[float, float]:
    """The width that suits the validation images best, and their mean log-likelihood at it."""
    means = {sigma: values.mean() for sigma, values in log_densities(validation, samples).items()}
    sigma = max(means, key=lambda sigma: means[sigma])
    return sigma, means[sigma]


def scored(validation: Any, test: Any, samples: Any) -> dict[str, Any]:
    """The 2014 paper's protocol: the width by the validation images, the score of the test images."""
    sigma, _ = best_width(validation, samples)
    values = log_densities(test, samples)[sigma]
    error = math.sqrt(((values - values.mean()) ** 2).mean() / len(values))
    return {"nats": values.mean(), "standard_error": error, "sigma": sigma}


def near(score: dict[str, Any]) -> Any:
    return pytest.approx(score, abs=0.006)  # as rounded in a record


def draws(G: nn.Module, law: str, n: int = 200) -> Tensor:
    """Samples of a copy of G in evaluation mode, from the z that seed 1 stands for."""
    source = torch.Generator().manual_seed(derived_seed(1, 0, 0, "samples"))
    z = torch.empty(n, 100)
    z = z.normal_(generator=source) if law == "normal" else z.uniform_(-math.sqrt(3), math.sqrt(3), generator=source)
    with torch.no_grad():
        return copy.deepcopy(G).eval()(z)


def test_50_000_images_train_the_next_1_000_choose_and_the_test_images_test(stand_in):
    stand_in(numbered(60_000), numbered(10_000, first=5))
    train, validation, test = (numbers_of(part / 255) for part in data.three_parts("mnist", PLACE))
    assert train == list(range(50_000))
    assert validation == list(range(50_000, 51_000))
    assert test == list(range(5, 10_005))
    shown = table_1.evaluation_images(PLACE)
    assert [numbers_of(part) for part in shown] == [validation, test]
    assert shown[0].dtype is torch.float32


@pytest.mark.parametrize(("name", "epochs"), [("gan2014-mnist", 1000), ("mnist-mlp", 30)])
def test_the_recipes_of_the_table_train_on_the_first_50_000_images(stand_in, name: str, epochs: int):
    stand_in(numbered(60_000), numbered(1))
    trainer = recipes.get(name).trainer(PLACE, device="cpu", steps=1)
    low, high = models.value_range(trainer.G)
    epoch = [number for i in range(500) for number in numbers_of((trainer.real_batch(i) - low) / (high - low))]
    assert sorted(epoch) == list(range(50_000))
    assert recipes.get(name).trainer(PLACE, device="cpu").config.steps == 500 * epochs


@pytest.mark.parametrize(("recipe", "law"), [("gan2014-mnist", "unit uniform"), ("mnist-mlp", "normal")])
def test_a_record_of_table_1_is_what_a_run_by_hand_gives(digits, recipe: str, law: str):
    """Two looks, at the weights themselves ("last") and at their average, in evaluation mode. G learns fast, so that
    eight updates tell them apart."""
    _, validation, test = digits
    options: dict[str, Any] = {"device": "cpu", "optimizer_g": Adam(1e-2)}
    result = table_1.table_1(3, epochs=2, recipe=recipe, root=PLACE, **options)
    trainer = recipes.get(recipe).trainer(PLACE, seed=3, steps=8, **options)
    assert trainer.ema is not None
    samples: dict[str, list[Tensor]] = {"last": [], "averaged": []}
    for record in trainer.run():
        if record.step % 4 == 0:
            for name, G in (("last", trainer.G), ("averaged", trainer.ema.module)):
                drawn = draws(G, law)
                samples[name].append(drawn if recipe == "gan2014-mnist" else (drawn + 1) / 2)
    assert [row["epoch"] for row in result["curve"]] == [1, 2]
    for name, drawn in samples.items():
        curve = [best_width(validation, one)[1] for one in drawn]
        assert [row[name] for row in result["curve"]] == pytest.approx(curve, abs=1e-3)
        best = int(np.argmax(curve))
        kept = [one.half().float() for one in drawn]
        assert result["test"][name] == near({"epoch": best + 1, **scored(validation, test, kept[best])})
        assert result["test"][f"{name}, final"] == near({"epoch": 2, **scored(validation, test, kept[-1])})
    assert abs(result["test"]["last, final"]["nats"] - result["test"]["averaged, final"]["nats"]) > 1


def test_a_generator_trained_on_the_score_meets_training_images_alone(
    digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its curve and its score against the same by hand, from the weights that it had at each look."""
    train, validation, test = digits
    monkeypatch.setattr(score_itself, "EPOCH", 20)
    looked_at, given = [], []
    draw, descend = training.sample, score_itself.descend

    def watched(G: nn.Module, n: int, **options: Any) -> Tensor:
        looked_at.append(draws(G, "unit uniform"))
        return draw(G, n, **options)

    def noted(G: nn.Module, pixels: Tensor, **options: Any) -> Iterator[float]:
        given.append((pixels, options))
        return descend(G, pixels, batch=50, samples=50, **options)

    monkeypatch.setattr(training, "sample", watched)
    monkeypatch.setattr(score_itself, "descend", noted)
    result = score_itself.measure(Unit("seed 3", tmp_path, "key"), seed=3, epochs=1, root=PLACE)
    ((pixels, options),) = given
    np.testing.assert_array_equal(pixels, train.astype(np.float32))
    assert options == {"steps": 20, "seed": 3, "noise": "unit uniform", "precision": "float32"}
    assert [row["step"] for row in result["curve"]] == list(range(2, 21, 2))
    curve = [best_width(validation, one)[1] for one in looked_at[:-1]]
    assert [row["nats"] for row in result["curve"]] == pytest.approx(curve, abs=1e-3)
    assert result["test"] == near(scored(validation, test, looked_at[-1]))
    assert (result["seed"], result["epochs"], result["samples"]) == (3, 1, 200)


def test_descending_on_the_score_is_adam_on_fresh_batches_with_a_falling_rate():
    """Four steps against the same written out: rate 0.001, then down to a half of it in the last."""
    torch.manual_seed(0)
    G = models.Generator2014(side=4, hidden=8)
    by_hand, pixels = copy.deepcopy(G), torch.rand(30, 1, 4, 4)
    losses = list(score_itself.descend(G, pixels, steps=4, seed=5, batch=6, samples=7))
    source, adam = torch.Generator().manual_seed(5), torch.optim.Adam(by_hand.parameters())
    for rate, loss in zip((1e-3, 1e-3, 1e-3, 5e-4), losses, strict=True):
        x = pixels[torch.randint(30, (6,), generator=source)].flatten(1)
        made = by_hand(torch.empty(7, 100).uniform_(-math.sqrt(3), math.sqrt(3), generator=source)).flatten(1)
        sigma = parzen.PAPER_SIGMAS[2]
        normal = torch.distributions.Independent(torch.distributions.Normal(made, sigma), 1)
        ours = -(torch.logsumexp(normal.log_prob(x[:, None]), dim=1) - math.log(7)).mean()
        assert loss == pytest.approx(ours.item(), rel=1e-4)
        adam.zero_grad()
        ours.backward()
        adam.param_groups[0]["lr"] = rate
        adam.step()
    for one, other in zip(G.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


def test_the_anchors_are_made_of_training_images_and_scored_by_the_protocol(
    digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    train, validation, test = digits
    monkeypatch.setattr(anchors, "CENTRES", (5, 50))
    made: list[Tensor] = []
    fit = anchors.k_means

    def noted(given: Tensor, k: int) -> Tensor:
        np.testing.assert_array_equal(given, train.astype(np.float32))
        made.append(fit(given, k))
        return made[-1]

    monkeypatch.setattr(anchors, "k_means", noted)

    def scores() -> dict[str, Any]:
        unit = Unit("a set", tmp_path, "key")
        return {name: anchors.measure(unit, name=name, root=PLACE) for name in anchors.units(range(0))}

    found = scores()
    torch.manual_seed(1)  # the sets do not depend on the caller's randomness
    assert scores() == found
    assert [found[name].pop("set") for name in found] == list(found)
    mean = train.mean(axis=0, keepdims=True)
    assert found["the mean training image"] == near(scored(validation, test, mean))
    assert found["the test images"] == near(scored(validation, test, test))
    assert found["5 k-means centres"] == near(scored(validation, test, made[0]))
    record = anchors.scores_of(records.read("gan2014-mnist-anchors", ROOT / records.FOLDER))
    assert [re.sub(r"\d+(?= )", "#", name) for name in found if "centres" not in name] == [
        re.sub(r"\d+(?= )", "#", name) for name in record if "centres" not in name
    ]
    assert f"training images, blurred by {anchors.BLUR} pixels" in record


def test_a_study_of_modes_records_every_look():
    """Ten looks at all members, each by VEEGAN's count of 2,500 samples, written out for one law of two humps."""
    law = data.mixture([(-1.0, 0.0), (1.0, 0.0)], 0.4)
    config = TrainConfig(steps=20, batch=8, device="cpu")
    setting = mode_counts.Setting("two humps", law, mode_counts.NON_SATURATING, config, z_dim=3)
    result = mode_counts.run(setting, (5, 6))
    ensemble, looks = setting.ensemble((5, 6)), []
    for record in ensemble.run():
        if record.step % 2 == 0:
            points = ensemble.sample(PROTOCOL_SAMPLES, seed=1).double()  # [members, 2500, 2]
            distances = torch.stack([(points - torch.tensor(mean)).norm(dim=2) for mean in law.means], dim=2)
            good = distances.min(dim=2).values < 3 * 0.4
            hit = [[bool((good[m] & (distances[m].argmin(dim=1) == j)).any()) for j in (0, 1)] for m in (0, 1)]
            looks.append((record.step, [sum(one) for one in hit], good.double().mean(dim=1).tolist()))
    assert result["steps"] == [step for step, _, _ in looks] == list(range(2, 21, 2))
    assert result["modes"] == [modes for _, modes, _ in looks]
    assert result["high_quality"] == [pytest.approx(quality, abs=5e-5) for _, _, quality in looks]
    assert (result["setting"], result["law"], result["z_dim"]) == ("two humps", "2 modes, σ 0.4", 3)
    assert result["seeds"] == [5, 6]
