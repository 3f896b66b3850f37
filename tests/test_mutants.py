"""The mistakes of `make mutants` are mistakes: programs that run, differ, and have names of their own."""

import ast
from pathlib import Path

import pytest
from mistakes import ROOT, mutants_of


@pytest.mark.parametrize("module", ["ganlab/training/sampling.py", "ganlab/models/toy.py"])
def test_each_is_another_program_with_a_name_of_its_own(module: str):
    mutants = mutants_of(module)
    trees = {ast.dump(ast.parse(mutant.code)) for mutant in mutants}
    right = ast.dump(ast.parse((ROOT / module).read_text(encoding="utf-8")))
    assert right not in trees
    assert len(trees) > 0.9 * len(mutants) > 30
    assert len({mutant.name for mutant in mutants}) == len(mutants)
    for mutant in mutants:
        assert mutant.line in mutant.statement
        assert mutant.around is None or set(mutant.statement) <= set(mutant.around)


def test_defaults_calls_and_statements_are_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code = '''"""Text."""
__all__ = ["SIGMA", "law"]
SIGMA = 0.01


def law(n: int = 8, *, encoding: str = "utf-8") -> float:
    """More text."""
    if n < 1:
        raise ValueError(f"n is {n}; give more.")
    say("how it is", end="")
    return noisy(total(n)) / 2
'''
    (tmp_path / "law.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr("mistakes.ROOT", tmp_path)
    made = {(mutant.before, mutant.after) for mutant in mutants_of("law.py")}
    start = 'def law(n: int = 8, *, encoding: str = "utf-8") -> float:'
    raised, said, given = (
        'raise ValueError(f"n is {n}; give more.")',
        'say("how it is", end="")',
        "return noisy(total(n)) / 2",
    )
    assert made == {
        ("SIGMA = 0.01", "SIGMA = 0.02"),
        (start, start.replace("8, *", "9, *")),
        (start, start.replace("utf-8", "XXutf-8XX")),
        ("if n < 1:", "if n <= 1:"),
        ("if n < 1:", "if n < 2:"),
        (raised, "pass"),
        (said, "pass"),
        (said, 'say(end="")'),
        (said, 'say("how it is", )'),
        (said, 'say("XXhow it isXX", end="")'),
        (said, 'say("how it is", end="XXXX")'),
        (given, "return noisy(total(n)) * 2"),
        (given, "return noisy(total(n)) / 3"),
        (given, "return (total(n)) / 2"),
        (given, "return noisy((n)) / 2"),
    }
