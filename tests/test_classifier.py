"""The classifier in whose features images are compared: what comes with the package, and what a wrong file says."""

import dataclasses
import json
import tomllib
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from ganlab import data, models
from ganlab.errors import CheckpointError, ConfigError, ShapeError
from ganlab.experiments import classifier_cifar10, classifier_digits, classifier_mnist, records
from ganlab.experiments.image_sets import PICTURES, called
from ganlab.models import classifier
from ganlab.training.randomness import generator

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "digits": classifier_digits.DIGITS,
    "mnist": classifier_mnist.MNIST,
    "cifar10": classifier_cifar10.CIFAR10,
}
KEPT = sorted(classifier.WEIGHTS.glob("*.safetensors"))


@pytest.fixture(scope="module")
def digits() -> classifier.Classifier:
    return models.trained("digits")


@pytest.fixture
def has_mnist() -> None:
    if data.default_images().name != "mnist":
        pytest.skip("no MNIST here")


@pytest.mark.parametrize("images", ["digits", "mnist", "cifar10"])
def test_what_comes_with_the_package_says_how_it_was_made(images: str):
    """Small, of seed 0, with the accuracies that the record has, and by a command that there is."""
    info = models.trained(images).info
    assert info is not None
    record = records.read(f"classifier-{images}", ROOT / records.FOLDER)
    first = record["results"][0]
    assert info.images == record["options"].get("images", images)
    assert (info.seed, info.seed) == (0, first["seed"])
    assert (round(info.accuracy, 4), round(info.validation, 4)) == (first["test"], first["validation"])
    assert info.data_sha256 == first["data_sha256"]
    assert info.command == f"python -m ganlab reproduce {record['study']}"
    assert (classifier.WEIGHTS / f"{images}.safetensors").stat().st_size < 1_000_000
    assert first["config"] == dataclasses.asdict(SETTINGS[images])


def test_the_weights_are_installed_with_the_package():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    installed = {path for pattern in told["ganlab"] for path in (ROOT / "ganlab").glob(pattern)}
    assert set(KEPT) <= installed
    assert {path.stem for path in KEPT} == {*SETTINGS}


def test_the_digits_are_told_right_as_it_says(digits: classifier.Classifier):
    """By a plain loop, image by image; the training data are those of its checksum."""
    test = data.load("digits", split="test")
    right = 0
    for image, label in zip(test.images, test.labels, strict=True):
        logits = digits(2 * image[None].double().float() / 255 - 1)
        right += int(logits[0].argmax() == label)
    assert digits.info is not None
    assert right / len(test) == digits.info.accuracy > 0.94
    given = data.load("digits")
    assert classifier.digest(given.images[:1250], given.labels[:1250]) == digits.info.data_sha256


def test_the_whole_of_mnist(has_mnist: None):
    """At least 99.2 % of the test images, by the file that comes with the package."""
    network, test = models.trained("mnist"), data.load("mnist", split="test")
    assert network.info is not None
    found = classifier_mnist.accuracy(network, test.images, test.labels)
    assert found == pytest.approx(network.info.accuracy, abs=2e-4)  # a tie may fall otherwise elsewhere
    assert found >= 0.992


@pytest.mark.slow
def test_the_whole_of_the_copies_of_cifar10():
    """About 10 s, where they lie: what the file that comes with the package says of itself."""
    network, place = models.trained("cifar10"), data.data_root() / PICTURES
    assert network.info is not None
    if called("cifar10") != network.info.images:
        pytest.skip("no copies of CIFAR-10 here")
    test = data.load(f"folder:{place / 'test'}", channels=3)
    found = classifier_mnist.accuracy(network, test.images, test.labels)
    assert found == pytest.approx(network.info.accuracy, abs=5e-4)  # of a GPU, which rounds otherwise
    assert found >= 0.8


def test_its_features_are_what_its_last_layer_sees(digits: classifier.Classifier):
    x = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    seen: list[torch.Tensor] = []
    digits.out.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    logits = digits(x)
    digits.out._forward_pre_hooks.clear()
    assert torch.equal(digits.features(x), seen[0])
    assert seen[0].shape == (5, 64)
    assert seen[0].min() == 0  # after the ReLU, which some of them never pass
    torch.testing.assert_close(logits, seen[0] @ digits.out.weight.T + digits.out.bias)


def test_the_features_of_the_training_images_have_variance_one_in_the_mean(digits: classifier.Classifier):
    images = classifier_mnist.parts("digits")["training"][0]
    found = digits.features(classifier_mnist.scaled(images)).detach().double()
    assert float(found.var(dim=0).sum()) == pytest.approx(64, rel=1e-4)


