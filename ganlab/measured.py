"""The numbers behind a claim, and how a reader sees them."""

import math
from dataclasses import dataclass

from ganlab import shown

MOST_SHOWN = 8


@dataclass(frozen=True)
class Measured:
    """The numbers behind a claim: `needed` of the values, or all, lie within [low, high].

    For an observed claim one value per seed; for a verified one the largest distance of the two sides. `name` says
    what was measured.
    """

    values: tuple[float, ...]
    low: float
    high: float
    needed: int
    name: str = "measured"

    @property
    def room(self) -> float:
        """How far inside the bounds the value that decides lies: the `needed`-th best. Negative: the claim fails."""
        return self._room_of(self._deciding)

    def __str__(self) -> str:
        """All values where there are few, else the one that decides, among how many, and their range."""
        if len(self.values) <= MOST_SHOWN:
            return f"({self.name}: {', '.join(map(shown.number, self.values))})"
        low, high = shown.number(min(self.values)), shown.number(max(self.values))
        place = "the worst" if self.needed == len(self.values) else f"number {self.needed} from the best"
        return f"({self.name}: {low} to {high}, {place}: {shown.number(self._deciding)})"

    @property
    def _deciding(self) -> float:
        return sorted(self.values, key=self._room_of, reverse=True)[self.needed - 1]

    def _room_of(self, value: float) -> float:
        above = value - self.low if math.isfinite(self.low) else math.inf
        below = self.high - value if math.isfinite(self.high) else math.inf
        return -math.inf if math.isnan(value) else min(above, below)
