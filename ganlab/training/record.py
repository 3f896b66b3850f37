"""What one training step reports."""

from dataclasses import dataclass

from torch import Tensor

COLUMNS = ("discriminator_loss", "generator_loss", "D_real", "D_fake")


@dataclass(frozen=True)
class StepRecord:
    """What one step did. Values stay on the device until they are read."""

    step: int
    """Generator updates done, from 1."""
    values: Tensor
    """[4]: the columns of `Trainer.history`."""

    @property
    def discriminator_loss(self) -> float:
        """The mean loss of D on both batches (of its last update when k > 1)."""
        return self.values[0].item()

    @property
    def generator_loss(self) -> float:
        """The mean loss of G."""
        return self.values[1].item()

    @property
    def D_real(self) -> float:
        """The mean output of D on real samples: a probability, or a score."""
        return self.values[2].item()

    @property
    def D_fake(self) -> float:
        """The mean output of D on generated samples, before D's update."""
        return self.values[3].item()
