"""Checkpoints and exported generators under paths as people give them, and of networks as people change them."""

import collections
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from own import ImageG, image_trainer, refusal, toy_ensemble
from tiny import assert_equal, run, tiny_trainer
from torch import Tensor, nn

from ganlab import models, objectives
from ganlab.training import checkpoint, export_generator, load_generator, sample

# Paths ----------------------------------------------------------------------------------------------------------------

USES: list[Callable[[Any], object]] = [
    lambda path: tiny_trainer().save(path),
    lambda path: tiny_trainer().resume(path),
    lambda path: export_generator(tiny_trainer(), path, weights_only=True),
    load_generator,
]
USE = pytest.mark.parametrize("use", USES, ids=["save", "resume", "export", "load"])


@USE
@pytest.mark.parametrize("path", [None, 3, b"run.ckpt", "", "a\0b", ["run.ckpt"], Path()], ids=str)
def test_what_is_no_path_is_refused(use: Callable[[Any], object], path: object):
    assert "give the name of a file, such as 'run.ckpt'" in refusal(lambda: use(path))


@USE
def test_a_name_that_is_too_long_is_refused_or_not_there(use: Callable[[Any], object], tmp_path: Path):
    path = tmp_path / ("x" * 300)
    if use is USES[1]:
        assert not use(path)
    else:
        assert "cannot be" in refusal(lambda: use(path))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("control", ["\n", "\r", "\x1b[2J", "\u2028"])
def test_a_name_of_several_lines_is_said_on_one(tmp_path: Path, control: str):
    line = refusal(lambda: load_generator(tmp_path / f"no{control}such"))
    assert line.isprintable()
    assert f"no{control.encode('unicode_escape').decode()}such cannot be read" in line


@USE
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_neither_replaced_nor_waited_for(use: Callable[[Any], object], tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert "no file" in refusal(lambda: use(tmp_path / "pipe"))
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_the_home_folder_may_stand_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    trainer = tiny_trainer()
    trainer.save("~/runs/run.ckpt")
    export_generator(trainer, "~/runs/g", weights_only=True)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["g", "run.ckpt"]
    assert tiny_trainer().resume("~/runs/run.ckpt")
    load_generator("~/runs/g", into=trainer.G)
    assert "no_such_user" in refusal(lambda: trainer.save("~no_such_user/run.ckpt"))


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_written_through(tmp_path: Path, there: bool):
    real, link = tmp_path / "disk" / "run.ckpt", tmp_path / "run.ckpt"
    if there:
        tiny_trainer().save(real)
    link.symlink_to(real)
    run(tiny_trainer(), steps=2).save(link)
    assert link.is_symlink()
    assert checkpoint.read(real)["step"] == 2
    assert checkpoint.previous(real).exists() == there
    assert tiny_trainer().resume(link)


def test_a_file_that_is_in_the_way_of_writing_is_kept(tmp_path: Path):
    (tmp_path / "run.tmp").write_text("mine")
    for write in (USES[0], USES[2]):
        assert "run.tmp is there and no file of this kind by ganlab" in refusal(
            lambda write=write: write(tmp_path / "run")
        )
        assert [path.name for path in tmp_path.iterdir()] == ["run.tmp"]
    trainer = tiny_trainer()
    trainer.save(tmp_path / "mine")
    os.replace(tmp_path / "mine", tmp_path / "run.tmp")  # noqa: PTH105
    trainer.save(tmp_path / "run")  # one that a kill has left
    assert not (tmp_path / "run.tmp").exists()


# What is told apart ---------------------------------------------------------------------------------------------------


def with_layer(layer: Callable[[], nn.Module]) -> nn.Module:
    G = nn.Sequential(nn.Linear(4, 64), layer(), nn.Unflatten(1, (1, 8, 8)))
    G.z_dim = 4  # pyright: ignore[reportArgumentType]
    return G


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        (lambda: nn.LeakyReLU(0.2), lambda: nn.LeakyReLU(0.1), "G.1:negative_slope: 0.2 then, 0.1 now"),
        (lambda: nn.Dropout(0.5), lambda: nn.Dropout(0.1), "G.1:p: 0.5 then, 0.1 now"),
        (lambda: nn.BatchNorm1d(64, 0.8), lambda: nn.BatchNorm1d(64), "G.1:eps: 0.8 then, 1e-05 now"),
    ],
)
def test_layers_set_otherwise_are_another_run(one, other, named: str, tmp_path: Path):
    place = tmp_path / "run.ckpt"
    image_trainer(with_layer(one)).save(place)
    assert image_trainer(with_layer(one)).resume(place)
    assert named in refusal(lambda: image_trainer(with_layer(other)).resume(place))
    state = checkpoint.read(place)
    state["run"] = {key: value for key, value in state["run"].items() if ":" not in key}
    checkpoint.write(place, state)  # as it was written before settings were described
    assert image_trainer(with_layer(other)).resume(place)


