"""What a network does to an example batch, read from the operations that torch runs rather than from class names.

A dispatch mode sees every operation below modules and functions: `nn.ReLU`, `F.relu`, `x.relu()` and a compiled graph
that falls back all end in one `relu`. Hooks tell in which module it happened. What is kept is the way of the images
alone: operations on weights, such as spectral norm's, are none of its steps.
"""

import copy
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from torch.utils._python_dispatch import TorchDispatchMode

from ganlab.errors import ShapeError


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACTIVATIONS = _names(
    "relu leaky_relu tanh sigmoid elu gelu silu mish softplus _prelu_kernel prelu hardtanh hardsigmoid hardswish"
    " log_sigmoid_forward threshold rrelu rrelu_with_noise _softmax _log_softmax softmax"
)
SPOKEN = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "prelu": "PReLU"}
POOLS = ("max_pool", "avg_pool", "adaptive_", "_adaptive", "fractional_")
REDUCTIONS = frozenset(["mean", "sum", "amax", "max"])
"""Pools where they are taken over the places of a map."""
UPS = ("upsample_", "pixel_shuffle", "repeat_interleave", "grid_sampler", "_upsample")
NORMS = ("native_layer_norm", "native_group_norm", "_fused_rms_norm")
PLAIN = _names(
    "view _unsafe_view reshape _reshape_alias as_strided alias t transpose permute unsqueeze squeeze expand clone"
    " detach lift_fresh _to_copy copy_ slice select split split_with_sizes unbind cat stack add sub rsub neg mul div"
    " native_dropout bernoulli constant_pad_nd reflection_pad1d reflection_pad2d replication_pad2d pad roll flip"
    " contiguous narrow index_select"
)
SHAPES_ONLY = _names(
    "empty_like zeros_like ones_like full_like rand_like randn_like new_empty new_zeros new_ones new_full"
)
"""What takes a tensor's shape alone, as dropout does for its mask."""
OF_TWO = frozenset(["mul", "div"])
"""Plain with a number or a weight; a product of two things that come from the input is not."""


@dataclass(eq=False)
class Step:
    """One operation on the way from the input to the output.

    kind     "layer" (weights: convolution, transposed convolution, linear), "batch norm", "norm", "activation", "pool",
             "up", "plain" (moves or adds numbers) or "unread"
    what     the operation, such as "convolution", "transposed convolution", "linear", "ReLU", "max_pool2d"
    where    the name of the module in which it ran, with the number of the call where there are several
    before   the steps whose results it takes; empty at the input
    shape_in, shape_out    of what it takes and gives
    options  stride, slope, eps, and the like
    """

    kind: str
    what: str
    where: str
    before: tuple["Step", ...]
    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    after: list["Step"] = field(default_factory=list)

    @property
    def origin(self) -> list["Step"]:
        """All steps that it comes from, and itself."""
        found: dict[int, Step] = {id(self): self}
        waiting: list[Step] = [self]
        while waiting:
            for step in waiting.pop().before:
                if id(step) not in found:
                    found[id(step)] = step
                    waiting.append(step)
        return list(found.values())

    def until_next_layer(self) -> list["Step"]:
        """The steps that follow it before the next layers, those excluded."""
        return [step for step in _walk(self.after, "after") if step.kind != "layer"]

    def since_last_layer(self) -> list["Step"]:
        """The steps that it follows since the layers before it, those excluded."""
        return [step for step in _walk(self.before, "before") if step.kind != "layer"]

    @property
    def layers_before(self) -> list["Step"]:
        """The layers that come right before it."""
        return [step for step in _walk(self.before, "before") if step.kind == "layer"]

    @property
    def resizes(self) -> bool:
        """Whether it gives maps of another size than it takes."""
        return self.shape_in[2:] != self.shape_out[2:]


def _walk(steps: Sequence[Step], side: str) -> Iterator[Step]:
    """All steps on one side, each once, not beyond a layer."""
    waiting, seen = list(steps), set()
    while waiting:
        step = waiting.pop()
        if id(step) not in seen:
            seen.add(id(step))
            yield step
            if step.kind != "layer":
                waiting += getattr(step, side)


