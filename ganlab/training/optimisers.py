"""The players' optimisers: which weights they move, at which rates, and what is kept in bounds after each update."""

import torch
from torch import nn

from ganlab.training.config import Optimizer, TrainConfig
from ganlab.training.wrappers import unwrapped, weights_of


def trained(model: nn.Module) -> list[nn.Parameter]:
    """The weights that training moves: all that are not frozen."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def moved(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, nn.Parameter]:
    """The weights of a network that its optimiser moves, frozen since or not, by the names that `weights_of` gives."""
    held = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
    return {name: weight for name, weight in weights_of(model).items() if id(weight) in held}


def optimiser(model: nn.Module, chosen: Optimizer) -> torch.optim.Optimizer:
    """The optimiser of a network's weights; where the network has a method `constrain()`, it is called after each
    update, without gradients."""
    optimizer = chosen.build(trained(model))
    constrain = getattr(unwrapped(model), "constrain", None)
    if callable(constrain):

        def after_update(*_: object) -> None:
            with torch.no_grad():
                constrain()

        optimizer.register_step_post_hook(after_update)
    return optimizer


def set_rates(config: TrainConfig, step: int, of_D: torch.optim.Optimizer, of_G: torch.optim.Optimizer) -> None:
    """Give both optimisers what step 0, 1, … runs with."""
    factor = config.rate_at(step)
    for optimizer, chosen in ((of_D, config.optimizer_d), (of_G, config.optimizer_g)):
        now = chosen.at(step)
        for group in optimizer.param_groups:
            group.update(now, lr=now["lr"] * factor)
