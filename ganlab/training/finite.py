"""A loss or a weight that is NaN or infinite, said in one line: at which step, what is known of it, and what to do."""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

from ganlab.errors import NonFiniteLoss
from ganlab.training.config import TrainConfig

FINITE_CHECK_EVERY = 50
"""Steps between two looks at the losses and weights; each look waits for the device."""
KEPT = "training stopped, and a checkpoint from before is kept if one was saved"


def require_finite(
    history: Tensor, known: int, config: TrainConfig, real_batches: Callable[[int], Iterable[Tensor]]
) -> None:
    """Raise `NonFiniteLoss` with the first step of `history` [steps, 4, …] after the first `known` whose losses are not
    finite. `real_batches` gives those of a step, which a law may have drawn with NaN in them."""
    bad = ~history[known:, :2].isfinite().flatten(1).all(dim=1)
    if not bad.any():
        return
    step = known + int(bad.nonzero()[0]) + 1
    loss_d, loss_g = history[step - 1, :2].reshape(2, -1).sum(dim=1).tolist()
    said = f"at step {step} D's loss is {loss_d:g} and G's {loss_g:g}; {KEPT}"
    if not all(batch.isfinite().all() for batch in real_batches(step)):
        raise NonFiniteLoss(f"{said}. The real examples of this step hold NaN or infinity: mend what draws them.")
    before = f"; losses before it are at most {history[: step - 1, :2].abs().max():.3g}" if step > 1 else ""
    raise NonFiniteLoss(f"{said}{before}. {_way_out(config)}")


def require_finite_weights(weights: Mapping[str, Tensor], step: int, config: TrainConfig) -> None:
    """Raise `NonFiniteLoss` with the first of these weights that is not finite, by its name: a step's losses are those
    before its updates."""
    finite = torch.stack([weight.isfinite().all() for weight in weights.values()]).tolist()
    if not all(finite):
        name = [*weights][finite.index(False)]
        raise NonFiniteLoss(f"after step {step} {name} holds NaN or infinity; {KEPT}. {_way_out(config)}")


def _way_out(config: TrainConfig) -> str:
    """What to do about numbers that are not finite, while the examples are."""
    rates = f"{config.optimizer_d.lr:g} (optimizer_d) and {config.optimizer_g.lr:g} (optimizer_g)"
    or_float32 = ", or with precision='float32'" if config.precision == "bfloat16" else ""
    return (
        "If a network divides by 0, or takes its root or logarithm, mend it; else go on from the checkpoint with"
        f" learning rates below {rates}{or_float32}."
    )
