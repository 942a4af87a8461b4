"""Which workers people mean who want some gone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from morphml.errors import CallerError, MorphError, UnknownWorker, WorkerError
from morphml.master.cluster.draining import ask_to_drain, check_left, chosen, still_there
from morphml.scheduling.worker import WorkerState
from morphml.storage import StoreOptions, open_store
from morphml.storage.cluster import WorkerRow


def row(
    id_: str, name: str, state: WorkerState = WorkerState.IDLE, *, live: bool = True
) -> WorkerRow:
    return WorkerRow(id=id_, name=name, state=state, joined_at=0.0, silent_s=7.4, live=live)


THERE = (
    row("01", "box"),
    row("02", "twin", WorkerState.BUSY),
    row("03", "twin", WorkerState.DRAINING),
    row("04", "old", WorkerState.GONE),
    row("05", "quiet", WorkerState.LOST),
    row("06", "orphan", live=False),
    row("07", "back", WorkerState.GONE),
    row("08", "back", WorkerState.SUSPECT),
    row("09", "01"),
)


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["box"], ["01"]),
        (["03", "02"], ["03", "02"]),
        (["box", "02", "box", "01"], ["01", "02"]),
        (["back"], ["08"]),
        (["01"], ["01"]),
    ],
    ids=["a name", "ids", "each once", "the life that goes on", "an id before a name"],
)
def test_workers_are_chosen_by_name_or_id(words: list[str], ids: list[str]) -> None:
    assert [each.id for each in chosen(THERE, words)] == ids


@pytest.mark.parametrize(
    ("word", "kind", "says"),
    [
        ("bix", UnknownWorker, "none of this name or id; there are: 01, back, box, twin"),
        ("twin", CallerError, "2 have this name; say one by its id: 02, 03"),
        ("old", UnknownWorker, "is gone, last heard 7 s ago"),
        ("05", UnknownWorker, "is lost, last heard 7 s ago"),
        ("orphan", UnknownWorker, "is without a live master"),
    ],
)
def test_workers_that_cannot_be_meant_are_told_apart(
    word: str, kind: type[MorphError], says: str
) -> None:
    with pytest.raises(kind, match=f"worker {word}: .*{says}"):
        chosen(THERE, ["box", word])


def test_workers_have_left_that_say_so_or_that_no_master_has_for_long() -> None:
    late = replace(row("10", "late", live=False), silent_s=15.1)
    ids = {"01", "03", "04", "05", "06", "08", "10"}
    assert [each.id for each in still_there((*THERE, late), ids)] == ["01", "03", "06", "08"]


def test_workers_that_were_lost_have_not_left_by_themselves() -> None:
    check_left(THERE, {"04", "07", "11"})
    with pytest.raises(WorkerError, match=r"had left: quiet \(05\), orphan \(06\); what it ran"):
        check_left(THERE, {"04", "05", "06"})


def test_all_that_are_named_are_asked_or_none() -> None:
    store = open_store(":memory:", StoreOptions())
    session = store.open_session("master")
    workers = store.cluster.workers
    workers.put(session, [row("01", "box"), row("02", "bax")])
    for words, grace_s in ((["box", "bix"], 1.0), (["box"], math.inf), (["box"], -1.0)):
        with pytest.raises(MorphError):
            ask_to_drain(store, words, grace_s)
    assert workers.to_drain(session) == {}
    assert [each.name for each in ask_to_drain(store, ["box", "02"])] == ["box", "bax"]
    assert workers.to_drain(session) == {"01": None, "02": None}
    store.close()
