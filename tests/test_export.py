"""Exported generators: what is written can be read, and what was changed is refused."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own import ImageG, image_trainer
from tiny import run, tiny_trainer
from torch import nn

from ganlab import models, training
from ganlab.errors import CheckpointError
from ganlab.training.export import _digest_of_tensors_alone


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An exported generator of the course's own."""
    torch.manual_seed(0)
    trainer = run(image_trainer(models.MLPGenerator(4, side=8, hidden=(3,)), ema=0.5))
    path = tmp_path_factory.mktemp("exported") / "g.safetensors"
    training.export_generator(trainer, path)
    return path.read_bytes()


def with_metadata(content: bytes, **changed: object) -> bytes:
    """The file with other metadata, and tensors as they are."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = json.loads(header["__metadata__"]["ganlab"]) | changed
    return safetensors.torch.save(safetensors.torch.load(content), {"ganlab": json.dumps(metadata)})


@pytest.mark.parametrize(
    "changed",
    [
        {"noise": "uniform"},
        {"step": 99},
        {"seed": 1},
        {"objective": "LSGAN"},
        {"network": "Other"},
        {"network": ""},
        {"spec": {"name": "MLPGenerator", "z_dim": 4, "channels": 1, "side": 8, "hidden": [4]}},
        {"spec": None},
    ],
    ids=str,
)
def test_changed_metadata_are_refused(content: bytes, changed: dict, tmp_path: Path):
    (tmp_path / "g").write_bytes(with_metadata(content))
    assert training.load_generator(tmp_path / "g")[1].step == 3
    (tmp_path / "g").write_bytes(with_metadata(content, **changed))
    with pytest.raises(CheckpointError, match="is damaged: its checksum"):
        training.load_generator(tmp_path / "g")


@pytest.mark.parametrize("what", ["name", "shape", "dtype"])
def test_changed_names_shapes_and_dtypes_are_refused(content: bytes, what: str, tmp_path: Path):
    tensors = safetensors.torch.load(content)
    weight = tensors.pop("net.0.weight")
    name = "net.0.height" if what == "name" else "net.0.weight"
    tensors[name] = {"name": weight, "shape": weight.reshape(2, 6), "dtype": weight.view(torch.int32)}[what].clone()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    (tmp_path / "g").write_bytes(safetensors.torch.save(tensors, header["__metadata__"]))
    with pytest.raises(CheckpointError, match="is damaged: its checksum"):
        training.load_generator(tmp_path / "g")


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.data())
def test_any_damage_ends_in_one_line(content: bytes, tmp_path: Path, drawn: st.DataObject):
    damaged = bytearray(content)
    header = 8 + int.from_bytes(content[:8], "little")
    for _ in range(drawn.draw(st.integers(1, 3))):
        damaged[drawn.draw(st.integers(0, header - 1))] = drawn.draw(st.integers(0, 255))
    if drawn.draw(st.booleans()):
        damaged = damaged[: drawn.draw(st.integers(0, len(damaged)))]
    if damaged == content:
        return
    (tmp_path / "g").write_bytes(damaged)
    line = ""
    try:
        training.load_generator(tmp_path / "g")
    except CheckpointError as error:
        line = str(error)
    assert "\n" not in line
    if not line:  # only what means nothing was changed, such as white space
        assert safetensors.torch.load(bytes(damaged)).keys() == safetensors.torch.load(content).keys()


def test_a_damaged_file_is_exported_again_in_its_place(content: bytes, tmp_path: Path):
    path = tmp_path / "g.safetensors"
    trainer = run(image_trainer(models.MLPGenerator(4, side=8, hidden=(3,)), ema=0.5))
    for damaged in (with_metadata(content, step=99), with_metadata(content, of_tomorrow=1)):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="export it again"):
            training.load_generator(path)
        training.export_generator(trainer, path)
        assert torch.equal(training.sample(training.load_generator(path)[0], 5), training.sample(trainer.sampler, 5))


def test_files_of_before_are_read(content: bytes, tmp_path: Path):
    tensors = safetensors.torch.load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = json.loads(header["__metadata__"]["ganlab"])
    del metadata["network"]
    metadata["sha256"] = _digest_of_tensors_alone(tensors)
    (tmp_path / "old").write_bytes(safetensors.torch.save(tensors, {"ganlab": json.dumps(metadata)}))
    (tmp_path / "new").write_bytes(content)
    (old, _), (new, _) = (training.load_generator(tmp_path / name) for name in ("old", "new"))
    assert torch.equal(training.sample(old, 5), training.sample(new, 5))
    metadata["spec"]["side"] = 4
    (tmp_path / "old").write_bytes(safetensors.torch.save(tensors, {"ganlab": json.dumps(metadata)}))
    with pytest.raises(CheckpointError, match=r"does not fit this MLPGenerator \(net.3.weight is \[64, 3\] there"):
        training.load_generator(tmp_path / "old")
    metadata["spec"] = {"name": "Unheard"}
    (tmp_path / "old").write_bytes(safetensors.torch.save(tensors, {"ganlab": json.dumps(metadata)}))
    with pytest.raises(CheckpointError, match="holds a network that this ganlab cannot make"):
        training.load_generator(tmp_path / "old")


def test_a_compiled_network_of_the_course_is_exported_as_itself(tmp_path: Path):
    torch.manual_seed(0)
    plain = models.MLPGenerator(4, side=8, hidden=(3,))
    G = torch.compile(plain, backend="eager")
    training.export_generator(run(image_trainer(G)), tmp_path / "g")
    again, info = training.load_generator(tmp_path / "g")
    assert info.spec == plain.spec
    assert torch.equal(training.sample(again, 5), training.sample(plain, 5))


@pytest.mark.parametrize("name", ["läuft ☃.safetensors", "not\udcffutf8.safetensors", "with a space"])
def test_any_path_that_is_written_is_read(name: str, tmp_path: Path):
    try:
        (tmp_path / name).write_bytes(b"")
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    trainer = run(image_trainer(models.MLPGenerator(4, side=8, hidden=(3,))))
    training.export_generator(trainer, tmp_path / name)
    assert torch.equal(training.sample(training.load_generator(tmp_path / name)[0], 5), trainer.sample(5))


def test_an_export_replaces_no_other_file(tmp_path: Path):
    trainer = image_trainer(models.MLPGenerator(4, side=8, hidden=(3,)))
    for name, text in (("photo.png", b"\x89PNG"), ("weights", safetensors.torch.save({"w": torch.zeros(2)}))):
        (tmp_path / name).write_bytes(text)
        with pytest.raises(CheckpointError, match="give another name or move it away"):
            training.export_generator(trainer, tmp_path / name)
        assert (tmp_path / name).read_bytes() == text
    with pytest.raises(CheckpointError, match="is a folder; give the name of a file"):
        training.export_generator(trainer, tmp_path)
    for _ in range(2):
        training.export_generator(trainer, tmp_path / "g")


def test_a_state_that_holds_no_tensor_is_named(tmp_path: Path):
    class ToldG(ImageG):
        def get_extra_state(self) -> dict[str, int]:
            return {"version": 1}

        def set_extra_state(self, state: object) -> None:
            assert state == {"version": 1}

    trainer = image_trainer(ToldG())
    with pytest.raises(CheckpointError, match="state _extra_state is a dict; only tensors can be exported"):
        training.export_generator(trainer, tmp_path / "g", weights_only=True)
    trainer.save(tmp_path / "run.ckpt")  # plain values, so a checkpoint holds them
    assert image_trainer(ToldG()).resume(tmp_path / "run.ckpt")


def test_points_are_exported_with_weights_alone_too(tmp_path: Path):
    trainer = run(tiny_trainer(ema=0.9))
    training.export_generator(trainer, tmp_path / "g", weights_only=True)
    G, _ = training.load_generator(tmp_path / "g", into=type(trainer.G)())
    assert isinstance(G, nn.Module)
    assert torch.equal(training.sample(G, 5), trainer.sample(5))
