"""First weights where nobody seeded torch: the same in every process, and another's for each network."""

import json
import subprocess
import sys

import torch

from ganlab.models import ToyGenerator

CODE = """
import json, torch
from ganlab.models import ToyGenerator
before = torch.get_rng_state()
weights = [ToyGenerator(z_dim=1, width=2).net[0].weight.tolist() for _ in range(3)]
assert torch.equal(torch.get_rng_state(), before)
torch.manual_seed(7)
print(json.dumps([*weights, ToyGenerator(z_dim=1, width=2).net[0].weight.tolist()]))
"""


def test_where_nobody_seeded_the_networks_of_every_process_begin_alike():
    """The first, the second and the third as with seeds of 0, 1 and 2, then one as its seed says. A process: 3 s."""
    shown = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=300).stdout
    expected = []
    for seed in (0, 1, 2, 7):
        torch.manual_seed(seed)
        expected.append(ToyGenerator(z_dim=1, width=2).get_parameter("net.0.weight").tolist())
    assert json.loads(shown) == expected
