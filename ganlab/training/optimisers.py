"""The players' optimisers: which weights they move, at which rates, and what is kept in bounds after each update."""

import torch
from torch import nn

from ganlab.training.config import SGD, Adam
from ganlab.training.wrappers import unwrapped


def trained(model: nn.Module) -> list[nn.Parameter]:
    """The weights that training moves: all that are not frozen."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def optimiser(model: nn.Module, chosen: Adam | SGD) -> torch.optim.Optimizer:
    """The optimiser of a network's weights; where the network has a method `constrain()`, it is called after each
    update."""
    optimizer = chosen.build(trained(model))
    constrain = getattr(unwrapped(model), "constrain", None)
    if callable(constrain):

        def after_update(*_: object) -> None:
            constrain()

        optimizer.register_step_post_hook(after_update)
    return optimizer


def set_rates(optimizer: torch.optim.Optimizer, chosen: Adam | SGD, step: int, factor: float) -> None:
    """Give an optimiser what step 0, 1, … runs with, its learning rate multiplied with `factor`."""
    now = chosen.at(step)
    for group in optimizer.param_groups:
        group.update(now, lr=now["lr"] * factor)
