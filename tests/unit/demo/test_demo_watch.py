import asyncio
from dataclasses import dataclass

from recorded import NAMES, recorded_run, submission, verdict

from sluicegate_consumer.demo.progress import Progress
from sluicegate_consumer.demo.watch import until_final
from sluicegate_schemas.events import Decision


@dataclass
class Running:
    name: str
    ended: bool = False


def quiet():
    pass


async def test_it_ends_when_every_upload_has_its_final_verdict():
    looks = []

    complaint = await until_final(recorded_run(), [Running("consume")], 0.0, lambda: looks.append(1))

    assert complaint is None
    assert [1] == looks


async def test_verdicts_that_come_later_are_waited_for():
    progress = Progress(tuple(submission(name) for name in NAMES))
    watching = asyncio.create_task(until_final(progress, [], 30.0, quiet))
    await asyncio.sleep(0)
    for name in NAMES:
        progress.record(verdict(name, Decision.APPROVED))

    assert await watching is None


async def test_silence_is_bounded_and_the_missing_are_named():
    progress = Progress(tuple(submission(f"{number}.jpg") for number in range(12)))
    progress.record(verdict("0.jpg", Decision.APPROVED))
    progress.record(verdict("1.jpg", Decision.ESCALATED))

    complaint = await until_final(progress, [Running("consume")], 0.0, quiet)

    assert "without a final one: 1.jpg, 2.jpg" in complaint
    assert "and 1 more" in complaint
    assert "0.jpg," not in complaint.replace("10.jpg", "")


async def test_a_service_that_ends_early_ends_the_wait():
    progress = Progress((submission("late.jpg"),))

    complaint = await until_final(progress, [Running("consume"), Running("escalate", ended=True)], 30.0, quiet)

    assert "escalate ended before every upload had its verdict" == complaint