def test_functions_are_told_apart_and_inplace_is_not(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    image_trainer(ImageG(torch.tanh)).save(place)
    assert "G:last: tanh then, sin now" in refusal(lambda: image_trainer(ImageG(torch.sin)).resume(place))
    image_trainer(with_layer(lambda: nn.LeakyReLU(inplace=True))).save(place)
    assert image_trainer(with_layer(lambda: nn.LeakyReLU(inplace=False))).resume(place)  # as a message may have advised


def test_formulas_in_another_quantity_are_another_game(tmp_path: Path):
    def trainer(output: Any):
        D = objectives.D
        formulas = {"real": (D - 1) ** 2, "fake": D**2, "generator": (D - 1) ** 2}
        return tiny_trainer(objectives.Objective(name="own", output=output, source="here", **formulas))

    place = tmp_path / "run.ckpt"
    trainer("score").save(place)
    assert "objective.output: score then, probability now" in refusal(lambda: trainer("probability").resume(place))
    state = checkpoint.read(place)
    del state["run"]["objective.output"]
    checkpoint.write(place, state)
    assert trainer("score").resume(place)


# What is written can be read ------------------------------------------------------------------------------------------


class KeepingG(ImageG):
    kept: object = None

    def get_extra_state(self) -> object:
        return self.kept

    def set_extra_state(self, state: object) -> None:
        self.kept = state


@pytest.mark.parametrize("kept", [{"a": 1}, collections.OrderedDict(a=1), collections.Counter("ab")], ids=repr)
def test_dictionaries_of_all_readable_kinds_are_read_again(kept: object, tmp_path: Path):
    trainer: Any = image_trainer(KeepingG())
    trainer.G.kept = kept
    trainer.save(tmp_path / "run.ckpt")
    again = image_trainer(KeepingG())
    assert again.resume(tmp_path / "run.ckpt")
    assert again.G.kept == kept


class OwnDict(dict):
    pass


@pytest.mark.parametrize("kept", [collections.defaultdict(int, a=1), OwnDict(a=1)], ids=repr)
def test_dictionaries_of_other_kinds_are_refused_before_they_are_written(kept: object, tmp_path: Path):
    trainer: Any = image_trainer(KeepingG())
    trainer.G.kept = kept
    assert f"is a {type(kept).__name__}, which could not be read again" in refusal(lambda: trainer.save(tmp_path / "a"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kept", [torch.eye(2).to_sparse(), torch.ones(2, dtype=torch.complex128)], ids=["sparse", "c"])
def test_tensors_that_an_export_cannot_hold_are_refused(kept: Tensor, tmp_path: Path):
    G = ImageG()
    G.register_buffer("kept", kept)
    trainer = image_trainer(G)
    line = refusal(lambda: export_generator(trainer, tmp_path / "g", weights_only=True))
    assert line.startswith("the generator's state")
    assert not list(tmp_path.iterdir())


def test_weights_are_loaded_into_networks_alone(tmp_path: Path):
    lazy = lambda: with_layer(nn.LazyBatchNorm1d)  # noqa: E731
    trainer = run(image_trainer(lazy()))
    export_generator(trainer, tmp_path / "g", weights_only=True)
    G, info = load_generator(tmp_path / "g", into=lazy())  # whose layers have no sizes yet
    torch.testing.assert_close(sample(G, 5, noise=info.noise, seed=1), trainer.sample(5, seed=1))
    others: tuple[Any, ...] = ("G", ImageG, (ImageG(),))
    for into in others:
        assert "give a network, a torch.nn.Module that is made" in refusal(
            lambda into=into: load_generator(tmp_path / "g", into=into)
        )
    assert "meta device" in refusal(lambda: load_generator(tmp_path / "g", into=ImageG().to("meta")))


def test_what_has_no_one_generator_is_not_exported(tmp_path: Path):
    others: tuple[Any, ...] = (toy_ensemble(), ImageG(), "trainer")
    given = ("an Ensemble of many generators", "a ImageG", "'trainer'")
    for trainer, what in zip(others, given, strict=True):
        line = refusal(lambda trainer=trainer: export_generator(trainer, tmp_path / "g"))
        assert line == f"trainer is {what}; give a Trainer, which has one generator."


def test_numbers_of_numpy_make_the_same_network(tmp_path: Path):
    G = models.MLPGenerator(np.int64(8), side=np.int32(8), hidden=np.array([16]))  # pyright: ignore
    same = models.MLPGenerator(8, side=8, hidden=[16])
    assert G.spec == same.spec
    assert [type(value) for value in G.spec.values()] == [type(value) for value in same.spec.values()]
    place = tmp_path / "run.ckpt"
    image_trainer(G).save(place)
    assert image_trainer(same).resume(place)
    export_generator(image_trainer(G), tmp_path / "g")
    assert load_generator(tmp_path / "g")[1].spec == same.spec


# Ensembles ------------------------------------------------------------------------------------------------------------


class OwnPair:
    """Points of 2 numbers, through an activation of choice; D gives [n] or [n, 1]."""

    def __init__(self, activation: Callable[[], nn.Module] = nn.ReLU, *, column: bool = False) -> None:
        self.activation, self.column = activation, column

    def __call__(self) -> tuple[nn.Module, nn.Module]:
        column = self.column

        class G(nn.Module):
            z_dim = 4

            def __init__(self, activation: nn.Module) -> None:
                super().__init__()
                self.net = nn.Sequential(nn.Linear(4, 8), activation, nn.Linear(8, 2))

            def forward(self, z: Tensor) -> Tensor:
                return self.net(z)

        class D(nn.Module):
            def __init__(self, activation: nn.Module) -> None:
                super().__init__()
                self.net = nn.Sequential(nn.Linear(2, 8), activation, nn.Linear(8, 1))

            def forward(self, x: Tensor) -> Tensor:
                return self.net(x) if column else self.net(x).squeeze(1)

        return G(self.activation()), D(self.activation())


def test_a_D_that_gives_a_column_is_stacked_as_one_that_does_not():
    flat, column = (run(toy_ensemble(OwnPair(column=column))) for column in (False, True))
    assert_equal(flat.state_dict(), column.state_dict())


@pytest.mark.parametrize("activation", [nn.GELU, nn.SiLU, nn.ELU, nn.SELU, nn.Mish, nn.ReLU6, nn.Hardtanh, nn.Softsign])
def test_every_pointwise_activation_can_be_stacked(activation: Callable[[], nn.Module]):
    ensemble: Any = run(toy_ensemble(OwnPair(activation)))
    z = torch.randn(5, 4)
    with torch.no_grad():
        together = ensemble.sampler(z.expand(2, 5, 4))
        for number in range(2):
            torch.testing.assert_close(ensemble.member(number)[0](z), together[number])


def test_members_that_are_not_their_own_are_refused():
    pair = OwnPair()()
    assert "make gives the same G for several seeds" in refusal(lambda: toy_ensemble(lambda: pair))

    def bounded() -> tuple[Any, Any]:
        G, D = OwnPair()()
        vars(D)["constrain"] = lambda: None
        return G, D

    assert "D has a method constrain(), which an Ensemble does not call" in refusal(lambda: toy_ensemble(bounded))
    numbers: tuple[Any, ...] = (2, 7, -3, 1.5)
    for number in numbers:
        assert "number is" in refusal(lambda number=number: toy_ensemble().member(number))
