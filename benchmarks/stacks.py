"""Where a process spends its CPU time: its main thread's stack, every millisecond of computing."""

import signal
from collections import Counter
from collections.abc import Sequence
from types import FrameType

EVERY_S = 0.001


class Stacks:
    """Samples by the stage that the innermost known frame belongs to.

    Args:
        stages: (part of a file's path, or of `path:function`; name of the stage); the first that fits a frame holds,
            and the innermost frame that fits any.
        otherwise: The stage of a stack without one.
    """

    def __init__(self, stages: Sequence[tuple[str, str]], otherwise: str) -> None:
        self._stages = stages
        self._otherwise = otherwise
        self._known: dict[object, str | None] = {}
        self.samples: Counter[str] = Counter()

    def start(self) -> None:
        """Sample from now on."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)

    def stop(self) -> None:
        """And no longer."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)

    def shares(self) -> dict[str, float]:
        """Share of each stage, 0 to 1, largest first."""
        total = sum(self.samples.values())
        return {stage: count / total for stage, count in self.samples.most_common()}

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        while frame is not None:
            code = frame.f_code
            if code not in self._known:
                self._known[code] = self._stage(f"{code.co_filename}:{code.co_name}")
            if stage := self._known[code]:
                self.samples[stage] += 1
                return
            frame = frame.f_back
        self.samples[self._otherwise] += 1

    def _stage(self, place: str) -> str | None:
        return next((stage for part, stage in self._stages if part in place), None)
