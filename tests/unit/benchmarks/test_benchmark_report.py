"""The report, from figures that were made up."""

import subprocess
import sys
from pathlib import Path

from publish import inserted
from report import table

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def test_table_is_markdown_with_numbers_on_the_right():
    assert table(("a", "b"), [("x", "1"), ("y", "2")]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n| y | 2 |\n"


def test_texts_replace_what_stood_between_their_marks():
    def page(first: str, second: str) -> str:
        return (
            f"before\n<!-- full: written by make bench-docs -->\n{first}<!-- end -->\nbetween\n"
            f"<!-- batch-times: written by make bench-docs -->\n{second}<!-- end -->\nafter\n"
        )

    old = page("old\n", r"kept \1")
    assert page("new \\1\n", r"kept \1") == inserted(old, {"full": "new \\1\n", "elsewhere": "never seen"})
    assert old == inserted(old, {})


SAMPLED = """
import time
from stacks import Stacks


def busy(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(100))


stacks = Stacks([("<string>:busy", "busy"), ("<string>", "around")], "rest")
stacks.start()
busy(0.1)
stacks.stop()
counted = sum(stacks.samples.values())
busy(0.05)
assert counted == sum(stacks.samples.values()) > 10, stacks.samples
assert stacks.shares()["busy"] > 0.9, stacks.samples
"""


def test_samples_belong_to_the_stage_of_the_innermost_frame_that_is_known():
    """In a process of its own: a model runtime that other tests have loaded into this one may not bear the signal."""
    done = subprocess.run([sys.executable, "-c", SAMPLED], cwd=BENCHMARKS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
