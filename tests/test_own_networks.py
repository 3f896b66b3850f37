"""Networks as people write them: trained, resumed bit for bit, exported, loaded and sampled, or refused in a line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from own import ImageD, ImageG, image_trainer, refusal
from tiny import assert_equal, run
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from ganlab import data
from ganlab.errors import CheckpointError, ShapeError
from ganlab.objectives import NON_SATURATING
from ganlab.training import TrainConfig, Trainer, export_generator, load_generator, sample

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")


class UNetG(nn.Module):
    """Goes down and up again, with a connection across."""

    z_dim = 4

    def __init__(self) -> None:
        super().__init__()
        self.first, self.down = nn.Linear(4, 64), nn.Conv2d(1, 4, 4, 2, 1)
        self.norm, self.up = nn.GroupNorm(2, 4), nn.ConvTranspose2d(4, 4, 4, 2, 1)
        self.last = nn.Conv2d(5, 1, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.first(z).view(-1, 1, 8, 8)
        y = self.up(self.norm(self.down(x)).relu())
        return self.last(torch.cat([x, y], dim=1)).tanh()


def convolutional(wrap: Callable[[nn.Module], nn.Module], norm: Callable[[], nn.Module]) -> nn.Module:
    """z → maps → images, with convolutions wrapped in some way and a normalisation."""
    G = nn.Sequential(
        wrap(nn.Linear(4, 4 * 16)),
        nn.Unflatten(1, (4, 4, 4)),
        norm(),
        nn.ReLU(inplace=True),
        wrap(nn.ConvTranspose2d(4, 1, 4, 2, 1)),
        nn.Tanh(),
    )
    G.z_dim = 4  # pyright: ignore[reportArgumentType]
    return G


class TiedG(ImageG):
    """One layer used twice, and its weight once more, transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.middle = nn.Linear(4, 4)
        self.again = self.middle

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(self.again(self.middle(z).relu()) @ self.middle.weight)


class EmbeddingG(ImageG):
    """Adds a learnt vector, chosen by the sign of the first variable."""

    def __init__(self, *, sparse: bool = False) -> None:
        super().__init__()
        self.table = nn.Embedding(2, 4, sparse=sparse)

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z + self.table((z[:, 0] > 0).long()))


def lazy() -> nn.Module:
    G = nn.Sequential(nn.LazyLinear(64), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(64), nn.Unflatten(1, (1, 8, 8)))
    G.z_dim = 4  # pyright: ignore[reportArgumentType]
    return G


def frozen() -> nn.Module:
    G = UNetG()
    G.first.requires_grad_(False)
    return G


def partly_compiled() -> nn.Module:
    G = ImageG()
    G.net = torch.compile(G.net, backend="eager")  # pyright: ignore[reportAttributeAccessIssue]
    return G


def in_place() -> nn.Module:
    G = nn.Sequential(nn.LeakyReLU(0.5, inplace=True), nn.Linear(4, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
    G.z_dim = 4  # pyright: ignore[reportArgumentType]
    return G


def batch_norm() -> nn.Module:
    return nn.BatchNorm2d(4)


def unwrapped_layer(layer: nn.Module) -> nn.Module:
    return layer


def tracking() -> nn.Module:
    return nn.InstanceNorm2d(4, track_running_stats=True)


GENERATORS: dict[str, Callable[[], Any]] = {
    "U-Net": UNetG,
    "spectral norm": lambda: convolutional(parametrizations.spectral_norm, batch_norm),
    "spectral norm, the hook": lambda: convolutional(nn.utils.spectral_norm, batch_norm),
    "weight norm": lambda: convolutional(parametrizations.weight_norm, batch_norm),
    "weight norm, the hook": lambda: convolutional(nn.utils.weight_norm, batch_norm),
    "GroupNorm": lambda: convolutional(unwrapped_layer, lambda: nn.GroupNorm(2, 4)),
    "InstanceNorm": lambda: convolutional(unwrapped_layer, lambda: nn.InstanceNorm2d(4, affine=True)),
    "InstanceNorm, tracking": lambda: convolutional(unwrapped_layer, tracking),
    "tied": TiedG,
    "embedding": EmbeddingG,
    "lazy": lazy,
    "frozen": frozen,
    "compiled": lambda: torch.compile(ImageG(), backend="eager"),
    "compiled in place": lambda: (G := ImageG(), G.compile(backend="eager"))[0],
    "partly compiled": partly_compiled,
    "in place on z": in_place,
}


@pytest.mark.parametrize("used", [False, True], ids=["new", "used before"])
@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS.keys())
def test_a_generator_trains_resumes_exactly_and_is_exported(make, used: bool, tmp_path: Path):
    def trainer() -> Trainer:
        torch.manual_seed(3)
        G = make()
        if used:
            G(torch.randn(2, 4))
        return image_trainer(G, steps=6, ema=0.5)

    place = tmp_path / "run.ckpt"
    run(trainer(), steps=3).save(place)
    resumed = trainer()
    assert resumed.resume(place)
    whole = run(trainer())
    assert_equal(run(resumed).state_dict(), whole.state_dict())
    assert whole.history.isfinite().all()
    export_generator(whole, tmp_path / "g.safetensors", weights_only=True)
    anew = make()
    anew(torch.randn(2, 4))
    G, info = load_generator(tmp_path / "g.safetensors", into=anew)
    torch.testing.assert_close(sample(G, 20, noise=info.noise, seed=1), whole.sample(20, seed=1))


@pytest.mark.parametrize("update", ["alternating", "simultaneous"])
def test_a_D_that_changes_its_input_in_place_is_given_a_copy(update: str):
    def trained(*, inplace: bool) -> Tensor:
        torch.manual_seed(3)
        D = nn.Sequential(nn.LeakyReLU(0.5, inplace=inplace), nn.Flatten(), nn.Linear(64, 1))
        return run(image_trainer(ImageG(), D, steps=5, update=update)).history

    assert torch.equal(trained(inplace=True), trained(inplace=False))


def test_frozen_weights_stay_and_get_no_gradient():
    D = ImageD()
    weight = D.get_parameter("net.1.weight").requires_grad_(False)
    before = weight.clone()
    trainer = run(image_trainer(D=D))
    assert torch.equal(weight, before)
    assert weight.grad is None
    assert sum(len(group["params"]) for group in trainer.optimizer_d.param_groups) == 1


def test_sparse_gradients_are_refused_and_the_advice_works():
    line = refusal(lambda: image_trainer(EmbeddingG(sparse=True)))
    assert "G's table.weight has sparse gradients" in line
    assert "make it with sparse=False" in line
    assert run(image_trainer(EmbeddingG(sparse=False))).step == 3


def test_a_layer_that_overwrites_what_the_backward_pass_needs_is_refused_and_the_advice_works():
    def D(*, inplace: bool) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Sigmoid(), nn.ReLU(inplace=inplace), nn.Linear(8, 1))

    assert "set inplace=False in its activations" in refusal(lambda: image_trainer(D=D(inplace=True)))
    assert run(image_trainer(D=D(inplace=False))).step == 3


