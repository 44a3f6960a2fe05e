"""The chart's table of values is made of its comments, and a value without one is an error."""

import runpy

import pytest
from rendering import CHART, ROOT

values_table = runpy.run_path(str(ROOT / "helm" / "values_table.py"))["values_table"]


def test_a_comment_documents_the_key_below_it_and_all_below_that():
    text = """
# an ordinary comment
one:
  # -- Of two | three.
  two: [1, "2"]
# -- All of it.
rest: {deep: {deeper: true}}
"""
    head, _, first, second = values_table(text).splitlines()
    assert "| value | default | meaning |" == head
    assert '| `one.two` | `[1, "2"]` | Of two &#124; three. |' == first
    assert '| `rest` | `{"deep": {"deeper": true}}` | All of it. |' == second


def test_a_value_that_nobody_explains_is_an_error():
    with pytest.raises(ValueError, match=r"one\.two: has no comment"):
        values_table("one:\n  two: 2\n")


def test_the_readme_has_a_row_for_every_value_of_the_chart():
    table = values_table((CHART / "values.yaml").read_text())
    assert table in (CHART / "README.md").read_text()
    assert "| `kafka.bootstrapServers` | `[]` |" in table
