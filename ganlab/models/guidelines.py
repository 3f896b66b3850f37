"""DCGAN's guidelines (Radford, Metz & Chintala 2015, sec. 3 and 4) as checks that read any pair of networks.

Seven rows: the five guidelines of sec. 3, D's output, and the first weights of sec. 4.
`check(G, D)` sends an example batch through copies of both and reads what torch runs (`ganlab.models.traced`), so that
it does not matter whether a network is made of modules, of functions, or of both.
"""

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError
from ganlab.models.traced import Step, Trace, trace

STD = 0.02
SIGMAS = 5
"""A mean, a spread or a share is taken for another one beyond so many of its own standard errors."""
LARGEST_EPS = 1e-3
MARKS = {True: "✓", False: "✗", None: "?"}


@dataclass(frozen=True)
class Finding:
    """One guideline. `kept` is None where it could not be read; `said` is a sentence that names the layers."""

    guideline: str
    kept: bool | None
    said: str


@dataclass(frozen=True)
class Report:
    """All guidelines, as a table: HTML in a notebook, text elsewhere."""

    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the guidelines that are not kept."""
        return tuple(finding.guideline for finding in self.findings if finding.kept is False)

    @property
    def unread(self) -> tuple[str, ...]:
        """The names of those that could not be read."""
        return tuple(finding.guideline for finding in self.findings if finding.kept is None)

    def __str__(self) -> str:
        wide = max(len(finding.guideline) for finding in self.findings)
        return "\n".join(f"{MARKS[f.kept]} {f.guideline:<{wide}}  {f.said}" for f in self.findings)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cell = '<td style="text-align: left">'
        rows = (
            f"<tr>{cell}{MARKS[f.kept]}</td>{cell}{html.escape(f.guideline)}</td>{cell}{html.escape(f.said)}</td></tr>"
            for f in self.findings
        )
        return f"<table>{''.join(rows)}</table>"


def check(
    G: nn.Module, D: nn.Module, *, z: Tensor | None = None, x: Tensor | None = None, y: Tensor | None = None
) -> Report:
    """Which of DCGAN's guidelines a pair keeps, with the layers that break the others. The networks stay as they are.

    z    an example batch for G, [batch ≥ 2, …]; by default normal numbers [4, G.z_dim]
    x    an example batch for D; by default what G makes of z
    y    labels [batch] for both; by default 0, 1, … where G says how many `classes` there are, else none

    The weights are judged as they are: after a training they are no longer as they were drawn. Raises `ConfigError`
    where G has no `z_dim` and no z is given, `ShapeError` where a network cannot be run or gives no single tensor.
    """
    if z is None:
        if not isinstance(z_dim := getattr(G, "z_dim", None), int):
            raise ConfigError("G has no z_dim; give z, an example batch for it.")
        like = next(iter(G.parameters()), torch.zeros(()))
        z = torch.randn(4, z_dim, generator=torch.Generator().manual_seed(0)).to(like.device)
    if y is None and isinstance(classes := getattr(G, "classes", None), int):
        y = torch.arange(len(z), device=z.device) % classes
    labels = () if y is None else (y,)
    of_G = trace(G, z, *labels, name="G")
    of_D = trace(D, of_G.output if x is None else x, *labels, name="D")
    made = [guideline(of_G, of_D) for guideline in GUIDELINES]
    return Report(tuple(_or_unread(finding, of_G, of_D) for finding in made))


def _or_unread(finding: Finding, of_G: Trace, of_D: Trace) -> Finding:
    """A guideline that seems kept is not known to be, where something on the way could not be read."""
    player = {"G": (of_G,), "D": (of_D,)}.get(finding.guideline.partition(":")[0], (of_G, of_D))
    unread = [
        f"{name} holds {step.what}{_at(step)}, which cannot be read"
        for name, network in (("G", of_G), ("D", of_D))
        if network in player
        for step in network.steps
        if step.kind == "unread"
    ]
    unread += [
        f"{name}'s output does not come from its input by operations that can be seen"
        for name, network in (("G", of_G), ("D", of_D))
        if network in player and not network.reaches
    ]
    if finding.kept is not True or not unread or finding.guideline == "initialisation":
        return finding
    return Finding(finding.guideline, None, _sentence(unread))


def _strides(of_G: Trace, of_D: Trace) -> Finding:
    """Guideline 1 (C9)."""
    faults = [*_other_than_strides("G", of_G, "transposed convolution"), *_other_than_strides("D", of_D, "convolution")]
    return _finding("strides instead of pooling", faults, "every change of size is a convolution with stride 2")


def _other_than_strides(name: str, network: Trace, wanted: str) -> Iterable[str]:
    yield from (f"{name} holds {step.what}{_at(step)}" for step in network.steps if step.kind in ("pool", "up"))
    resizing = [step for step in network.steps if step.kind in ("layer", "pool", "up") and step.resizes]
    for layer in network.layers:
        if layer.what != "linear" and layer.resizes and not _is_end(layer, network):
            stride = layer.options["stride"]
            if set(stride) != {2} or layer.what != wanted:
                sizes = " × ".join(map(str, dict.fromkeys(stride)))
                yield f"{name}'s {layer.what}{_at(layer)} changes the size of its maps with stride {sizes}"
        yield from _resized_between(name, layer)
    if all(_is_end(step, network) for step in resizing):
        yield f"{name} has no {wanted} with stride 2"


def _resized_between(name: str, layer: Step) -> Iterable[str]:
    """Maps that are repeated, or left out, by moving numbers alone; padding is no part of it."""
    if not any(step.kind in ("pool", "up") or "pad" in step.what for step in layer.since_last_layer()):
        for earlier in layer.layers_before:
            before, after = earlier.shape_out[2:], layer.shape_in[2:]
            if before and after and before != after:
                sizes = " to ".join("×".join(map(str, size)) for size in (before, after))
                yield f"{name}'s maps change from {sizes} before {_called(layer)}"


def _is_end(layer: Step, network: Trace) -> bool:
    """Whether a layer turns one place into a map, as G's first may, or a map into one place, as D's last may."""
    places_in, places_out = (math.prod(shape[2:]) for shape in (layer.shape_in, layer.shape_out))
    return (network.is_first(layer) and places_in == 1) or (network.is_last(layer) and places_out == 1)


def _batch_norm(of_G: Trace, of_D: Trace) -> Finding:
    """Guideline 2 (C10)."""
    faults = []
    for name, network in (("G", of_G), ("D", of_D)):
        for layer in network.layers:
            after = layer.until_next_layer()
            normed = [step for step in after if step.kind == "batch norm"]
            other = [step.what for step in after if step.kind == "norm"]
            output, first_of_D = network.is_last(layer), name == "D" and network.is_first(layer)
            if normed and (output or first_of_D):
                which = "output" if output else "first layer"
                faults.append(f"batch norm{_at(normed[0])} follows {name}'s {which}{_at(layer)}")
            if not normed and not output and not first_of_D:
                faults.append(f"{other[0] if other else 'no batch norm'} follows {name}'s {layer.what}{_at(layer)}")
        on_input = [step for first in network.layers if network.is_first(first) for step in first.since_last_layer()]
        faults += [f"batch norm{_at(step)} sees {name}'s input" for step in on_input if step.kind == "batch norm"]
        faults += [
            f"{name}'s batch norm{_at(step)} has ε = {step.options['eps']:g}, as large as a variance"
            for step in network.steps
            if step.kind == "batch norm" and step.options["eps"] > LARGEST_EPS
        ]
    return _finding("batch norm", faults, "after every layer but G's last, D's first and D's last")


def _no_hidden_linear(of_G: Trace, of_D: Trace) -> Finding:
    """Guideline 3 (C11). A convolution that sees its whole map and gives one place is fully connected, too."""
    faults = []
    for name, network in (("G", of_G), ("D", of_D)):
        for layer in network.layers:
            whole = math.prod(layer.shape_out[2:]) == 1 and layer.what != "linear"
            end = network.is_first(layer) if name == "G" else network.is_last(layer)
            if not end and (layer.what == "linear" or whole):
                faults.append(f"{name}'s {layer.what}{_at(layer)} connects everything with everything")
    return _finding("no hidden fully connected layer", faults, "only G's first and D's last layer may be one")


def _leaky(of_G: Trace, of_D: Trace) -> Finding:  # noqa: ARG001 (all guidelines take both)
    """Guideline 5 (C12), with the slope of the paper's sec. 4."""
    faults = [*_other_than("LeakyReLU", "D", of_D)]
    for step in of_D.steps:
        slope = step.options.get("slope", 0.2)
        if not math.isclose(slope, 0.2, rel_tol=1e-3):
            faults.append(f"D's LeakyReLU{_at(step)} has slope {slope:g}")
    return _finding("D: LeakyReLU", faults, "slope 0.2 after every hidden layer")