def test_scaling_features_leaves_the_logits(digits: classifier.Classifier):
    network = models.build(digits.spec)
    assert isinstance(network, classifier.Classifier)
    network.load_state_dict(digits.state_dict())
    x = torch.rand(4, 1, 8, 8) * 2 - 1
    network.eval().scale_features(3.0)
    torch.testing.assert_close(network(x), digits(x), atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(network.features(x), 3 * digits.features(x))


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (8, 1), (32, 3)])
def test_one_definition_for_every_side(side: int, channels: int):
    """By hand: convolutions, batch norm, both linear layers."""
    network = models.Classifier(side, channels)
    by_hand = 9 * (16 * channels + 16 * 32 + 32 * 32) + 2 * (16 + 32 + 32) + 32 * (side // 4) ** 2 * 64 + 64 + 650
    assert sum(p.numel() for p in network.parameters()) == by_hand
    assert network(torch.zeros(2, channels, side, side)).shape == (2, 10)
    assert str(network) == "64 features of a classifier (untrained)"


def test_deep_is_yes_or_no():
    with pytest.raises(ConfigError, match="deep is 'no'; give True or False"):
        models.Classifier(deep="no")  # pyright: ignore[reportArgumentType]


def test_the_deep_one_is_as_it_says():
    """By hand: the number of its weights, and each of the last maps averaged over its places."""
    network = models.Classifier(32, 3, width=4, deep=True).eval()
    convolutions = 9 * (3 * 4 + 4 * 4 + 4 * 8 + 8 * 8 + 8 * 12 + 12 * 12)
    norms, linear = 2 * 2 * (4 + 8 + 12), 12 * 64 + 64 + 650
    assert sum(p.numel() for p in network.parameters()) == convolutions + norms + linear
    x = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    last = network.maps[:-1](x)
    assert last.shape == (3, 12, 4, 4)
    torch.testing.assert_close(network.features(x), network.hidden(last.mean(dim=(2, 3))).relu())
    again = models.build(network.spec)
    again.load_state_dict(network.state_dict())
    assert torch.equal(again.eval()(x), network(x))
    assert "deep" not in models.Classifier().spec  # files of before say nothing of it


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda: models.Classifier(side=30), ConfigError, "side is 30; give a multiple of 4"),
        (lambda: models.Classifier(side=12, deep=True), ConfigError, "side is 12; give a multiple of 8"),
        (lambda: models.Classifier(width=0), ConfigError, "width is 0"),
        (lambda: models.Classifier(8)(torch.zeros(2, 1, 28, 28)), ShapeError, r"x has shape \[2, 1, 28, 28\]"),
        (lambda: models.Classifier(8).features(torch.zeros(2, 3, 8, 8)), ShapeError, r"x has shape \[2, 3, 8, 8\]"),
        (lambda: models.trained("celeba"), ConfigError, "'celeba'; there are classifiers of"),
        (lambda: models.trained("../digits"), ConfigError, "there are classifiers of .*digits"),
    ],
)
def test_what_is_not_given_right_is_named(call, error: type[Exception], named: str):
    with pytest.raises(error, match=named):
        call()


def changed(path: Path, *, tensors=None, metadata=None, info=None) -> Path:
    """The digits' file with other tensors, metadata or information, as somebody might have written it."""
    source = classifier.WEIGHTS / "digits.safetensors"
    content = source.read_bytes()
    held = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"] | (metadata or {})
    if info:
        held["info"] = json.dumps(json.loads(held["info"]) | info)
    held = {key: value for key, value in held.items() if value is not None}
    weights = safetensors.torch.load(content) | (tensors or {})
    path.write_bytes(safetensors.torch.save({k: v for k, v in weights.items() if v is not None}, held))
    return path


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"metadata": {"format": None}}, "has the format None, not 'ganlab classifier 1'"),
        ({"metadata": {"format": "ganlab classifier 2"}}, "has the format 'ganlab classifier 2'"),
        ({"metadata": {"info": None}}, "holds no classifier that this ganlab can make"),
        ({"metadata": {"info": "{"}}, "holds no classifier that this ganlab can make"),
        ({"info": {"more": 1}}, "holds no classifier that this ganlab can make"),
        ({"info": {"spec": {"name": "Classifier", "side": 30}}}, "holds no classifier that this ganlab can make"),
        ({"info": {"spec": {"name": "Nothing"}}}, "holds no classifier that this ganlab can make"),
        ({"info": {"spec": {"name": "MLPGenerator", "z_dim": 4}}}, "holds a MLPGenerator; give the file of a Class"),
        (
            {"tensors": {"out.weight": torch.zeros(10, 32)}},
            r"out.weight is \[10, 32\] torch.float32 there and \[10, 64",
        ),
        ({"tensors": {"out.weight": None}}, r"out.weight is missing there and \[10, 64\] torch.float32 in the network"),
        ({"tensors": {"more": torch.zeros(1)}}, r"more is \[1\] torch.float32 there and missing in the network"),
        ({"tensors": {"out.bias": torch.zeros(10).half()}}, r"out.bias is \[10\] torch.float16 there"),
        ({"tensors": {"out.bias": torch.zeros(10)}}, "is damaged: its checksum"),
        ({"info": {"accuracy": 1.0}}, "is damaged: its checksum"),
        ({"info": {"seed": 3}}, "is damaged: its checksum"),
    ],
    ids=str,
)
def test_a_wrong_file_says_in_one_line_what_is_wrong(change: dict, named: str, tmp_path: Path):
    with pytest.raises(CheckpointError, match=named) as caught:
        classifier.load(changed(tmp_path / "own.safetensors", **change))
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "own.safetensors") in str(caught.value)