@dataclass(frozen=True)
class Trace:
    """A network's steps in the order in which they ran, and its output.

    lazy     names of weights that had no values before the first batch
    reaches  whether the output comes from the input by operations that could be seen
    """

    steps: tuple[Step, ...]
    output: Tensor
    lazy: tuple[str, ...]
    reaches: bool

    @property
    def layers(self) -> list[Step]:
        """The steps with weights."""
        return [step for step in self.steps if step.kind == "layer"]

    def is_first(self, layer: Step) -> bool:
        """Whether no layer comes before it."""
        return not any(step.kind == "layer" for step in _walk(layer.before, "before"))

    def is_last(self, layer: Step) -> bool:
        """Whether no layer comes after it."""
        return not any(step.kind == "layer" for step in _walk(layer.after, "after"))


def trace(network: nn.Module, *inputs: Tensor, name: str = "the network") -> Trace:
    """Run a copy of a network, in training mode, on an example batch, and note its steps. The network stays as it is.

    Raises `ShapeError` where the network cannot be copied or run, or gives something else than one tensor.
    """
    network = getattr(network, "_orig_mod", network)  # what torch.compile was given
    lazy = tuple(key for key, p in network.named_parameters() if isinstance(p, UninitializedParameter))
    # These alone cannot be copied.
    unborn = {
        id(b): UninitializedBuffer(device=b.device, dtype=b.dtype)  # pyright: ignore[reportCallIssue]
        for b in network.buffers()
        if is_lazy(b)
    }
    recorder = Recorder(inputs)
    try:
        twin = copy.deepcopy(network, unborn).train()
        recorder.watch(twin)
        with torch.no_grad(), torch.random.fork_rng(devices=[]), recorder:
            output = twin(*inputs)
    except Exception as error:
        shapes = ", ".join(str(list(x.shape)) for x in inputs)
        place = f" in {recorder.last}" if recorder.last else ""
        raise ShapeError(
            f"{name} on an example {shapes} raised {type(error).__name__}{place}; give an example batch that it takes."
        ) from error
    if not isinstance(output, Tensor):
        raise ShapeError(f"{name} gives a {type(output).__name__}; give a module that returns one tensor.")
    steps = recorder.kept(output)
    return Trace(steps, output, lazy, bool(steps))


class Recorder(TorchDispatchMode):
    """Notes the operations on what comes from the inputs. Tensors are kept, so that their ids stay their own."""

    def __init__(self, inputs: Sequence[Tensor]):
        super().__init__()
        self.batch = len(inputs[0])
        self.made: dict[int, Step | None] = {id(x): None for x in inputs}  # the step that made a tensor; None: an input
        self.alive: list[Tensor] = list(inputs)
        self.steps: list[Step] = []
        self.inside: list[str] = []
        self.calls: Counter[str] = Counter()
        self.last = ""

    def watch(self, network: nn.Module) -> None:
        """Note which module runs; a scripted one cannot be asked, its operations are seen all the same."""
        for name, module in network.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue
            module.register_forward_pre_hook(lambda _module, _args, name=name: self._enter(name))
            module.register_forward_hook(lambda *_: self._leave(), always_call=True)

    def _enter(self, name: str) -> None:
        self.calls[name] += 1
        number = self.calls[name]
        self.last = name if number == 1 else f"{name} (call {number})"
        self.inside.append(self.last)

    def _leave(self) -> None:
        self.inside.pop()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = [a for a in _flat([*args, *(kwargs or {}).values()]) if isinstance(a, Tensor)]
        taken = [a for a in tensors if id(a) in self.made]
        if taken:
            self._note(func.overloadpacket.__name__, args, kwargs or {}, taken, result)
        return result

    def _note(self, op: str, args: Any, kwargs: dict[str, Any], taken: list[Tensor], result: Any) -> None:
        outputs = [r for r in _flat([result]) if isinstance(r, Tensor)]
        if op in SHAPES_ONLY or not outputs or not outputs[0].is_floating_point():
            return  # nothing of the values, a comparison, an index, a number for the host
        kind, what, options = _read(op, args, kwargs, taken, outputs, self.batch)
        before = tuple(step for step in (self.made[id(a)] for a in taken) if step is not None)
        where = self.inside[-1] if self.inside else ""
        step = Step(kind, what, where, before, tuple(taken[0].shape), tuple(outputs[0].shape), options)
        for earlier in before:
            earlier.after.append(step)
        self.steps.append(step)
        for tensor in outputs:
            self.made[id(tensor)] = step
            self.alive.append(tensor)

    def kept(self, output: Tensor) -> tuple[Step, ...]:
        """The steps that the output comes from, in order; none where it does not come from the input."""
        last = self.made.get(id(output))
        if last is None:
            return ()
        needed = {id(step) for step in last.origin}
        for step in self.steps:
            step.after = [later for later in step.after if id(later) in needed]
        return tuple(step for step in self.steps if id(step) in needed)


