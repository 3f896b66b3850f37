"""mode-counts: which of 17 ways to train keep the modes of a ring and of a grid, over 16 seeds each."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganlab import data
from ganlab.data.toy import Mixture
from ganlab.errors import CheckpointError, NonFiniteLoss
from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit
from ganlab.metrics.modes import PROTOCOL_SAMPLES, ModeCount, count_modes
from ganlab.models import ToyDiscriminator, ToyGenerator
from ganlab.models.toy import Activation
from ganlab.objectives import MINIMAX, NON_SATURATING, Objective
from ganlab.training import Adam, Ensemble, TrainConfig, checkpoint
from ganlab.training.config import options_of

LOOKS = 10
"""How often a run is looked at, the end included."""


@dataclass(frozen=True)
class Setting:
    """One way to train on a toy law. Networks: two hidden layers of 128 units each, z normal."""

    name: str
    law: Mixture
    objective: Objective
    config: TrainConfig
    z_dim: int = 2
    activation: Activation = "relu"

    def pair(self) -> tuple[ToyGenerator, ToyDiscriminator]:
        """G and D untrained, from torch's random numbers."""
        return ToyGenerator(self.z_dim, activation=self.activation), ToyDiscriminator(activation=self.activation)

    def ensemble(self, seeds: Sequence[int]) -> Ensemble:
        """One member per seed, at step 0."""
        return Ensemble(self.pair, self.objective, self.law, self.config, seeds=seeds)


def count(ensemble: Ensemble, law: Mixture) -> list[ModeCount]:
    """VEEGAN's count for each member, from 2,500 samples of the same z. Raises `NonFiniteLoss` for samples that are not
    finite: weights may be broken some steps before a loss is looked at."""
    samples = ensemble.sample(PROTOCOL_SAMPLES, seed=1)  # [N, 2500, 2]
    broken = [seed for seed, points in zip(ensemble.seeds, samples, strict=True) if not points.isfinite().all()]
    if broken:
        raise NonFiniteLoss(
            f"at step {ensemble.step} samples of seed {broken[0]} are not finite; go on with lower rates."
        )
    return [count_modes(points, law.modes, law.sigmas[0]) for points in samples]


def run(
    setting: Setting,
    seeds: Sequence[int],
    told: Callable[[float, str], None] = lambda _done, _note: None,
    place: Path | None = None,
) -> dict[str, Any]:
    """Train a setting and count its modes ten times on the way: plain values, one list entry per seed.

    told   is given, at every step, how much is done, and a note at every look
    place  a checkpoint to go on from when the run was cut off, written at every look with what was counted so far, and
           deleted at the end

    Raises `CheckpointError` for a checkpoint that is damaged, of another run, of one that was looked at elsewhere, or
    from another device.
    """
    ensemble = setting.ensemble(seeds)
    steps = setting.config.steps
    every = steps // LOOKS
    seen: dict[str, list[Any]] = {"steps": [], "modes": [], "high_quality": [], "kl": []}
    if place and ensemble.resume(place):
        found = checkpoint.find(place) or place
        kept = checkpoint.read(found)
        seen, device = kept.get("looks", seen), kept.get("device", ensemble.device.type)
        if device != ensemble.device.type:
            raise CheckpointError(
                f"{found} was trained on {device}, and the record would say {ensemble.device.type}; go on there, or"
                f" delete {place.name}*, and the run begins anew."
            )
        if seen["steps"] != list(range(every, ensemble.step + 1, every)):
            raise CheckpointError(
                f"{found} holds no looks each {every} steps; delete {place.name}* there, and the run begins anew."
            )
        told(ensemble.step / steps, f"going on from step {ensemble.step}")
    for record in ensemble.run():
        note = ""
        if record.step % every == 0:
            counts = count(ensemble, setting.law)
            seen["steps"].append(record.step)
            seen["modes"].append([one.modes for one in counts])
            seen["high_quality"].append([round(one.high_quality, 4) for one in counts])
            seen["kl"].append([_rounded(one.kl_nats(setting.law.weights)) for one in counts])
            if place:
                checkpoint.write(place, ensemble.state_dict() | {"looks": seen, "device": ensemble.device.type})
            note = f"modes {' '.join(map(str, seen['modes'][-1]))}"
        told(record.step / steps, note)
    if place:
        for kept in (place, checkpoint.previous(place)):
            kept.unlink(missing_ok=True)
    return described(setting, seeds) | seen


def described(setting: Setting, seeds: Sequence[int]) -> dict[str, Any]:
    """What was run, as plain values: the part of `run`'s that training does not decide."""
    return {
        "setting": setting.name,
        "law": f"{len(setting.law.modes)} modes, σ {setting.law.sigmas[0]}",
        "objective": setting.objective.name,
        "z_dim": setting.z_dim,
        "config": options_of(setting.config),
        "seeds": list(seeds),
    }


