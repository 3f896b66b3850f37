"""Pictures that sliders move, without a browser; `test_in_browser.py` has them in a real JupyterLab."""

import pytest
from matplotlib.figure import Figure

from ganlab.moving import Moving

ASKED: list[tuple[object, ...]] = []


def draw(at: int = 0, way: str = "up", far: float = 0.5, dotted: bool = False) -> Figure:
    ASKED.append((at, way, far, dotted))
    figure = Figure(figsize=(2, 1))
    figure.suptitle(f"{at} {way} {far} {dotted}")
    return figure


@pytest.fixture
def moving() -> Moving:
    ASKED.clear()
    return Moving(draw, at=(0, 3), way=["up", "down"], far=(0.0, 2.0, 0.25), dotted=False)


def test_a_picture_follows_each_of_its_sliders_and_comes_back(moving: Moving):
    first = moving.picture.value
    seen = {first}
    for name, value in (("at", 2), ("way", "down"), ("far", 1.25), ("dotted", True)):
        moving.controls[name].value = value
        seen.add(moving.picture.value)
    assert len(seen) == 5
    assert ASKED[0] == (0, "up", 0.5, False)
    assert ASKED[-1] == (2, "down", 1.25, True)
    for name, value in (("at", 0), ("way", "up"), ("far", 0.5), ("dotted", False)):
        moving.controls[name].value = value
    assert moving.picture.value == first


def test_sliders_are_named_have_their_ranges_and_draw_once_for_each_move(moving: Moving):
    assert [control.description for control in moving.controls.values()] == ["at", "way", "far", "dotted"]
    assert [(moving.controls[name].min, moving.controls[name].max) for name in ("at", "far")] == [(0, 3), (0, 2)]
    assert moving.controls["far"].step == 0.25
    moving.controls["at"].value = 3
    assert len(ASKED) == 2


def test_the_titles_are_the_pictures_words(moving: Moving):
    moving.controls["at"].value = 3
    assert moving.picture.value.startswith('<img alt="3 up 0.5 False" src="data:image/png;base64,')
    assert "application/vnd.jupyter.widget-view+json" in moving._repr_mimebundle_()