def _read(
    op: str, args: Any, kwargs: dict[str, Any], taken: list[Tensor], outputs: list[Tensor], batch: int
) -> tuple[str, str, dict]:
    """Kind, name and options of one operation, by the name that torch gives it."""
    bare = op if op in PLAIN else op.rstrip("_")
    if bare in ("convolution", "convolution_overrideable", "mkldnn_convolution", "cudnn_convolution"):
        transposed = bare.startswith("convolution") and bool(args[6])
        what = "transposed convolution" if transposed else "convolution"
        return "layer", what, {"weight": args[1], "stride": tuple(args[3])}
    if bare in ("mm", "addmm", "linear", "matmul", "bmm", "baddbmm", "addmv", "mv"):
        return _read_product(bare, args, taken)
    if "batch_norm" in bare:
        return _read_norm(args, taken, batch)
    if bare in NORMS:
        return "norm", bare.removeprefix("native_").removeprefix("_fused_"), {}
    if bare == "clamp_min" or (bare == "clamp" and len(args) > 1 and args[1] == 0 and args[2:] in ((), (None,))):
        zero = (args[1] if len(args) > 1 else kwargs.get("min")) == 0
        return ("activation", "ReLU", {}) if zero else ("unread", bare, {})
    if bare in ACTIVATIONS:
        slope = {"slope": args[1] if len(args) > 1 else 0.01} if bare == "leaky_relu" else {}
        what = bare.strip("_").removesuffix("_kernel").removesuffix("_forward")
        return "activation", SPOKEN.get(what, what), slope
    if bare.startswith(UPS):
        return "up", bare.strip("_").removesuffix("_vec"), {}
    if bare.startswith(POOLS) or (bare in REDUCTIONS and _over_places(taken[0], outputs[0])):
        return "pool", bare.strip("_").removesuffix("_with_indices"), {}
    if bare in OF_TWO and len({id(a) for a in taken}) > 1:
        return "unread", f"{bare} of two activations", {}
    return ("plain", bare, {}) if bare in PLAIN or op in PLAIN else ("unread", bare, {})


def _over_places(maps: Tensor, reduced: Tensor) -> bool:
    return maps.ndim > 3 and maps.shape[:2] == reduced.shape[:2]


def _read_product(op: str, args: Any, taken: list[Tensor]) -> tuple[str, str, dict]:
    factors = [a for a in (args[1:] if op.startswith("add") or op == "baddbmm" else args) if isinstance(a, Tensor)][:2]
    weights = [a for a in factors if all(a is not x for x in taken)]
    if len(weights) != 1:
        return "unread", f"{op} of two activations", {}
    return "layer", "linear", {"weight": weights[0]}


def _read_norm(args: Any, taken: list[Tensor], batch: int) -> tuple[str, str, dict]:
    """Instance norm runs as batch norm of a batch of 1 that holds all images' maps side by side."""
    if taken[0].shape[0] != batch:
        return "norm", "instance_norm", {}
    numbers = [a for a in args if isinstance(a, float)]
    gain = args[1] if isinstance(args[1], Tensor) else None
    return "batch norm", "batch_norm", {"eps": numbers[-1] if numbers else 0.0, "gain": gain}


def _flat(values: Sequence[Any]) -> list[Any]:
    lists = (_flat(value) if isinstance(value, list | tuple) else [value] for value in values)
    return list(itertools.chain.from_iterable(lists))