def _relu_and_tanh(of_G: Trace, of_D: Trace) -> Finding:  # noqa: ARG001
    """Guideline 4 (C13)."""
    faults = [*_other_than("ReLU", "G", of_G)]
    for layer in filter(of_G.is_last, of_G.layers):
        ends = [step.what for step in layer.until_next_layer() if step.kind == "activation"]
        if ends != ["tanh"]:
            faults.append(f"G ends in {' and '.join(ends) or 'no activation'} after {_called(layer)}")
    return _finding("G: ReLU, tanh at the end", faults, "ReLU after every hidden layer, tanh after the last")


def _other_than(wanted: str, name: str, network: Trace) -> Iterable[str]:
    """What is wrong with the activations between the layers of a network."""
    for layer in network.layers:
        if not network.is_last(layer):
            found = [step.what for step in layer.until_next_layer() if step.kind == "activation"]
            for what in found or ["no activation"]:
                if what != wanted:
                    yield f"{what} follows {name}'s {layer.what}{_at(layer)}"


def _output_of_D(of_G: Trace, of_D: Trace) -> Finding:  # noqa: ARG001
    """The paper's sigmoid, or the raw logit of which a loss takes it."""
    faults, kinds = [], set()
    for layer in filter(of_D.is_last, of_D.layers):
        ends = [step.what for step in layer.until_next_layer() if step.kind == "activation"]
        kinds.add("a sigmoid" if ends else "raw logits")
        if ends not in ([], ["sigmoid"]):
            faults.append(f"D ends in {' and '.join(ends)} after {_called(layer)}")
    return _finding("D: raw logits or sigmoid", faults, " and ".join(sorted(kinds)))


