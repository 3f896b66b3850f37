"""Generators and discriminators.

A generator maps z [batch, z_dim] to samples and has `z_dim`, `sample_shape` and `output_range` (None when unbounded).
A discriminator maps samples to logits t [batch], never to probabilities. Conditional ones take labels y int64 [batch],
too, and have `classes`, how many there are. `build(module.spec)` makes a network again.
`trained("mnist")` is a classifier in whose features images are compared.
"""

from ganlab.models.base import build, spec_of, value_range
from ganlab.models.classifier import Classifier, trained
from ganlab.models.conditional import ConditionalMLPDiscriminator, ConditionalMLPGenerator
from ganlab.models.conditional_dcgan import ConditionalDCGANDiscriminator, ConditionalDCGANGenerator
from ganlab.models.dcgan import VARIANTS, DCGANDiscriminator, DCGANGenerator
from ganlab.models.lsgan import LSGANDiscriminator, LSGANGenerator, LSGANSceneGenerator
from ganlab.models.mlp import MLPDiscriminator, MLPGenerator
from ganlab.models.mlp2014 import Discriminator2014, Generator2014, Maxout
from ganlab.models.toy import ToyDiscriminator, ToyGenerator
from ganlab.models.wide2014 import (
    ColourGenerator2014,
    ConvDiscriminator2014,
    DeconvGenerator2014,
    DeepFaceGenerator2014,
    FaceGenerator2014,
)

__all__ = [
    "VARIANTS",
    "Classifier",
    "ColourGenerator2014",
    "ConditionalDCGANDiscriminator",
    "ConditionalDCGANGenerator",
    "ConditionalMLPDiscriminator",
    "ConditionalMLPGenerator",
    "ConvDiscriminator2014",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "DeconvGenerator2014",
    "DeepFaceGenerator2014",
    "Discriminator2014",
    "FaceGenerator2014",
    "Generator2014",
    "LSGANDiscriminator",
    "LSGANGenerator",
    "LSGANSceneGenerator",
    "MLPDiscriminator",
    "MLPGenerator",
    "Maxout",
    "ToyDiscriminator",
    "ToyGenerator",
    "build",
    "spec_of",
    "trained",
    "value_range",
]
