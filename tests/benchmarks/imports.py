"""`import ganlab` and all of its core against `import torch, sympy`, in processes of their own."""

import subprocess
import sys

from timing import ratio

CORE = "objectives models data training metrics.modes metrics.frechet metrics.neighbours claims exercises"


def importing(code: str):
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    """Print both ratios (wanted: at most 1.2)."""
    base = importing("import torch, sympy")
    core = "; ".join(f"import ganlab.{name}" for name in CORE.split())
    print("imports")
    for name, code in (("import ganlab", "import ganlab"), ("all of its core", core)):
        found = ratio(importing(code), base, rounds=3)
        print(f"  {name:<20} {found.median:.2f} × import torch, sympy  ({found.ours:.2f} s, {found.other:.2f} s)")


if __name__ == "__main__":
    main()
