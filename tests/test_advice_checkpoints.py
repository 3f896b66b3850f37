"""What the errors of checkpoints and exported files say to do, done: refused first, and taken when it is followed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from own import ImageD, ImageG, image_trainer, refusal, seeded
from tiny import assert_equal, run
from torch import Tensor, nn

from ganlab.training import Trainer, checkpoint, export_generator, load_generator
from ganlab.training.config import UPDATES


def test_what_is_said_of_checkpoints_works(tmp_path: Path):
    place = tmp_path / "run.ckpt"
    run(image_trainer(steps=3)).save(place)
    assert "give at least as many steps" in refusal(lambda: image_trainer(steps=2).resume(place))
    assert image_trainer(steps=3).resume(place)
    assert "give it the same options or another place" in refusal(lambda: image_trainer(seed=5, steps=3).resume(place))
    assert not image_trainer(seed=5).resume(tmp_path / "another.ckpt")
    assert "give the path of a checkpoint" in refusal(lambda: checkpoint.read(tmp_path))
    assert checkpoint.read(place)["step"] == 3
    run(image_trainer(steps=3)).save(place)
    place.write_bytes(place.read_bytes()[:-1])
    line = refusal(lambda: image_trainer(steps=3).resume(place))
    assert "delete it and rename run.ckpt.previous to run.ckpt" in line
    place.unlink()
    (tmp_path / "run.ckpt.previous").rename(place)
    assert image_trainer(steps=3).resume(place)


def test_a_state_is_taken_by_the_same_networks():
    state = run(image_trainer(steps=3)).state_dict()
    wider = ImageG()
    wider.net = nn.Linear(4, 64, bias=False)
    assert "give the same ones" in refusal(lambda: image_trainer(wider, steps=3).load_state_dict(state))
    trainer = image_trainer(steps=3)
    trainer.load_state_dict(state)
    assert trainer.step == 3


def test_what_is_said_of_exported_files_works(tmp_path: Path):
    trainer = run(image_trainer(ImageG()))
    export_generator(trainer, tmp_path / "g", weights_only=True)
    another = nn.Sequential(nn.Linear(4, 64))
    assert "give the network that it is of" in refusal(lambda: load_generator(tmp_path / "g", into=another))
    assert load_generator(tmp_path / "g", into=ImageG())[1].network == "ImageG"
    notes = tmp_path / "notes"
    notes.write_text("mine", encoding="utf-8")
    assert "give another name or move it away" in refusal(lambda: trainer.save(notes))
    assert notes.read_text(encoding="utf-8") == "mine"
    notes.rename(tmp_path / "elsewhere")
    trainer.save(notes)
    assert "give the name of a file, such as" in refusal(lambda: trainer.save(tmp_path))
    trainer.save(tmp_path / "run.ckpt")


class FailingD(ImageD):
    """Finds no memory in a pass that is a few from now."""

    passes = 0

    def forward(self, x: Tensor) -> object:
        type(self).passes -= 1
        if self.passes == 0:
            raise MemoryError
        return super().forward(x)


@pytest.mark.parametrize("at_pass", [1, 2])
@pytest.mark.parametrize("update", UPDATES)
def test_after_an_error_within_a_step_a_run_goes_on_from_a_checkpoint(update: str, at_pass: int, tmp_path: Path):
    def make() -> Trainer:
        return image_trainer(D=seeded(FailingD), steps=5, update=update, ema=0.5)

    def train_until_it_fails() -> None:
        for record in trainer.run():
            if record.step == 2:
                trainer.save(place)
                FailingD.passes = at_pass

    trainer, place = make(), tmp_path / "run.ckpt"
    with pytest.raises(MemoryError):
        train_until_it_fails()
    assert trainer.step == 2
    assert not trainer.resume(tmp_path / "another.ckpt")
    for refused in (trainer.state_dict, lambda: trainer.save(place), lambda: run(trainer)):
        line = refusal(refused)
        assert line.startswith("step 3 was broken off by an error")
        assert "go on from a checkpoint with resume(path), or make the networks and the Trainer anew" in line
    assert trainer.resume(place)  # what the message says
    assert_equal(run(trainer).state_dict(), run(make()).state_dict())
    trainer.save(place)


class CountingD(ImageD):
    """Has a state that is more than tensors and plain numbers, or is not."""

    def __init__(self, state: Any) -> None:
        super().__init__()
        self.kept = state

    def get_extra_state(self) -> Any:
        return self.kept

    def set_extra_state(self, state: Any) -> None:
        self.kept = state


def test_a_state_of_tensors_and_plain_numbers_is_saved(tmp_path: Path):
    line = refusal(lambda: image_trainer(D=CountingD(object())).save(tmp_path / "run.ckpt"))
    assert "let the network keep tensors and plain numbers in its state" in line
    image_trainer(D=CountingD(7)).save(tmp_path / "run.ckpt")
    resumed = image_trainer(D=CountingD(0))
    assert resumed.resume(tmp_path / "run.ckpt")
    assert resumed.D.kept == 7  # pyright: ignore[reportAttributeAccessIssue]


class HoldingG(ImageG):
    """Has a state beside its tensors, of a kind of choice."""

    def __init__(self, more: Any) -> None:
        super().__init__()
        self.more = more

    def get_extra_state(self) -> Any:
        return self.more

    def set_extra_state(self, state: Any) -> None:
        self.more = state


def test_a_state_that_is_a_tensor_is_exported(tmp_path: Path):
    for more, taken in ((7, False), (torch.tensor(7), True)):
        trainer = run(image_trainer(HoldingG(more)))
        if not taken:
            line = refusal(lambda trainer=trainer: export_generator(trainer, tmp_path / "g", weights_only=True))
            assert "only tensors can be exported, and no sparse ones: make it one" in line
        else:
            export_generator(trainer, tmp_path / "g", weights_only=True)
            G, _ = load_generator(tmp_path / "g", into=HoldingG(torch.tensor(0)))
            assert G.more == 7  # pyright: ignore[reportAttributeAccessIssue]


def test_a_file_of_ganlab_in_place_of_another_is_loaded(tmp_path: Path):
    trainer = run(image_trainer())
    (tmp_path / "g").write_bytes(b"no such file")
    assert "give one by ganlab" in refusal(lambda: load_generator(tmp_path / "g", into=ImageG()))
    (tmp_path / "g").unlink()
    export_generator(trainer, tmp_path / "g", weights_only=True)
    assert load_generator(tmp_path / "g", into=ImageG())[1].step == 3
