"""What each measure says of sets with one fault each, made from real digits: the direction in which it moves.

    fault           Fréchet  kernel  classifier  precision   recall  density  coverage  near the training images
    collapsed       up       up      any         same or up  to 0    any      down      any
    memorised       same     same    same        same        same    same     same      all
    blurred         up       up      down        any         down    down     down      same
    noisy           up       up      down        down        down    down     down      same
    class missing   up       any     down        same        down    same     any       same
    uneven          up       up      down        any         same    any      down      same

Fréchet: "up" is more than 2.5 times the distance between real images, "same" less than twice it. Kernel: "up" is more
than twice its error, "same" less. Classifier score: by more than 0.05. Shares move by more than 0.05 or less, the
density by twice that. "Any": precision fell for blurred digits and rose for blurred MNIST, whose features come to lie
in the midst of the real ones; of ten images over and over, each that lies near stands for a tenth of the set, and of
ones over and over for less; one class of ten is little among 400 images. No measure of two sets sees copies, and the
copy check sees nothing else.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganlab import data, faults, models
from ganlab.data import mnist as files_of_mnist
from ganlab.errors import ConfigError, ShapeError
from ganlab.faults import UNKNOWN, Judged, Real, all_judged, seen, sets, table, unknown
from ganlab.metrics.features import features_of
from ganlab.metrics.neighbours import copies
from ganlab.metrics.precision_recall import precision_recall

MOVED = 0.05
Moves = Callable[[float, float], bool]


def down(share: float, real: float) -> bool:
    return share < real - MOVED


def same(share: float, real: float) -> bool:
    return abs(share - real) <= MOVED


def not_down(share: float, real: float) -> bool:
    return share >= real - MOVED


def to_0(share: float, real: float) -> bool:
    return share < 0.1 < real


def larger(distance: float, real: float) -> bool:
    return distance > 2.5 * real


def no_larger(distance: float, real: float) -> bool:
    return distance < 2 * real


def beyond(distance: float, error: float) -> bool:
    return distance > 2 * error


def within(distance: float, error: float) -> bool:
    return abs(distance) < 2 * error


def alike(density: float, real: float) -> bool:
    return abs(density - real) <= 2 * MOVED


def about(score: float, real: float) -> bool:
    return abs(score - real) < 0.2


def all_of_them(share: float, real: float) -> bool:
    return share == 1


MEASURES = ("frechet", "kernel", "classifier_score", "precision", "recall", "density", "coverage", "near")
TABLE: dict[str, tuple[Moves | None, ...]] = {
    "collapsed": (larger, beyond, None, not_down, to_0, None, down, None),
    "memorised": (no_larger, within, about, same, same, alike, same, all_of_them),
    "blurred": (larger, beyond, down, None, down, down, down, same),
    "noisy": (larger, beyond, down, down, down, down, down, same),
    "class missing": (larger, None, down, same, down, alike, None, same),
    "uneven": (larger, beyond, down, None, same, None, down, same),
}


@pytest.fixture(scope="module")
def digits() -> dict[str, Judged]:
    one, two = data.load("digits"), data.load("digits", split="test")
    real = Real.of(torch.cat([one.images, two.images]), torch.cat([one.labels, two.labels]), 400)
    return all_judged(real, models.trained("digits"))


@pytest.fixture(scope="module")
def mnist() -> dict[str, Judged]:
    """1,000 of the test images in each part, none of which the classifier was trained or chosen on."""
    if not files_of_mnist.found(files_of_mnist.MNIST, data.data_root(None)):
        pytest.skip("no MNIST here")
    test = data.load("mnist", split="test")
    return all_judged(Real.of(test.images, test.labels, 1000), models.trained("mnist"))


def require(found: dict[str, Judged], fault: str) -> None:
    none, it = found["none"], found[fault]
    for measure, moves in zip((*MEASURES, "near_in_features"), (*TABLE[fault], TABLE[fault][-1]), strict=True):
        share, real = getattr(it, measure), it.kernel_error if measure == "kernel" else getattr(none, measure)
        said = f"{fault}: {measure} is {share:.3f}, {real:.3f} of real images"
        assert moves is None or moves(share, real), said


@pytest.mark.parametrize("fault", TABLE)
def test_the_digits(digits: dict[str, Judged], fault: str):
    require(digits, fault)


@pytest.mark.parametrize("fault", TABLE)
def test_mnist(mnist: dict[str, Judged], fault: str):
    require(mnist, fault)


@pytest.mark.parametrize("found", ["digits", "mnist"])
def test_other_real_images_are_what_a_perfect_generator_makes(found: str, request: pytest.FixtureRequest):
    none = request.getfixturevalue(found)["none"]
    assert none.density == pytest.approx(1, abs=0.1)
    assert min(none.precision, none.recall, none.coverage) > 0.75
    assert max(none.near, none.near_in_features) < 0.03


def test_every_fault_has_its_line_and_every_line_its_fault():
    zeros = torch.zeros(20, 1, 8, 8)
    stand_in = Real(zeros, zeros, zeros, zeros, torch.arange(20) % 10, 5)
    assert sets(stand_in).keys() - {"none"} == TABLE.keys()
    lines = (Path(__file__).read_text(encoding="utf-8").split('"""')[1]).splitlines()
    named = [line.strip().split("  ")[0] for line in lines if line.startswith("    ")]
    assert named == ["fault", *TABLE]


