import pytest
from recorded import recorded_run

from sluicegate_consumer.demo.progress import Progress


@pytest.fixture
def run() -> Progress:
    return recorded_run()
