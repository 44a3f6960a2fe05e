"""How far a model's fast precision is off, and what its second look in float32 mends: `make bench-precision`.

    python benchmarks/precision.py --model DIR --images DIR --policy FILE

By default the embedded model, the photographs of scikit-image's wheel and the policy that sluicegate carries. Ask it
about your own: what a margin costs and what it leaves differs from model to model.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import track

from crops import as_taken, distorted, photographs
from engines import fastest
from inputs import carried_images
from report import table
from sluicegate_consumer.models.classifier import Classifier, ModelCard
from sluicegate_consumer.models.load import load_classifier
from sluicegate_consumer.models.rescoring import BFLOAT16_MARGIN
from sluicegate_consumer.moderation.second_look import second_look
from sluicegate_consumer.operations.settings import BatchSettings, ModelSettings
from sluicegate_consumer.pixels import Frame
from sluicegate_consumer.policy.decide import Evidence, decide
from sluicegate_consumer.policy.document import PolicyDocument
from sluicegate_consumer.policy.load import load_policy
from sluicegate_consumer.policy.scores import Scores
from sluicegate_schemas.events import Decision

BATCH = BatchSettings().max_frames
QUANTILES = (0.99, 0.999, 1.0)
MARGINS = (0.02, 0.04, BFLOAT16_MARGIN, 0.16)
LEAST = 1e-7
"""Scores nearer to 0 or 1 have no log-odds that float32 could tell apart."""
PLENTY = Evidence(min_side=10_000, contrast=255)
SEED = 1


@dataclass(frozen=True, slots=True)
class Compared:
    """What both precisions say of the same frames: scores, float64 of shape (frames, labels)."""

    name: str
    fast: NDArray[np.float64]
    exact: NDArray[np.float64]

    @property
    def off(self) -> NDArray[np.float64]:
        """By how much a frame's score is off: its worst label's, in [0, 1]."""
        return _worst(self.fast - self.exact)

    @property
    def log_odds_off(self) -> NDArray[np.float64]:
        """The same in log-odds, 0 and up."""
        return _worst(_log_odds(self.fast) - _log_odds(self.exact))


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What one margin costs, and what it leaves."""

    margin: float
    """0: nobody looks twice."""
    looks: float
    """Share of the frames that are computed twice."""
    otherwise: int
    """Frames that some policy decides otherwise than by exact scores."""


def compared(name: str, frames: Iterable[Frame], count: int, fast: Classifier, exact: Classifier) -> Compared:
    """Have both score all frames."""
    batches = list[tuple[NDArray[np.float32], NDArray[np.float32]]]()
    for batch in track(_batches(iter(frames)), f"{count} frames, {name}", total=-(-count // BATCH)):
        batches.append((fast.classify(batch), exact.classify(batch)))
    by_fast, by_exact = (np.concatenate(scores).astype(np.float64) for scores in zip(*batches, strict=True))
    return Compared(name, by_fast, by_exact)


def second_looks(found: Compared, policies: PolicyDocument, card: ModelCard) -> list[SecondLook]:
    """By margin, beginning with none."""
    wrong = np.array(
        [
            fast != exact
            for fast, exact in zip(
                _decisions(found.fast, policies, card), _decisions(found.exact, policies, card), strict=True
            )
        ]
    )
    looks = [SecondLook(0.0, 0.0, int(wrong.sum()))]
    for margin in MARGINS:
        is_near = second_look(policies, card, margin)
        near = np.array([is_near(row) for row in found.fast.tolist()])
        looks.append(SecondLook(margin, float(near.mean()), int((wrong & ~near).sum())))
    return looks


def error_table(every: Sequence[Compared]) -> str:
    """How far scores are off, in Markdown."""
    rows = []
    for found in every:
        quantiles = [np.quantile(off, QUANTILES) for off in (found.off, found.log_odds_off)]
        rows.append([found.name, f"{len(found.fast):,}", *(f"{value:.3f}" for values in quantiles for value in values)])
    heads = [f"{scale}, {name}" for scale in ("score", "log-odds") for name in ("99 %", "99.9 %", "worst")]
    return table(("off by at most", "frames", *heads), rows)


def margin_table(every: Sequence[Compared], looks: Sequence[Sequence[SecondLook]]) -> str:
    """What each margin costs and leaves, in Markdown."""
    rows = [
        [
            f"{of_margin[0].margin:g}" if of_margin[0].margin else "no second look",
            *(f"{look.looks:.1%}" for look in of_margin),
            *(str(look.otherwise) for look in of_margin),
        ]
        for of_margin in zip(*looks, strict=True)
    ]
    heads = [f"{what}, {found.name}" for what in ("computed twice", "decided otherwise") for found in every]
    return table(("margin", *heads), rows)


def main(arguments: argparse.Namespace, console: Console) -> None:
    """Measure, show, and write what `make bench-docs` takes."""
    settings = ModelSettings(name=arguments.model)
    fast = fastest(settings, BATCH)
    exact = load_classifier(settings.model_copy(update={"device": "cpu", "precision": "float32"}), max_batch=BATCH)
    card, policies = fast.card, load_policy(arguments.policy)
    pictures, count = photographs(arguments.images), arguments.frames // 2
    every = [
        compared(name, take(pictures, card.geometry, count, SEED), count, fast, exact)
        for name, take in (("as taken", as_taken), ("distorted", distorted))
    ]
    texts = {
        "precision": error_table(every),
        "margins": margin_table(every, [second_looks(found, policies, card) for found in every]),
    }
    console.print(f"{card.name}: {card.runtime}, {card.precision} on {card.device} against float32", highlight=False)
    arguments.report.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (arguments.report / f"{name}.md").write_text(text, encoding="utf-8")
        console.print(Markdown(text))


def _batches(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    return iter(partial(_some, frames), [])


def _some(frames: Iterator[Frame]) -> list[Frame]:
    return list(islice(frames, BATCH))


def _decisions(
    scores: NDArray[np.float64], policies: PolicyDocument, card: ModelCard
) -> Iterator[tuple[Decision, ...]]:
    """Every policy's, for each frame."""
    mapping = policies.mapping_for(card.name, card.labels)
    for row in scores.tolist():
        judged = Scores(card.labels, [row], exclusive=card.exclusive)
        yield tuple(decide(policy, mapping, judged, PLENTY).decision for policy in policies.policies.values())


def _worst(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    worst: NDArray[np.float64] = np.abs(differences).max(axis=1)
    return worst


def _log_odds(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    within = np.clip(scores, LEAST, 1 - LEAST)
    odds: NDArray[np.float64] = np.log(within / (1 - within))
    return odds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="embedded", help="as model.name has it")
    parser.add_argument("--images", type=Path, help="a folder of photographs")
    parser.add_argument("--policy", type=Path, help="as policy_file has it")
    parser.add_argument("--frames", type=int, default=6400, help="half of them distorted")
    parser.add_argument("--report", type=Path, default=Path("bench-report"))
    given = parser.parse_args()
    given.images = given.images or carried_images()
    main(given, Console())
