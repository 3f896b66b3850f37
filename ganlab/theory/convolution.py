"""Convolutions on a line and their transposes: sizes, values, matrices, and how evenly kernels overlap.

As in the papers and in PyTorch a "convolution" slides its kernel without turning it round (mathematicians call that a
cross-correlation). In the plane each direction has its own size, stride and padding, and all that is said here holds
for each. Names follow Dumoulin & Visin (2016): size n, kernel k, stride s, padding p; dilation d, output padding o.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from ganlab.errors import ConfigError

n, m, k, s, d = sp.symbols("n m k s d", positive=True, integer=True)
"""Sizes of input and output, of the kernel, stride and dilation."""
p, o = sp.symbols("p o", nonnegative=True, integer=True)
"""Padding on each side, and output padding: what is added at one end of a transposed convolution."""


def span(kernel: Any, dilation: Any = 1) -> Any:
    """How many places a kernel covers, with the gaps between its entries."""
    return dilation * (kernel - 1) + 1


def slack(size: Any, kernel: Any, padding: Any = 0, dilation: Any = 1) -> Any:
    """How far the kernel can move from its first position to its last place, in places of the padded input."""
    return size + 2 * padding - span(kernel, dilation)


def output_size(size: Any, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> Any:
    """The number of positions of the kernel, ⌊slack / stride⌋ + 1: an integer, or an expression of symbols."""
    return _floor(slack(size, kernel, padding, dilation), stride) + 1


def transposed_size(
    size: Any, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, output_padding: Any = 0
) -> Any:
    """The size that a transposed convolution makes of `size`: (size − 1)·stride − 2·padding + span + output padding."""
    return (size - 1) * stride - 2 * padding + span(kernel, dilation) + output_padding


def convolve(
    x: Sequence[Any], kernel: Sequence[Any], stride: int = 1, padding: int = 0, dilation: int = 1
) -> list[Any]:
    """Each output *gathers*: y_i = Σ_j w_j x_{i·stride + j·dilation − padding}, with 0 outside of x.

    Raises `ConfigError` where the kernel does not fit.
    """
    positions = output_size(len(x), len(kernel), stride, padding, dilation)
    if positions < 1:
        covered = span(len(kernel), dilation)
        raise ConfigError(f"a kernel over {covered} places does not fit into {len(x)} + 2·{padding}; give more places.")
    places = [[i * stride + j * dilation - padding for j in range(len(kernel))] for i in range(positions)]
    inside = range(len(x))
    return [sum((w * x[a] for w, a in zip(kernel, row, strict=True) if a in inside), 0) for row in places]


def transpose_convolve(
    y: Sequence[Any],
    kernel: Sequence[Any],
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    output_padding: int = 0,
) -> list[Any]:
    """Each input *scatters*: y_i adds y_i·w_j to place i·stride + j·dilation − padding.

    Raises `ConfigError` where nothing is left.
    """
    size = transposed_size(len(y), len(kernel), stride, padding, dilation, output_padding)
    if size < 1:
        raise ConfigError(f"padding {padding} cuts all {size + 2 * padding} places off; give less.")
    x: list[Any] = [0] * size
    for i, value in enumerate(y):
        for j, weight in enumerate(kernel):
            place = i * stride + j * dilation - padding
            if place in range(size):
                x[place] += value * weight
    return x


def matrix_of(linear: Callable[[Sequence[Any]], Sequence[Any]], size: int) -> sp.Matrix:
    """The matrix of a linear map on sequences of this size: its columns are what becomes of the unit vectors."""
    return sp.Matrix([linear([sp.Integer(i == j) for i in range(size)]) for j in range(size)]).T


def overlaps(kernel: Any, stride: int, dilation: int = 1) -> list[Any]:
    """How many kernel entries of a transposed convolution meet at a place of each phase 0 … stride − 1, away from ends.

    A place and the next one of its phase are `stride` apart; entry j reaches phase j·dilation mod stride. `kernel` may
    be an expression of the form stride·q + r, if dilation is 1.
    """
    if dilation == 1:
        return [_floor(kernel - 1 - phase, stride) + 1 for phase in range(stride)]
    return [sum(1 for j in range(kernel) if j * dilation % stride == phase) for phase in range(stride)]


def overlaps_evenly(kernel: int, stride: int, dilation: int = 1) -> bool:
    """Whether all phases meet equally many entries: where the stride divides the kernel and, unless it is 1, has no
    divisor in common with the dilation."""
    return kernel % stride == 0 and math.gcd(stride, dilation) == 1


def _floor(dividend: Any, divisor: Any) -> Any:
    if isinstance(dividend, int) and isinstance(divisor, int):
        return dividend // divisor
    return sp.floor(sp.expand(dividend / sp.sympify(divisor)))
