import pytest

from sluicegate_consumer.errors import ConfigurationError
from sluicegate_consumer.models.labels import are_placeholders, read_labels


def test_labels_come_in_the_order_of_the_outputs_whatever_the_order_in_the_file():
    id2label = {"10": "k", **{str(index): "abcdefghij"[index] for index in reversed(range(10))}}

    assert tuple("abcdefghijk") == read_labels({"id2label": id2label})


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({}, "id2label: is None"),
        ({"id2label": {}}, "id2label: is {}"),
        ({"id2label": ["a", "b"]}, "id2label: is"),
        ({"id2label": {"0": "a", "2": "b"}}, r"has keys \['0', '2'\], should have \['0', '1'\]"),
        ({"id2label": {"zero": "a"}}, "has keys"),
        ({"id2label": {"0": "a", "1": "a"}}, "'a' stands for more than one output"),
        ({"id2label": {"0": "a", "1": " "}}, "' ' is no label"),
        ({"id2label": {"0": "a", "1": 7}}, "7 is no label"),
    ],
)
def test_labels_that_do_not_name_every_output_once_are_refused(config, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        read_labels(config)


def test_made_up_labels_are_told_from_chosen_ones():
    assert are_placeholders(("LABEL_0", "LABEL_1"))
    assert not are_placeholders(("normal", "nsfw"))
    assert not are_placeholders(("LABEL_1", "LABEL_0"))
