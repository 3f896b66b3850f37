"""Numbers as readers give them."""

import math
from collections.abc import Mapping, Set
from typing import Any


def finite(values: Any) -> list[float] | None:
    """A collection of finite numbers as floats; None for anything else."""
    if isinstance(values, Mapping | Set):
        return None
    try:
        found = [math.nan if isinstance(value, str) else float(value) for value in values]
    except (TypeError, ValueError):
        return None
    return found if all(map(math.isfinite, found)) else None
