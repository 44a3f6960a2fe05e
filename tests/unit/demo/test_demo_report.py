import base64
import re
from html.parser import HTMLParser

import pytest
from recorded import NAMES, submission, verdict

from sluicegate_consumer.demo.progress import Progress
from sluicegate_consumer.demo.report import Illustrations, SecondTier, render
from sluicegate_schemas.events import Decision

AWAY = SecondTier("Ollama does not answer.", "Judge <this> image.", {"enum": ["a", "r"]})
PICTURE = b"\xff\xd8 a picture \xff\xd9"
LOADING = {"src", "srcset", "poster", "data", "action", "background"}


class Page(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def of_class(self, name):
        return [attributes for _, attributes in self.elements if name in (attributes.get("class") or "").split()]


@pytest.fixture
def html(run):
    pictures = {upload.upload_id: PICTURE for upload in run.submissions if not upload.name.endswith(".tif")}
    return render(run, AWAY, Illustrations(pictures, {"NSFW": (0.15, 0.85)}))


@pytest.fixture
def page(html):
    return Page(html)


def test_every_upload_has_its_card_with_the_decision_in_words(html, page):
    assert len(NAMES) == len(page.of_class("card"))
    assert all(html.count(f">{name}</h2>") == 1 for name in NAMES)
    decisions = re.findall(r'<span class="badge (\w+)"><span aria-hidden="true">.</span> (\w+)</span>', html)
    assert len(NAMES) == len(decisions)
    assert all(style == word for style, word in decisions)


def test_what_could_be_decoded_is_shown_and_the_rest_has_a_placeholder(page):
    pictures = [attributes["src"] for tag, attributes in page.elements if tag == "img"]

    assert [f"data:image/jpeg;base64,{base64.b64encode(PICTURE).decode()}"] * (len(NAMES) - 1) == pictures
    assert ["no picture of multipage_rgb.tif"] == [blank["aria-label"] for blank in page.of_class("blank")]


def test_every_label_has_a_bar_as_long_as_its_score(html):
    card = html.split('<h2 title="coffee-detail.png">')[1].split("</li>\n<li")[0]

    assert ["0.0680", "0.5890", "0.3430"] == re.findall(r"--score: ([\d.]+)", card)[:3]
    assert "--approve: 0.15; --reject: 0.85" in card


def test_an_escalated_image_shows_what_both_tiers_made_of_it(html):
    history = re.search(r'<ol class="history".*?</ol>', html, re.DOTALL)[0]

    assert ["escalated", "review"] == re.findall(r"<b>(\w+)</b>", history)
    assert "said unsure (0.41)" in history


def test_only_a_rejected_image_is_veiled_and_the_keyboard_can_lift_it(page):
    assert ["0"] == [figure["tabindex"] for figure in page.of_class("veiled")]


def test_the_page_loads_nothing_from_anywhere(html, page):
    loaded = [
        value for _, attributes in page.elements for name, value in attributes.items() if name in LOADING and value
    ]

    assert all(value.startswith("data:") for value in loaded)
    assert not {"link", "iframe", "object", "embed"} & {tag for tag, _ in page.elements}
    assert not re.search(r"https?://|url\(|@import", html)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.jpg", '"><img src=x onerror=alert(1)>.jpg', "a&b'.png"])
def test_a_file_name_is_text_whatever_it_holds(name):
    progress = Progress((submission(name),))
    progress.record(verdict(name, Decision.APPROVED, (0.1, 0.1, 0.8)))

    page = Page(render(progress, AWAY, Illustrations({f"upload-{name}": PICTURE})))

    assert [name] == [attributes["title"] for tag, attributes in page.elements if tag == "h2" and "title" in attributes]
    assert 1 == sum(tag == "script" for tag, _ in page.elements)
    assert 1 == sum(tag == "img" for tag, _ in page.elements)


def test_labels_and_prompt_are_text_too():
    progress = Progress((submission("astronaut.png"),))
    progress.record(verdict("astronaut.png", Decision.APPROVED).model_copy(update={"scores": {"<b>": 0.5}}))

    html = render(progress, AWAY, Illustrations())

    assert "Judge &lt;this&gt; image." in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html.split('<ul class="scores"')[1].split("</ul>")[0]


def test_an_upload_without_a_verdict_is_said_to_be_missing():
    html = render(Progress((submission("late.jpg"),)), AWAY, Illustrations())

    assert "no verdict came" in html
    assert "1 without a final verdict" in html


def test_head_names_model_policy_and_second_tier(html):
    assert 'embedded <code title="sha256:5a5a' in html
    assert "default, version 2026-11-01" in html
    assert "Ollama does not answer." in html