def test_files_that_are_none(tmp_path: Path):
    content = (classifier.WEIGHTS / "digits.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match=r"cannot be read \(No such file"):
        classifier.load(tmp_path / "missing")
    for cut in (0, 4, 100, len(content) - 1):
        (tmp_path / "cut").write_bytes(content[:cut])
        with pytest.raises(CheckpointError, match="no whole safetensors file"):
            classifier.load(tmp_path / "cut")
    assert classifier.load(changed(tmp_path / "whole")).info == models.trained("digits").info


def test_moving_is_a_plain_loops():
    x = torch.rand(6, 2, 5, 7) * 2 - 1
    moved = classifier_mnist.moved(x, 2, torch.Generator().manual_seed(3))
    down, right = torch.randint(5, (2, 6, 1, 1), generator=torch.Generator().manual_seed(3)).flatten(1)
    assert len({*down.tolist()}) > 1
    for i in range(6):
        for row in range(5):
            for column in range(7):
                r, c = row + int(down[i]) - 2, column + int(right[i]) - 2
                wanted = x[i, :, r, c] if 0 <= r < 5 and 0 <= c < 7 else torch.full((2,), -1.0)
                assert torch.equal(moved[i, :, row, column], wanted)
    assert torch.equal(classifier_mnist.moved(x, 0, torch.Generator()), x)


def test_the_parts_are_apart():
    shares = classifier_mnist.parts("digits")
    assert [len(images) for images, _ in shares.values()] == [1250, 250, 297]
    whole = data.load("digits")
    assert torch.equal(torch.cat([shares["training"][0], shares["validation"][0]]), whole.images)
    assert torch.equal(torch.cat([shares["training"][1], shares["validation"][1]]), whole.labels)
    assert torch.equal(shares["test"][0], data.load("digits", split="test").images)


def test_training_is_repeatable_and_of_its_seed():
    images, labels = classifier_mnist.parts("digits")["training"]
    setting = dataclasses.replace(classifier_digits.DIGITS, width=2)

    def weights(seed: int) -> torch.Tensor:
        network = classifier_mnist.train(images[:200], labels[:200], setting, seed=seed, epochs=2)
        assert not network.training
        return nn.utils.parameters_to_vector(network.parameters()).detach()

    before = torch.get_rng_state()
    one, again, other = weights(0), weights(0), weights(1)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_each_epoch_has_an_order_of_its_own_and_each_step_its_moves(monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[int, int, str]] = []

    def noting(device: torch.device, seed: int, rank: int, step: int, stream: str) -> torch.Generator:
        asked.append((seed, step, stream))
        return generator(device, seed, rank, step, stream)

    monkeypatch.setattr(classifier_mnist, "generator", noting)
    images, labels = classifier_mnist.parts("digits")["training"]
    classifier_mnist.train(images[:192], labels[:192], classifier_digits.DIGITS, seed=5, epochs=2)  # of 3 batches
    assert [(seed, step) for seed, step, stream in asked if stream == "order"] == [(5, 0), (5, 3)]
    assert [(seed, step) for seed, step, stream in asked if stream == "shift"] == [(5, step) for step in range(6)]


@pytest.mark.slow
def test_the_study_on_the_digits(tmp_path: Path):
    """About 5 s: a training in full length, of another seed than those of the record, and what it leaves."""
    from ganlab.experiments.units import Unit

    study = classifier_digits.STUDY
    arguments = study.units([7])["seed 7"]
    result = study.measure(Unit("seed 7", tmp_path, "key"), **arguments, epochs=40.0)
    network = classifier.load(tmp_path / "seed-7-key.safetensors")
    assert network.info is not None
    assert round(network.info.accuracy, 4) == result["test"] >= 0.93
    assert result["validation"] == result["curve"][-1] >= 0.97
    assert len(result["curve"]) == 40
    assert result["floors"]["270"] < result["floors"]["100"]
    record = {"study": study.name, "results": [result]}
    assert study.rows(record) == []
    assert study.every(record)[0][0] == "40 epochs, seed 7"
    assert study.every(record)[0][2] == f"{100 * result['test']:.2f} %"
