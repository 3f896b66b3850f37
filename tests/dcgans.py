"""DCGAN's guidelines by name, and what the check says of one."""

from torch import Tensor, nn

from ganlab.models.guidelines import check

STRIDES, NORM, LINEAR = "strides instead of pooling", "batch norm", "no hidden fully connected layer"
LEAKY, RELU, OUTPUT, WEIGHTS = "D: LeakyReLU", "G: ReLU, tanh at the end", "D: raw logits or sigmoid", "initialisation"


def said_of(guideline: str, G: nn.Module, D: nn.Module, **examples: Tensor) -> str:
    (finding,) = [f for f in check(G, D, **examples).findings if f.guideline == guideline]
    return finding.said
