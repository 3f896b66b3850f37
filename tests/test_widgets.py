"""The bench: its game without a browser; `test_in_browser.py` has all of it in a real JupyterLab."""

import re

import numpy as np
import pytest
import torch

from ganlab import data, legible
from ganlab.bench import LAWS, OBJECTIVES, Game, Picture, spread_out
from ganlab.errors import NonFiniteLoss
from ganlab.objectives import MINIMAX, NON_SATURATING, least_squares
from ganlab.widgets import OFF, ON, Bench

CHOICES = [*((law, next(iter(OBJECTIVES))) for law in LAWS), *(("ring", objective) for objective in OBJECTIVES)]
"""Every law and every objective."""


@pytest.mark.parametrize(("law", "objective"), dict.fromkeys(CHOICES))
def test_every_choice_plays_and_draws(law: str, objective: str):
    game, picture = Game(LAWS[law], OBJECTIVES[objective]), Picture()
    before = picture.png(game)
    assert before == Picture().png(game)
    for move in (game.move_D, game.move_G, game.round):
        move()
    assert picture.png(game) != before
    low, high = game.answers
    assert low - 1e-9 <= game.best_surface().min() <= game.best_surface().max() <= high + 1e-9
    assert game.said().startswith("step 1: ")


def test_the_picture_can_be_read_by_everybody():
    """It is as wide as the other figures, too, and so as large in a narrow window."""
    picture = Picture()
    picture.png(Game(LAWS["ring"], NON_SATURATING))
    assert legible.hindrances(picture.figure) == []
    assert picture.figure.bbox.width <= 640


def test_the_best_surface_is_the_density_ratio_of_the_smoothed_laws():
    """Data at the samples of G themselves: the two smoothed laws are one, and D* is ½ where there is any mass."""
    game = Game(LAWS["ring"], NON_SATURATING)
    samples = game.trainer.sample(500, seed=1)
    game = Game(data.mixture(samples.tolist(), 1e-6), NON_SATURATING)
    np.testing.assert_allclose(game.best_surface(), 0.5, atol=1e-3)


def test_arrows_point_where_the_loss_falls():
    game = Game(LAWS["ring"], MINIMAX)
    for _ in range(50):
        game.round()
    x, way = game.arrows(30)
    loss = game.trainer.losses.generator
    before, after = loss(game.trainer.D(x)), loss(game.trainer.D(x + 1e-3 * way))
    assert (before - after).item() == pytest.approx(1e-3 * way.square().sum(dim=1).mean().item(), rel=0.05)


def test_points_to_draw_arrows_at_lie_apart():
    """Two clusters of many points, and one point far off: three are one of each."""
    clusters = torch.tensor([[0.0, 0.0], [1.0, 0.0]]).repeat(50, 1) + 0.01 * torch.rand(100, 2)
    found = spread_out(torch.cat([clusters, torch.tensor([[0.0, 3.0]])]), 3).round().tolist()
    assert sorted(found) == [[0, 0], [0, 3], [1, 0]]
    assert torch.equal(spread_out(torch.zeros(5, 2), 3), torch.zeros(3, 2))


def test_moves_of_one_player_are_counted_with_what_the_last_cost():
    """D alone, against a G that stays, pays ever less; G then alone pays ever less, too."""
    game = Game(LAWS["ring"], NON_SATURATING)
    paid: dict[str, list[float]] = {"D": [], "G": []}
    for who, move in (("D", game.move_D), ("G", game.move_G)):
        for number in (1, 2):
            for _ in range(50):
                move()
            found = re.search(rf"; {who} alone: {50 * number}, loss (\d\.\d\d)", game.said())
            assert found is not None
            paid[who].append(float(found[1]))
    assert all(early > late for early, late in paid.values())


def test_one_player_moves_alone():
    game = Game(LAWS["grid"], least_squares(0, 1, 1))
    parts = [[p.clone() for p in net.parameters()] for net in (game.trainer.G, game.trainer.D)]
    game.move_D()
    same = [
        all(map(torch.equal, old, net.parameters()))
        for old, net in zip(parts, (game.trainer.G, game.trainer.D), strict=True)
    ]
    assert same == [True, False]
    game.move_G()
    assert not all(map(torch.equal, parts[0], game.trainer.G.parameters()))


def test_the_bench_follows_its_controls():
    bench = Bench()
    first = bench.image.value
    bench.buttons["one round"].click()
    assert bench.game.trainer.step == 1
    assert bench.image.value != first
    bench.buttons["reset"].click()
    assert bench.image.value == first
    bench.objective.value, bench.k.value, bench.lr_g.value = "LSGAN (0, 1, 1)", 5, 1e-2
    assert bench.game.objective == least_squares(0, 1, 1)
    assert (bench.game.trainer.config.k, bench.game.trainer.config.optimizer_g.lr) == (5, 1e-2)
    bench.data.value = "own"
    assert len(bench.law.modes) == 4
    bench.cells[24].value = True
    assert bench.game.law.modes[2].tolist() == pytest.approx([0, 0], abs=1e-6)
    assert "of 5 modes" in bench.status.value


def test_a_press_is_worth_as_many_moves_as_the_reader_likes():
    bench, other = Bench(), Game(LAWS["ring"], NON_SATURATING)
    bench.times.value = 10
    bench.buttons["D moves"].click()
    for _ in range(10):
        other.move_D()
    assert (bench.game.surface() == other.surface()).all()
    assert "; D alone: 10" in bench.status.value
    bench.times.value = 1
    bench.buttons["G moves"].click()
    assert re.search(r"; D alone: 10, loss [\d.]+; G alone: 1, loss [\d.]+$", bench.status.value)


def test_the_picture_is_told_in_words():
    bench = Bench()
    assert f'alt="D&#x27;s answers, the best D&#x27;s, and the losses; {bench.status.value}"' in bench.image.value


def test_the_board_shows_which_cells_are_on():
    bench = Bench()
    bench.cells[8].value = True
    bench.cells[0].value = False
    shown = {cell.tooltip: cell.description for cell in bench.cells}
    assert shown["hump in row 2, column 2"] == ON
    assert shown["hump in row 1, column 1"] == OFF


def test_a_game_that_breaks_stops_and_says_so():
    import asyncio

    async def play() -> Bench:
        bench = Bench()

        def broken() -> None:
            raise NonFiniteLoss("at step 3 D's loss is nan")

        bench.game.round = broken
        bench.run()
        await asyncio.sleep(0.1)
        return bench

    bench = asyncio.run(play())
    assert bench.status.value == "at step 3 D's loss is nan"
    assert bench.buttons["run"].description == "run"
