"""How much of the classes lies open in features? A linear classifier on few labels tells.

Radford, Metz & Chintala 2015 (sec. 5) train a linear L2-SVM on what their discriminator makes of images. The features
say nothing of their own: hold the accuracy against that of raw pixels, and of a network of the same make that nobody
trained.
"""

import warnings
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ganlab.errors import ShapeError
from ganlab.metrics.points import flat, require_labels, require_same_dim

AUTHORS_C = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)
"""Among these the paper's authors choose, in the code that they published for SVHN."""
C_VALUES = (*AUTHORS_C, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0)
MOST_ROUNDS = 1000
