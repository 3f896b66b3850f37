"""Convolutions on a line against PyTorch's, their sizes, matrices and overlaps; batch norm against PyTorch's."""

import math
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from ganlab.diagrams import kernel_at, matrices, overlap_counts
from ganlab.errors import ConfigError
from ganlab.plots import in_words
from ganlab.theory import normalisation as bn
from ganlab.theory.convolution import (
    convolve,
    matrix_of,
    output_size,
    overlaps,
    overlaps_evenly,
    slack,
    span,
    transpose_convolve,
    transposed_size,
)

numbers = st.integers(-5, 5)
geometry = {
    "kernel": st.lists(numbers, min_size=1, max_size=6),
    "stride": st.integers(1, 4),
    "padding": st.integers(0, 3),
    "dilation": st.integers(1, 3),
}


def line(values: list[int]) -> Tensor:
    return torch.tensor([[list(map(float, values))]], dtype=torch.float64)


@given(x=st.lists(numbers, min_size=1, max_size=12), **geometry)
def test_a_convolution_is_pytorchs(x: list[int], kernel: list[int], stride: int, padding: int, dilation: int):
    assume(slack(len(x), len(kernel), padding, dilation) >= 0)
    found = convolve(x, kernel, stride, padding, dilation)
    wanted = F.conv1d(line(x), line(kernel), stride=stride, padding=padding, dilation=dilation)[0, 0]
    assert found == wanted.tolist()
    assert len(found) == output_size(len(x), len(kernel), stride, padding, dilation)


@given(y=st.lists(numbers, min_size=1, max_size=8), more=st.integers(0, 3), **geometry)
def test_a_transposed_convolution_is_pytorchs(
    y: list[int], kernel: list[int], stride: int, padding: int, dilation: int, more: int
):
    assume(more < max(stride, dilation))
    assume(transposed_size(len(y), len(kernel), stride, padding, dilation, more) >= 1)
    found = transpose_convolve(y, kernel, stride, padding, dilation, more)
    options: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "output_padding": more}
    wanted = F.conv_transpose1d(line(y), line(kernel), **options)[0, 0]
    assert found == wanted.tolist()
    assert len(found) == transposed_size(len(y), len(kernel), stride, padding, dilation, more)


@given(size=st.integers(1, 10), **geometry)
def test_the_matrices_of_both_are_transposes(size: int, kernel: list[int], stride: int, padding: int, dilation: int):
    left = slack(size, len(kernel), padding, dilation)
    assume(left >= 0)
    C = matrix_of(lambda x: convolve(x, kernel, stride, padding, dilation), size)
    rest = left % stride
    back = matrix_of(lambda y: transpose_convolve(y, kernel, stride, padding, dilation, rest), C.rows)
    assert back == C.T
    assert C.shape == (output_size(size, len(kernel), stride, padding, dilation), size)


@given(kernel=st.integers(1, 9), stride=st.integers(1, 5), dilation=st.integers(1, 3))
def test_overlaps_are_what_one_counts(kernel: int, stride: int, dilation: int):
    counts = transpose_convolve([1] * 60, [1] * kernel, stride, 0, dilation)
    start = stride * math.ceil(span(kernel, dilation) / stride)  # a place of phase 0, away from the ends
    found = overlaps(kernel, stride, dilation)
    assert counts[start : start + stride] == found
    assert sum(found) == kernel
    assert overlaps_evenly(kernel, stride, dilation) == (len(set(found)) == 1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="a kernel over 5 places does not fit into 2 \\+ 2·1"):
        convolve([1, 2], [1, 2, 3], padding=1, dilation=2)
    with pytest.raises(ConfigError, match="padding 3 cuts all 4 places off"):
        transpose_convolve([1, 2], [1, 2, 3], padding=3)


def test_drawings_hold_the_numbers_and_say_what_they_show():
    figure = kernel_at([1, 0, 2, 1, 2], [2, 7, 5], [1, 2, 3], 2, 1, range(3), title="Read both ways")
    words = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert "$y_1$ = 1·0 + 2·2 + 3·1 = 7" in words[2]
    assert words[5][-6:-1] == ["4", "13", "14", "26", "10"]
    assert in_words(figure).startswith("Read both ways. convolution: the kernel gathers")
    C = matrix_of(lambda x: convolve(x, [1, 2, 3], 2, 1), 5)
    (axes,) = matrices({"C": C}, title="A matrix").axes
    assert [text.get_text() for text in axes.texts] == ["2", "3", *"···", "·", "1", "2", "3", "·", *"···", "1", "2"]
    first, second = overlap_counts([(3, 2), (4, 2)], size=4, title="Overlaps").axes
    heights = [[bar.get_height() for bar in axes.patches] for axes in (first, second)]  # pyright: ignore[reportAttributeAccessIssue]
    assert heights == [[1, 1, 2, 1, 2, 1, 2, 1, 1], [1, 1, 2, 2, 2, 2, 2, 2, 1, 1]]


# Batch norm ---------------------------------------------------------------------------------------------------------


@given(
    x=st.lists(st.floats(-3, 3), min_size=2, max_size=6),
    gamma=st.floats(0.2, 2),
    beta=st.floats(-1, 1),
    eps=st.floats(1e-4, 0.9),
)
def test_batch_norm_and_its_gradient_are_pytorchs(x: list[float], gamma: float, beta: float, eps: float):
    inputs = torch.tensor(x, dtype=torch.float64).unsqueeze(1).requires_grad_()
    gain, shift = (torch.tensor([value], dtype=torch.float64) for value in (gamma, beta))
    out = F.batch_norm(inputs, None, None, gain, shift, training=True, eps=eps)
    np.testing.assert_allclose(out[:, 0].tolist(), list(map(float, bn.normalise(x, eps, gamma, beta))), atol=1e-9)
    slopes = torch.linspace(-1, 2, len(x), dtype=torch.float64)
    (wanted,) = torch.autograd.grad((out[:, 0] * slopes).sum(), inputs)
    found = bn.gradient(x, slopes.tolist(), eps, gamma)
    np.testing.assert_allclose(wanted[:, 0].tolist(), list(map(float, found)), atol=1e-7, rtol=1e-7)


@given(batches=st.integers(0, 30), first=st.floats(-2, 2), value=st.floats(-2, 2))
def test_running_averages_are_pytorchs(batches: int, first: float, value: float):
    norm = torch.nn.BatchNorm1d(1, momentum=0.25).double()
    assert norm.running_mean is not None
    norm.running_mean.fill_(first)
    for _ in range(batches):
        norm(torch.tensor([[value - 1], [value + 1]], dtype=torch.float64))
    found = bn.running(first, value, batches).subs(bn.momentum, sp.Rational(1, 4)) if batches else first
    assert float(norm.running_mean) == pytest.approx(float(found), abs=1e-9)


def test_mean_and_variance_are_numpys():
    x = [1.0, 4.0, -2.0, 0.5]
    assert float(bn.mean(x)) == pytest.approx(np.mean(x))
    assert float(bn.variance(x)) == pytest.approx(np.var(x))
    assert [str(symbol) for symbol in bn.batch(3)] == ["x_1", "x_2", "x_3"]
