"""All that one run of the benchmark finds out."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from capacity import Costs, Need
from full_load import FullLoad, LoopLag
from load_curve import Curve
from losses import Losses
from overhead import Overhead
from scale import Scale
from sizes import Distance, Size
from trial import Latency


@dataclass(slots=True)
class Figures:
    """Gathered as they come; what was left out is None or empty."""

    machine: dict[str, str]
    broker: str
    seconds: float = 0.0
    """That the run took."""
    image_bytes: dict[str, float] = field(default_factory=dict)
    """Of a JPEG, on average, by size."""
    full: list[FullLoad] = field(default_factory=list)
    lags: dict[str, LoopLag] = field(default_factory=dict)
    half: dict[str, Latency] = field(default_factory=dict)
    """At half load, by contender."""
    curves: list[Curve] = field(default_factory=list)
    losses: dict[str, Losses] = field(default_factory=dict)
    overhead: dict[str, Overhead] = field(default_factory=dict)
    scale: list[Scale] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    distances: list[Distance] = field(default_factory=list)
    cold_s: dict[str, float] = field(default_factory=dict)
    costs: dict[str, Costs] = field(default_factory=dict)
    needs: dict[str, list[Need]] = field(default_factory=dict)

    def case(self, name: str) -> FullLoad:
        """The full load of one case."""
        return next(full for full in self.full if full.name == name)

    @classmethod
    def load(cls, path: Path) -> "Figures":
        """What `save` wrote."""
        return TypeAdapter(cls).validate_json(path.read_bytes())

    def save(self, path: Path) -> None:
        """As JSON; what is computed from the figures stands in the report."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
