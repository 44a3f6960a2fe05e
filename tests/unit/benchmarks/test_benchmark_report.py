"""The report, from figures that were made up."""

import time

from publish import inserted
from report import table
from stacks import Stacks


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


def test_samples_belong_to_the_stage_of_the_innermost_frame_that_is_known():
    stacks = Stacks([("test_benchmark_report.py:busy", "busy"), ("test_benchmark_report.py", "around")], "rest")
    stacks.start()
    busy(0.1)
    stacks.stop()
    counted = sum(stacks.samples.values())
    busy(0.05)
    assert counted == sum(stacks.samples.values()) > 10
    assert stacks.shares()["busy"] > 0.9


def busy(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(100))
