"""Generators and discriminators.

A generator maps z [batch, z_dim] to samples and has `z_dim`, `sample_shape` and `output_range` (None when unbounded).
A discriminator maps samples to logits t [batch], never to probabilities. `build(module.spec)` makes a network again.
"""

from ganlab.models.base import build
from ganlab.models.dcgan import DCGANDiscriminator, DCGANGenerator
from ganlab.models.mlp import MLPDiscriminator, MLPGenerator
from ganlab.models.mlp2014 import Discriminator2014, Generator2014, Maxout
from ganlab.models.toy import ToyDiscriminator, ToyGenerator

__all__ = [
    "DCGANDiscriminator",
    "DCGANGenerator",
    "Discriminator2014",
    "Generator2014",
    "MLPDiscriminator",
    "MLPGenerator",
    "Maxout",
    "ToyDiscriminator",
    "ToyGenerator",
    "build",
]