def test_a_view_in_a_forward_pass_decides_the_layout():
    images = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8)

    def layout(reshape: Callable[[Tensor], Tensor]) -> tuple[bool, float]:
        class ConvD(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.conv, self.out = nn.Conv2d(3, 4, 3), nn.Linear(144, 1)

            def forward(self, x: Tensor) -> Tensor:
                return self.out(reshape(self.conv(x)))

        class ColourG(ImageG):
            def forward(self, z: Tensor) -> Tensor:
                return super().forward(z).expand(-1, 3, 8, 8)

        torch.manual_seed(0)
        trainer = run(image_trainer(ColourG(), ConvD(), images))
        weight = trainer.D.get_parameter("conv.weight")
        return weight.is_contiguous(memory_format=torch.channels_last), trainer.history[-1, 0].item()

    (last, loss), (first, same) = layout(lambda x: x.flatten(1)), layout(lambda x: x.view(len(x), -1))
    assert (last, first) == (True, False)
    assert loss == pytest.approx(same, rel=1e-4)


def test_a_network_of_a_fixed_batch_trains():
    class FixedD(ImageD):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x.view(16, 1, 8, 8))

    assert run(image_trainer(D=FixedD())).step == 3


def test_parallel_wrappers_leave_no_trace_in_files(tmp_path: Path):
    G = nn.DataParallel(ImageG())
    G.z_dim = 4  # pyright: ignore[reportArgumentType]
    trainer = run(image_trainer(G, nn.DataParallel(ImageD()), ema=0.5))
    trainer.save(tmp_path / "run.ckpt")
    assert image_trainer(ema=0.5).resume(tmp_path / "run.ckpt")  # without wrappers
    export_generator(trainer, tmp_path / "g", weights_only=True)
    alone, _ = load_generator(tmp_path / "g", into=ImageG())
    assert torch.equal(sample(alone, 9, seed=1), trainer.sample(9, seed=1))


def test_weights_alone_need_a_network_to_be_loaded_into(tmp_path: Path):
    trainer = run(image_trainer(UNetG()))
    with pytest.raises(CheckpointError, match="UNetG has no spec") as caught:
        export_generator(trainer, tmp_path / "g")
    assert "export_generator(trainer, path, weights_only=True)" in str(caught.value)
    assert "load_generator(path, into=G)" in str(caught.value)
    export_generator(trainer, tmp_path / "g", weights_only=True)
    with pytest.raises(
        CheckpointError, match=r"of a UNetG alone; make one and load them with load_generator\(path, into=G\)"
    ):
        load_generator(tmp_path / "g")
    with pytest.raises(CheckpointError, match=r"does not fit this ImageG \(net\.weight is missing there and \[64, 4\]"):
        load_generator(tmp_path / "g", into=ImageG())
    assert load_generator(tmp_path / "g", into=UNetG())[0].training is False


def test_what_a_generator_draws_itself_depends_on_the_seed():
    class NoisyG(ImageG):
        def forward(self, z: Tensor) -> Tensor:
            return super().forward(z + 0.1 * torch.randn_like(z))

    trainer = run(image_trainer(NoisyG()))
    torch.manual_seed(7)
    first, state = trainer.sample(9, seed=1), torch.get_rng_state()
    assert torch.equal(first, trainer.sample(9, seed=1))
    assert not torch.equal(first, trainer.sample(9, seed=2))
    torch.manual_seed(7)
    assert torch.equal(torch.get_rng_state(), state)


def test_lazy_weights_are_drawn_as_others_are():
    def first_weight(seed: int) -> Tensor:
        G = lazy()
        torch.manual_seed(seed)
        config = TrainConfig(batch=16, device="cpu")
        trainer = Trainer(G, ImageD(), NON_SATURATING, data.load("digits", limit=64), config)
        return trainer.G.get_parameter("0.weight").detach()

    assert torch.equal(first_weight(1), first_weight(1))
    assert not torch.equal(first_weight(1), first_weight(2))


def test_a_wrong_z_dim_is_named_and_set():
    G = ImageG()
    G.z_dim = 5
    with pytest.raises(
        ShapeError, match=r"takes z neither as \[\d+, 5\] nor as \[\d+, 5, 1, 1\]; set z_dim to what it takes"
    ):
        sample(G, 3)
    G.z_dim = 4
    assert sample(G, 3).shape == (3, 1, 8, 8)
