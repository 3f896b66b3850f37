"""A loss that is NaN or infinite, said in one line: at which step, and what to do."""

from torch import Tensor

from ganlab.errors import NonFiniteLoss
from ganlab.training.config import TrainConfig

FINITE_CHECK_EVERY = 50
"""Steps between two looks at the losses; each look waits for the device."""


def require_finite(history: Tensor, known: int, config: TrainConfig) -> None:
    """Raise `NonFiniteLoss` with the first step of `history` [steps, 4, …] after the first `known` whose losses are not
    finite."""
    bad = ~history[known:, :2].isfinite().flatten(1).all(dim=1)
    if not bad.any():
        return
    step = known + int(bad.nonzero()[0]) + 1
    loss_d, loss_g = history[step - 1, :2].reshape(2, -1).sum(dim=1).tolist()
    rates = f"{config.optimizer_d.lr:g} (optimizer_d) and {config.optimizer_g.lr:g} (optimizer_g)"
    or_float32 = ", or with precision='float32'" if config.precision == "bfloat16" else ""
    raise NonFiniteLoss(
        f"at step {step} D's loss is {loss_d:g} and G's {loss_g:g}; training stopped, and a checkpoint from before is"
        f" kept: go on from it with learning rates below {rates}{or_float32}."
    )
