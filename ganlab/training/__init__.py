"""Training by Algorithm 1: `Trainer` and its frozen `TrainConfig`, checkpoints, exported generators."""

from ganlab.training.config import SGD, Adam, RMSProp, TrainConfig, pick_device
from ganlab.training.ensemble import Ensemble
from ganlab.training.export import export_generator, load_generator
from ganlab.training.penalties import LSGANGP, R1, R1R2, R2, WGANGP
from ganlab.training.record import COLUMNS, StepRecord
from ganlab.training.sampling import sample
from ganlab.training.trainer import Trainer
from ganlab.training.tuning import cores, leave_room, quick_precision, tune

__all__ = [
    "COLUMNS",
    "LSGANGP",
    "R1",
    "R1R2",
    "R2",
    "SGD",
    "WGANGP",
    "Adam",
    "Ensemble",
    "RMSProp",
    "StepRecord",
    "TrainConfig",
    "Trainer",
    "cores",
    "export_generator",
    "leave_room",
    "load_generator",
    "pick_device",
    "quick_precision",
    "sample",
    "tune",
]