def _rounded(nats: float) -> float | None:
    """None where there is no good sample, and so no share."""
    return None if math.isnan(nats) else round(nats, 4)


_RATES: dict[str, Any] = {"optimizer_d": Adam(1e-3), "optimizer_g": Adam(1e-3)}
CURE: dict[str, Any] = {"instance_noise": 1.0, "decay_from": 0.5}
"""Instance noise that falls from 1 to 0 over the first half, learning rates that fall to 0 over the second."""


def on_ring(
    name: str, *, objective: Objective = NON_SATURATING, steps: int = 4000, z_dim: int = 2, **options: Any
) -> Setting:
    """A setting on the ring of eight, with NS-GAN, batch 128 and Adam at 0.001 unless told otherwise."""
    config = TrainConfig(**{"steps": steps, "batch": 128, "device": "cpu", **_RATES, **options})
    return Setting(name, data.ring(), objective, config, z_dim)


def on_grid(name: str, *, objective: Objective = MINIMAX, steps: int = 9000, **options: Any) -> Setting:
    """A setting on the grid of 25, all coordinates halved: {−2, −1, 0, 1, 2}² with σ 0.025."""
    config = TrainConfig(**{"steps": steps, "batch": 128, "device": "cpu", **_RATES, **options})
    return Setting(name, data.grid(spacing=1.0, sigma=0.025), objective, config)


MODE_COUNTS = (
    on_ring("ring: alternating, k = 1"),
    on_ring("ring: simultaneous", update="simultaneous"),
    on_ring("ring: k = 5", k=5),
    on_ring("ring: D 5 times the rate of G", optimizer_g=Adam(2e-4)),
    on_ring("ring: G 10 times the rate of D", optimizer_d=Adam(1e-4)),
    on_ring("ring: noise", instance_noise=1.0),
    on_ring("ring: decay", decay_from=0.5),
    on_ring("ring: noise and decay", **CURE),
    on_ring("ring, z of 64: alternating, k = 1", z_dim=64),
    on_ring("ring, z of 64: noise", z_dim=64, instance_noise=1.0),
    on_ring("ring, z of 64: decay", z_dim=64, decay_from=0.5),
    on_ring("ring, z of 64: noise and decay", z_dim=64, **CURE),
    on_grid("grid: alternating, k = 1"),
    on_grid("grid: noise", instance_noise=0.3),
    on_grid("grid: decay", decay_from=0.5),
    on_grid("grid: noise and decay", instance_noise=0.3, decay_from=0.5),
    on_grid("grid, NS-GAN: noise and decay", objective=NON_SATURATING, instance_noise=0.3, decay_from=0.5),
)


def units_of(settings: Sequence[Setting], seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each setting, with all seeds at once."""
    return {setting.name: {"setting": setting, "seeds": tuple(seeds)} for setting in settings}


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Those of this study."""
    return units_of(MODE_COUNTS, seeds)


def measure(unit: Unit, *, setting: Setting, seeds: Sequence[int]) -> dict[str, Any]:
    """`run` as a unit of the study."""
    return run(setting, seeds, unit.progress, unit.checkpoint)


def row(experiment: str, settings: Mapping[str, str], record: Record) -> Row:
    """What was found under some settings of a record, each with the words that say which it is."""
    results = {result["setting"]: result for result in record["results"]}

    def found(name: str) -> str:
        modes, good = results[name]["modes"][-1], [100 * share for share in results[name]["high_quality"][-1]]
        return f"{mean_and_range(modes, digits=1)}, samples good {mean_and_range(good, unit=' %')}"

    parts = [*(f"{words}: {found(name)}" for words, name in settings.items()), "the weights at the end"]
    return Row(f"{experiment}: modes found in 2,500 samples", "; ".join(parts))


def rows(record: Record) -> list[Row]:
    """Ring and grid: trained plainly, and cured."""
    laws = {"ring": "NS-GAN on the ring of 8", "grid": "minimax GAN on the grid of 25"}
    ways = ("alternating, k = 1", "noise and decay")
    return [row(about, {way: f"{law}: {way}" for way in ways}, record) for law, about in laws.items()]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each setting, with a number for each seed."""
    return [
        (
            result["setting"],
            " ".join(map(str, result["modes"][-1])),
            " ".join(f"{100 * share:.0f}" for share in result["high_quality"][-1]),
        )
        for result in record["results"]
    ]


STUDY = Study(
    name="mode-counts",
    about="ring of 8 and grid of 25 under 17 settings: which modes are found, and how many samples are good",
    lesson="05",
    measure=measure,
    units=units,
    seeds=16,
    presets={"laptop": Preset("10 minutes on four cores")},
    rule="the counts after the last step; those on the way are kept, too",
    rows=rows,
    columns=(
        "VEEGAN's count of 2,500 samples of each seed, after the last step",
        "modes found",
        "good samples (%)",
    ),
    every=every,
)
