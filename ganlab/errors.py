"""Every error that ganlab raises on purpose: one class per kind, one line per message.

A message repeats what was given, says what is wanted, and what to do.
"""

import re
import sys


def printable(text: str) -> str:
    """A text that every terminal takes, on one line: bytes of a file's name that are no UTF-8 stand as \\xNN, and what
    moves the cursor as \\n and the like."""
    plain = re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", text)
    plain = re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda control: repr(control[0])[1:-1], plain)
    return plain.encode("utf-8", "backslashreplace").decode("utf-8")


class GanlabError(Exception):
    """Base of all of them: catch this one to catch them all."""

    def __str__(self) -> str:
        return printable(super().__str__())


class ObjectiveError(GanlabError):
    """A GAN objective that is not well formed."""


class UndefinedName(ObjectiveError):
    """An objective uses a symbol or function that is neither D, nor a declared parameter, nor elementary."""


class NoOptimum(ObjectiveError):
    """There is no discriminator, or more than one, that is best for a given pair of densities."""


class Unbounded(NoOptimum):
    """The discriminator can make its objective as good as it likes."""


class NotStabilisable(ObjectiveError):
    """A loss has no form that stays finite, with right gradients, for logits up to ±10⁴."""


class NotPointwise(ObjectiveError):
    """What was asked for belongs to one sample or one point, but the objective compares pairs."""


class ShapeError(GanlabError):
    """A tensor has another shape, dtype or range than the function wants."""


class ConfigError(GanlabError):
    """An option is unknown, out of range, or does not fit the others."""


class DatasetUnavailable(GanlabError):
    """A data set is absent, damaged or incomplete on disk."""


class CheckpointError(GanlabError):
    """A checkpoint, an exported generator or a classifier cannot be written, read, or does not belong to this run."""


class NonFiniteLoss(GanlabError):
    """A loss or a weight became NaN or infinite; training stopped and the last good checkpoint was kept."""


class ClaimFailed(GanlabError):
    """The two sides of a claim differ."""


class ClaimMisused(GanlabError):
    """A claim was given something that it cannot compare, such as a ready-made truth value."""


class UnknownExercise(GanlabError):
    """There is no exercise of this id."""


class MissingPackage(GanlabError):
    """A package that the course needs is not installed for the Python that runs. A notebook shows this line alone."""

    def __init__(self, error: ModuleNotFoundError):
        install = f"{sys.executable} -m pip install --requirement requirements.txt"
        super().__init__(
            f"{error} for this kernel; choose the course's kernel (Kernel → Change Kernel…), or run: {install}"
        )

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]