def test_a_class_too_few_and_a_class_too_many():
    """By the labels that a set's images carry as their grey."""
    labels = torch.arange(600) % 10
    empty = torch.zeros(100, 1, 8, 8)
    real = Real(
        empty,
        empty,
        empty,
        (labels.view(-1, 1, 1, 1) / 10).expand(-1, 1, 8, 8),
        labels,
        100,
    )
    found = {
        fault: (10 * images.mean(dim=(1, 2, 3))).round().long().bincount(minlength=10)
        for fault, images in sets(real).items()
    }
    assert found["none"].tolist() == [10] * 10
    assert found["class missing"][4] == 0
    assert found["class missing"].sum() == 100
    assert found["uneven"][1] == 50
    assert found["uneven"].sum() == 100
    assert found["collapsed"].tolist() == [10] * 10


@pytest.mark.parametrize(
    ("count", "n", "error", "named"),
    [
        (39, 10, ShapeError, "there are 39 images and 39 labels; give at least 40 of each, 4n"),
        (40, 0, ConfigError, "n is 0; give an integer of at least 1"),
        (40, True, ConfigError, "n is True; give an integer of at least 1"),
        (40, 10, ShapeError, r"[01] images of class \d are left to make sets of, and 3 are needed; give more images"),
    ],
)
def test_too_few_images_are_named(count: int, n: int, error: type[Exception], named: str):
    with pytest.raises(error, match=named):
        Real.of(torch.zeros(count, 1, 8, 8, dtype=torch.uint8), torch.arange(count) // 4, n)


def test_the_table_is_bold_where_a_measure_sees_a_fault(digits: dict[str, Judged]):
    """Read back: each number, and whether it is bold."""
    heads, _, *lines = (line.strip("| ").split(" | ") for line in table(digits).splitlines())
    assert heads == ["fault", *faults.MEASURES.values()]
    assert [line[0] for line in lines] == list(digits) == list(faults.NAMES)
    for fault, *cells in lines:
        for measure, cell in zip(faults.MEASURES, cells, strict=True):
            assert float(cell.strip("*")) == pytest.approx(getattr(digits[fault], measure), abs=0.0051)
            assert cell.startswith("**") == seen(digits, fault, measure)
    assert not any(seen(digits, "none", measure) for measure in faults.MEASURES)


def judged(**values: float) -> Judged:
    whole = dict.fromkeys(vars(Judged(*range(10))), 0.5)
    return Judged(**whole | {"kernel": 0.0, "kernel_error": 0.1} | values)


@pytest.mark.parametrize(
    ("measure", "value", "sees"),
    [
        *[("frechet", 1.0, False), ("frechet", 1.01, True), ("frechet", 0.1, False)],
        *[("kernel", 0.3, False), ("kernel", 0.31, True), ("kernel", -0.31, True)],
        *[("classifier_score", 0.69, False), ("classifier_score", 0.71, True), ("classifier_score", 0.29, True)],
        *[("recall", 0.46, False), ("recall", 0.44, True), ("near", 0.56, True)],
    ],
)
def test_what_is_seen_is_by_the_rule(measure: str, value: float, sees: bool):
    assert seen({"none": judged(), "it": judged(**{measure: value})}, "it", measure) == sees


def test_each_unknown_set_has_its_fault(digits: dict[str, Judged]):
    one, two = data.load("digits"), data.load("digits", split="test")
    real = Real.of(torch.cat([one.images, two.images]), torch.cat([one.labels, two.labels]), 400)
    network = models.trained("digits").eval()
    cloud = {
        name: features_of(some, network, name, value_range=(0, 1)).values.float()
        for name, some in {**unknown(real), "reference": real.reference}.items()
    }
    assert {name: len(some) for name, some in unknown(real).items()} == dict.fromkeys(UNKNOWN, 400)
    near = {name: copies(some, real.training, real.held_out).share for name, some in unknown(real).items()}
    assert near["A"] >= 0.5 > 0.1 > max(near["B"], near["C"])
    recall = {name: precision_recall(cloud[name], cloud["reference"]).recall for name in UNKNOWN}
    assert recall["C"] < 0.3 < 0.7 < min(recall["A"], recall["B"])
    sevens = {name: int((network.out(cloud[name]).argmax(dim=1) == 7).sum()) for name in UNKNOWN}
    assert sevens["B"] < 5 < 20 < min(sevens["A"], sevens["C"])
