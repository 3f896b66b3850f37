"""What each measure says of sets with one fault each, made from real digits: the direction in which it moves.

    fault           Fréchet   precision   recall   density   coverage   near the training images
    collapsed       up        same or up  to 0     any       down       any
    memorised       same      same        same     same      same       all
    blurred         up        any         down     down      down       same
    noisy           up        down        down     down      down       same
    class missing   up        same        down     same      down       same

"Up" is more than 2.5 times the distance between real images, "same" less than twice it; shares move by more than 0.05
or less. "Any": precision fell for blurred digits and rose for blurred MNIST, whose features come to lie in the midst of
the real ones; of ten images over and over, each that lies near stands for a tenth of the set. No measure of two sets
sees copies, and the copy check sees nothing else.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from judged_sets import Judged, Real, all_judged, sets

from ganlab import data, models
from ganlab.data import mnist as files_of_mnist

MOVED = 0.05
Moves = Callable[[float, float], bool]


def down(share: float, real: float) -> bool:
    return share < real - MOVED


def same(share: float, real: float) -> bool:
    return abs(share - real) <= MOVED


def not_down(share: float, real: float) -> bool:
    return share >= real - MOVED


def to_0(share: float, real: float) -> bool:
    return share < 0.02 < real


def larger(distance: float, real: float) -> bool:
    return distance > 2.5 * real


def no_larger(distance: float, real: float) -> bool:
    return distance < 2 * real


def all_of_them(share: float, real: float) -> bool:
    return share == 1


TABLE: dict[str, tuple[Moves | None, ...]] = {
    "collapsed": (larger, not_down, to_0, None, down, None),
    "memorised": (no_larger, same, same, same, same, all_of_them),
    "blurred": (larger, None, down, down, down, same),
    "noisy": (larger, down, down, down, down, same),
    "class missing": (larger, same, down, same, down, same),
}


@pytest.fixture(scope="module")
def digits() -> dict[str, Judged]:
    one, two = data.load("digits"), data.load("digits", split="test")
    real = Real.of(torch.cat([one.images, two.images]), torch.cat([one.labels, two.labels]), 500)
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
    for measure, moves in zip(vars(it), (*TABLE[fault], TABLE[fault][-1]), strict=True):
        share, real = getattr(it, measure), getattr(none, measure)
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
    stand_in = Real(zeros, zeros, zeros, torch.arange(20) % 10, 5)
    assert sets(stand_in).keys() - {"none"} == TABLE.keys()
    lines = (Path(__file__).read_text(encoding="utf-8").split('"""')[1]).splitlines()
    named = [line.strip().split("  ")[0] for line in lines if line.startswith("    ")]
    assert named == ["fault", *TABLE]
