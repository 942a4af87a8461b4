"""The report is one page that loads nothing and lets no text act as HTML."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser

from morphml.search.objectives import parse_objectives
from morphml.visualization import ReportData, TrialPoint, render_report

EVIL = "<script>alert(1)</script>\"'&"
VOID = {"meta", "br", "img", "link", "hr"}


class Reader(HTMLParser):
    """Counts elements and notes what does not close and what would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.links += [v or "" for k, v in attrs if k in {"src", "href", "xlink:href", "action"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [v or "" for k, v in attrs if k in {"src", "href", "xlink:href", "action"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def data(count: int = 20) -> ReportData:
    points = [
        TrialPoint(
            number=i,
            metrics={"accuracy": 0.5 + i / 100, "params": 1000.0 + 10 * i, EVIL: 1.0},
            decisions={EVIL: EVIL, "width": i},
            ended_s=float(i),
        )
        for i in range(count)
    ]
    return ReportData(
        name=EVIL,
        state="completed",
        reason=EVIL,
        objectives=parse_objectives({"accuracy": "max", "params": "min"}),
        constraints=[EVIL],
        points=[*points, TrialPoint(number=count, state="failed")],
        failures=[("user_error", EVIL)],
        settings={"optimizer": EVIL},
        space=EVIL,
        commands=[EVIL],
        versions={"morphml": EVIL},
        made_at=0.0,
    )


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_report_is_whole_and_loads_nothing() -> None:
    reader = read(render_report(data()))
    assert reader.seen.count("svg") == 5
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(reader.seen)
    assert [link for link in reader.links if not link.startswith(("#", "data:"))] == []


def test_report_escapes_every_text_it_was_given() -> None:
    page = render_report(data())
    assert EVIL not in page
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 10


def test_report_without_any_trial_says_so() -> None:
    empty = replace(data(0), points=[], failures=[], state="running")
    page = render_report(empty)
    read(page)
    assert "No trial has a result yet." in page
    assert "state unfinished" in page


def test_report_shows_the_best_trial_first() -> None:
    page = render_report(data())
    assert "Best architecture: trial 19" in page
    first = re.search(r'<tr class="best">.*?</tr>', page)
    assert first is not None
    assert ">19<" in first[0]


def test_report_shows_the_drawing_as_an_image_that_cannot_act() -> None:
    drawing = "<svg xmlns='http://www.w3.org/2000/svg'><style>text{fill:red}</style></svg>"
    page = render_report(replace(data(), drawing=drawing))
    assert "fill:red" not in page
    (image,) = [link for link in read(page).links if link.startswith("data:image/svg+xml;")]
    assert b64decode(image.partition(",")[2]).decode() == drawing
