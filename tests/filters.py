"""A small network of two convolutions with its images: what the tests of guided backpropagation share."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

X = torch.rand(6, 2, 6, 6, generator=torch.Generator().manual_seed(1)) * 2 - 1


class Plain(nn.Module):
    """Two convolutions and an answer, with the rectifier as anything that can be called."""

    def __init__(self, rectify: Callable[[Tensor], Tensor], seed: int = 0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.a, self.b = nn.Conv2d(2, 4, 3, 2, 1), nn.Conv2d(4, 5, 3, padding=1)
            self.norm, self.answer = nn.BatchNorm2d(5), nn.Linear(45, 1)
            with torch.no_grad():
                self.norm.running_mean.normal_()  # pyright: ignore[reportOptionalMemberAccess]
                self.norm.running_var.uniform_(0.5, 2)  # pyright: ignore[reportOptionalMemberAccess]
                self.norm.weight.uniform_(-2, 2)
        self.rectify = rectify

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.rectify(self.norm(self.b(self.rectify(self.a(x))))).flatten(1)).flatten()