def _initialisation(of_G: Trace, of_D: Trace) -> Finding:
    """Weights N(0, 0.02²) (sec. 4), and gains that are 1 or N(1, 0.02²), as in the authors' code."""
    faults, unknown = [], []
    for name, network in (("G", of_G), ("D", of_D)):
        unknown += [f"{name}'s {key} has no values before its first batch" for key in network.lazy]
        owners = {key.rpartition(".")[0] for key in network.lazy}
        for step in network.steps:
            if step.kind == "layer" and step.where not in owners:
                faults += [f"{name}'s weights{_at(step)} {fault}" for fault in _not_normal(step.options["weight"])]
            gain = step.options.get("gain")
            if gain is not None and step.where not in owners and (fault := _not_one(gain)):
                faults.append(f"{name}'s gain{_at(step)} {fault}")
    if not faults and unknown:
        return Finding("initialisation", None, _sentence(unknown))
    return _finding("initialisation", faults, "weights N(0, 0.02²), gains of batch norm about 1")


def _not_normal(weight: Tensor) -> Iterable[str]:
    """How a weight differs from N(0, 0.02²), beyond chance: the first of spread, mean and shape."""
    w = weight.detach().double().flatten()
    n, std, mean = len(w), float((w.square().mean()).sqrt()), float(w.mean())
    within = float((w.abs() < STD).double().mean())
    share = math.erf(1 / math.sqrt(2))  # of a normal law within one standard deviation
    if abs(std - STD) > SIGMAS * STD / math.sqrt(2 * n):
        yield f"have a standard deviation of {std:.2g}"
    elif abs(mean) > SIGMAS * STD / math.sqrt(n):
        yield f"have a mean of {mean:.2g}"
    elif abs(within - share) > SIGMAS * math.sqrt(share * (1 - share) / n):
        yield f"are not normal: {within:.0%} of them within one standard deviation, not {share:.0%}"


def _not_one(gain: Tensor) -> str:
    g = gain.detach().double()
    n, mean, off = len(g), float(g.mean()), float((g - 1).square().mean().sqrt())
    if abs(mean - 1) > SIGMAS * STD / math.sqrt(n):
        return f"is {round(mean, 2) + 0.0:g} on average, not 1"
    return f"lies {off:.2g} off 1, not 0.02" if off > STD * (1 + SIGMAS / math.sqrt(2 * n)) else ""


def _finding(guideline: str, faults: Sequence[str], fine: str) -> Finding:
    return Finding(guideline, not faults, _sentence(faults) if faults else fine)


def _sentence(parts: Sequence[str]) -> str:
    """The first three, and how many more."""
    unique = list(dict.fromkeys(parts))
    more = f"; and {len(unique) - 3} more" if len(unique) > 3 else ""
    return "; ".join(unique[:3]) + more


def _at(step: Step) -> str:
    return f" ({step.where})" if step.where else ""


def _called(step: Step) -> str:
    return step.where or step.what


GUIDELINES: tuple[Callable[[Trace, Trace], Finding], ...] = (
    *(_strides, _batch_norm, _no_hidden_linear, _leaky),
    *(_relu_and_tanh, _output_of_D, _initialisation),
)
