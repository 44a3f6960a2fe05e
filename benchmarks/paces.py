"""How long each part of the benchmark takes: in earnest, or only to see whether everything runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of measuring, starts and warm-ups not counted; and how many of everything."""

    rounds: int = 2
    vit_s: float = 6.0
    embedded_s: float = 4.0
    half_s: float = 12.0
    curve_s: float = 4.0
    scale_s: float = 2.5
    sizes_s: float = 3.0
    waits_s: tuple[float, ...] = (0.0, 0.01, 0.1)
    """Of the batcher, for the curves."""
    loads: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 0.9, 1.1)
    """As shares of capacity."""
    partitions: tuple[int, ...] = (1, 2, 8)
    losses: int = 600
    """Uploads around a kill."""
    overhead: int = 20000
    """Uploads whose CPU time is measured."""
    vit: Mapping[str, int] = field(default_factory=dict)
    """Fields of the ViT's configuration; those of ViT-B/16 if not given."""


FULL = Pace()
QUICK = Pace(
    rounds=1,
    vit_s=1.0,
    embedded_s=1.0,
    half_s=2.0,
    curve_s=1.5,
    scale_s=1.0,
    sizes_s=1.0,
    waits_s=(0.01,),
    loads=(0.3, 0.7),
    partitions=(1, 2),
    losses=120,
    overhead=1000,
    vit={"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128},
)
