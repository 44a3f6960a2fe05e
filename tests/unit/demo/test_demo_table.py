import io

from recorded import NAMES, submission
from rich.console import Console

from sluicegate_consumer.demo.progress import Progress
from sluicegate_consumer.demo.table import live_view, summary, table


def printed(renderable, width=140):
    console = Console(width=width, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


def test_every_image_has_its_line_with_decision_category_score_tier_and_time(run):
    text = printed(table(run, run.submissions))

    line = next(line for line in text.splitlines() if "coffee-detail.png" in line)
    assert all(word in line for word in ("review", "sexual", "NSFW 0.589", "1,840 ms"))
    assert all(name in text for name in NAMES)


def test_a_terminal_of_80_columns_cuts_neither_decision_nor_time(run):
    text = printed(table(run, run.submissions), width=80)

    assert "unprocessable" in text
    assert "1,840 ms" in text
    assert max(map(len, text.splitlines())) <= 80


def test_an_upload_without_a_verdict_is_said_to_wait():
    upload = submission("late.jpg")

    assert "waiting" in printed(table(Progress((upload,)), (upload,)))


def test_the_summary_counts_what_is_final(run):
    waiting = Progress((*run.submissions, submission("late.jpg")))
    for upload in run.submissions:
        for event in run.history(upload):
            waiting.record(event)

    assert "11 of 12 final: 7 approved, 1 rejected, 2 review, 1 unprocessable" == summary(waiting).plain


def test_a_view_that_is_too_small_for_all_shows_those_that_still_wait():
    uploads = tuple(submission(f"{number}.jpg") for number in range(50))

    text = printed(live_view(Progress(uploads), lines=16))

    assert 10 == text.count(".jpg")
    assert len(text.splitlines()) <= 16


def test_a_name_with_markup_is_shown_as_it_is():
    upload = submission("[bold]a[/bold].jpg")

    assert "[bold]a[/bold].jpg" in printed(table(Progress((upload,)), (upload,)))
