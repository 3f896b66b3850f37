"""Whether the gradients that training takes are there: of D's logits in all weights, and of its slope where that is
paid for."""

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.training.penalties import Batches, Critic, Penalty


def require_gradients(role: str, model: nn.Module, t: Tensor) -> None:
    """Raise `ConfigError` unless the gradient of D's logits t reaches a network's weights, finite, as Adam and SGD take
    it."""
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    name = type(model).__name__
    found: tuple[Tensor | None, ...] = ()
    if t.requires_grad:
        try:
            found = torch.autograd.grad(t.float().sum(), list(trained.values()), allow_unused=True)
        except Exception as error:  # a layer of one's own may raise anything
            overwritten = "inplace operation" in str(error)
            why = (
                "a layer overwrites what the backward pass needs; set inplace=False in its activations"
                if overwritten
                else f"the backward pass of a layer raises {type(error).__name__}; mend it, or take another layer"
            )
            raise ConfigError(f"no gradient comes back to {role} ({name}): {why}.") from error
    if all(gradient is None for gradient in found):
        raise ConfigError(
            f"no gradient of D's output reaches the weights of {role} ({name}); take detach(), no_grad() and rounding"
            " out of both forward passes."
        )
    there = {name: gradient for name, gradient in zip(trained, found, strict=True) if gradient is not None}
    if sparse := [name for name, gradient in there.items() if gradient.is_sparse]:
        raise ConfigError(
            f"{role}'s {sparse[0]} has sparse gradients, which the optimisers do not take; make it with sparse=False."
        )
    norms = torch._foreach_norm(list(there.values()))  # pyright: ignore[reportPrivateImportUsage]
    finite = torch.stack(norms).isfinite().all()  # all at once: a look at each takes milliseconds
    if not finite and (endless := [name for name, gradient in there.items() if not gradient.isfinite().all()]):
        raise ConfigError(
            f"the gradient of D's output in {role}'s {endless[0]} is NaN or infinite on a first batch; keep what goes"
            " into square roots, norms and logarithms away from 0, by adding 1e-8."
        )


def require_second_derivative(penalty: Penalty, D: nn.Module, logits: Critic, of: Batches) -> list[str]:
    """What to say of a D that pays a penalty; raises `ConfigError` where the penalty has no gradient in D's weights."""
    weights = [parameter for parameter in D.parameters() if parameter.requires_grad]
    name = type(penalty).__name__
    try:
        torch.autograd.grad(penalty(logits, of), weights, allow_unused=True)
    except Exception as error:
        raise ConfigError(
            f"{name} needs the second derivative of D ({type(D).__name__}), which a layer of it has not, as the fused"
            " kernel of attention; take another layer, torch.nn.attention.sdpa_kernel(SDPBackend.MATH), or no penalty."
        ) from error
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in D.modules()):
        return [
            f"D has batch norm, which mixes the examples of a batch, and {name} is on D's slope at each alone; take"
            " LayerNorm or InstanceNorm in its place."
        ]
    return []
