"""One G that fills in any part of an image: what it may look at, what it keeps, and how parts are drawn."""

import torch

from ganlab import data
from ganlab.experiments import all_conditionals
from ganlab.experiments.all_conditionals import BATCH, Z_DIM, Filler, any_parts

DIGITS = data.load("digits").images / 127.5 - 1


def test_only_what_is_given_is_looked_at_and_it_is_kept():
    torch.manual_seed(0)
    filler, x, z = Filler(64).eval(), DIGITS[:6], torch.randn(6, Z_DIM)
    given = any_parts(x, torch.Generator().manual_seed(1))
    filled = filler(x, given, z)
    assert torch.equal(filled[given == 1], x[given == 1])
    elsewhere = torch.where(given == 1, x, torch.rand(x.shape))
    assert torch.equal(filler(elsewhere, given, z), filled)
    assert not torch.equal(filler(x, given, torch.randn(6, Z_DIM)), filled)


def test_a_part_is_drawn_for_each_image_from_nothing_to_all():
    shares = any_parts(torch.zeros(4000, 1, 8, 8), torch.Generator().manual_seed(0)).flatten(1).mean(dim=1)
    counted = torch.histc(shares, bins=4, min=0, max=1) / len(shares)
    torch.testing.assert_close(counted, torch.full((4,), 0.25), atol=0.03, rtol=0)


def test_training_leaves_the_callers_random_numbers_alone_and_comes_out_the_same_again():
    before = torch.get_rng_state()
    one, other = (all_conditionals.train(DIGITS[:BATCH], steps=3, seed=2) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    given = torch.arange(64).view(8, 8) % 2 == 0
    assert torch.equal(one.fill(DIGITS[:4], given, seed=0), other.fill(DIGITS[:4], given, seed=0))
    assert not torch.equal(one.fill(DIGITS[:4], given, seed=0), one.fill(DIGITS[:4], given, seed=1))
