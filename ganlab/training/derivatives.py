"""Whether the gradients that training takes are there: of D's logits in all weights, and of its slope where that is
paid for."""

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.training.penalties import Batches, Critic, Penalty

AWAY_FROM_0 = "keep what goes into square roots, norms and logarithms away from 0, by adding 1e-8"


def require_gradients(role: str, model: nn.Module, t: Tensor, fake: Tensor | None = None) -> None:
    """Raise `ConfigError` unless the gradient of D's logits t reaches a network's weights, finite, as Adam and SGD take
    it; G's (`fake` is what it gives) through D."""
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    name = type(model).__name__
    found = _gradients(role, name, t, trained)
    if all(gradient is None for gradient in found):
        raise _cut_off(role, name, by_G=fake is not None and not _moves(fake, trained))
    there = {name: gradient for name, gradient in zip(trained, found, strict=True) if gradient is not None}
    if sparse := [name for name, gradient in there.items() if gradient.is_sparse]:
        raise ConfigError(
            f"{role}'s {sparse[0]} has sparse gradients, which the optimisers do not take; make it with sparse=False."
        )
    norms = torch.stack(torch._foreach_norm(list(there.values())))  # pyright: ignore[reportPrivateImportUsage]
    finite = norms.isfinite().all()  # all at once: a look at each takes milliseconds
    if not finite and (endless := [name for name, gradient in there.items() if not gradient.isfinite().all()]):
        raise ConfigError(
            f"the gradient of D's output in {role}'s {endless[0]} is NaN or infinite on a first batch; {AWAY_FROM_0}."
        )
    if fake is not None and not norms.any():
        by_G = not _moves(fake, trained)
        if by_G or not _one_number(t):  # of a D whose last weights are 0 none comes back in the first step alone
            raise _cut_off(role, name, by_G=by_G)


def _gradients(role: str, name: str, t: Tensor, trained: dict[str, nn.Parameter]) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of logits t in a network's weights; none where t has none."""
    if not t.requires_grad:
        return ()
    try:
        return torch.autograd.grad(t.float().sum(), list(trained.values()), allow_unused=True, retain_graph=True)
    except Exception as error:  # a layer of one's own may raise anything
        overwritten = "inplace operation" in str(error)
        why = (
            "a layer overwrites what the backward pass needs; set inplace=False in its activations"
            if overwritten
            else f"the backward pass of a layer raises {type(error).__name__}; mend it, or take another layer"
        )
        raise ConfigError(f"no gradient comes back to {role} ({name}): {why}.") from error


def _cut_off(role: str, name: str, *, by_G: bool) -> ConfigError:
    """The error for a gradient that ends in one of the two forward passes."""
    does_not_use = "its trained weights" if by_G or role == "D" else "its input"
    return ConfigError(
        f"no gradient of D's output reaches the weights of {role} ({name}): {'G' if by_G else 'D'}'s forward pass cuts"
        f" it off, or does not use {does_not_use}; take detach(), no_grad() and rounding out of it."
    )


def _moves(y: Tensor, trained: dict[str, nn.Parameter]) -> bool:
    """Whether what a network gives has a gradient in its weights that is not 0."""
    if not y.requires_grad:
        return False
    unlike = torch.linspace(1, 2, y.numel(), device=y.device).view_as(y)
    found = torch.autograd.grad((y.float() * unlike).sum(), list(trained.values()), allow_unused=True)
    return any(gradient is not None and bool(gradient.any()) for gradient in found)


def _one_number(t: Tensor) -> bool:
    """Whether D gives all examples the same."""
    return bool((t == t.flatten()[0]).all())


def refuse_one_answer_for_all(D: nn.Module, t: Tensor, x: Tensor, *y: Tensor) -> None:
    """Raise `ConfigError` for a D whose logits t of a batch x are one number that is made of all examples."""
    if len(x) < 2 or not _one_number(t.detach()) or torch.equal(x, x[:1].expand_as(x)):
        return
    leaf = x.detach().clone().requires_grad_()
    first = D(leaf.clone(), *y).flatten()[0]
    (slope,) = torch.autograd.grad(first, leaf, allow_unused=True) if first.requires_grad else (None,)
    if slope is not None and slope[1:].any():
        raise ConfigError(
            "D gives all examples of a batch one number, made of them all; let it judge each alone: average over all"
            " but the first dimension."
        )


def require_second_derivative(penalty: Penalty, D: nn.Module, logits: Critic, of: Batches) -> list[str]:
    """What to say of a D that pays a penalty; raises `ConfigError` where the penalty has no gradient in D's weights."""
    weights = {name: weight for name, weight in D.named_parameters() if weight.requires_grad}
    name = type(penalty).__name__
    try:
        found = torch.autograd.grad(penalty(logits, of), list(weights.values()), allow_unused=True)
    except Exception as error:
        raise ConfigError(
            f"{name} needs the second derivative of D ({type(D).__name__}), which a layer of it has not, as the fused"
            " kernel of attention; take another layer, torch.nn.attention.sdpa_kernel(SDPBackend.MATH), or no penalty."
        ) from error
    for weight, gradient in zip(weights, found, strict=True):
        if gradient is not None and not gradient.isfinite().all():
            raise ConfigError(
                f"the gradient of {name} in D's {weight} is NaN or infinite on a first batch; {AWAY_FROM_0}."
            )
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in D.modules()):
        return [
            f"D has batch norm, which mixes the examples of a batch, and {name} is on D's slope at each alone; take"
            " LayerNorm or InstanceNorm in its place."
        ]
    return []
