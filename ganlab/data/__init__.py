"""What GANs learn from: toy laws with exact densities, and image sets behind one `load(name)`."""

from ganlab.data.images import (
    NAMES,
    ImageSet,
    contrast_normalized,
    default_images,
    load,
    three_parts,
)
from ganlab.data.places import data_root
from ganlab.data.status import SetStatus, status
from ganlab.data.toy import Law, Mixture, gaussian, grid, lsgan_ring, mixture, ring, two_moons

__all__ = [
    "NAMES",
    "ImageSet",
    "Law",
    "Mixture",
    "SetStatus",
    "contrast_normalized",
    "data_root",
    "default_images",
    "gaussian",
    "grid",
    "load",
    "lsgan_ring",
    "mixture",
    "ring",
    "status",
    "three_parts",
    "two_moons",
]
