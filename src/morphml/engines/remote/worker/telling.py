"""What a worker tells its master of its attempts, and tells again to the next one."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import assert_never

from morphml.engines.failure import failure
from morphml.engines.port import (
    Cancelled,
    Checkpointed,
    EngineEvent,
    Finished,
    Logged,
    PausedAt,
    Reported,
    Started,
    WorkerGone,
)
from morphml.engines.remote.ends import outcome_to_result
from morphml.engines.remote.messages import CheckpointFile
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.wire import checkpoint_to_proto, event_to_proto
from morphml.engines.remote.worker.artifacts import ArtifactUploads
from morphml.engines.remote.worker.book import Book, Entry, Stage
from morphml.engines.remote.worker.happenings import Uploaded
from morphml.engines.remote.worker.output import Output
from morphml.engines.remote.worker.scratch import Scratch
from morphml.engines.remote.worker.transfers import Transfers
from morphml.ids import AttemptToken
from morphml.jobs import Artifact
from morphml.scheduling.failures import FailureKind

_log = logging.getLogger(__name__)

#: Seconds for which news that are not urgent wait for others: a message costs both sides more than
#: what is in it.
_LINGER_S = 0.01
#: The same for news that change nothing at the master, which asks after 2 s at the earliest. Where
#: many attempts begin at once, those that wait to begin go first.
_CALM_S = 0.25
_CALM = frozenset({"accepted", "started"})

#: Sends events to the present master.
Put = Callable[[Sequence[pb.WorkerEvent]], None]


class Telling:
    """The worker's side of the conversation, as far as attempts go.

    Args:
        book: what is known of them.
        output: gathers what they print.
        scratch: keeps checkpoints until they are stored elsewhere.
        transfers: uploads them.
        put: sends.
    """

    def __init__(
        self, book: Book, output: Output, scratch: Scratch, transfers: Transfers, put: Put
    ) -> None:
        self._book = book
        self._output = output
        self._scratch = scratch
        self._transfers = transfers
        self._artifacts = ArtifactUploads(book, transfers)
        self._put = put
        self._said: list[pb.WorkerEvent] = []
        self._urgent = False
        self._linger_s = _CALM_S
        #: When what was said is sent at the latest, in seconds of the clock that ``flush`` is told.
        self.due = math.inf
        #: When something was sent last, by the same clock.
        self.said_at = -math.inf
        self._answers: dict[AttemptToken, Callable[[pb.Result], None]] = {}
        self._uploading: dict[AttemptToken, CheckpointFile] = {}
        self._master = ""

    # --- the connection --------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether a master listens."""
        return bool(self._master)

    def welcomed(self, master: str) -> None:
        """A master listens from now on; it may know nothing of what was told before."""
        self._master = master
        for entry in self._book.entries():
            if entry.stage is Stage.RUNNING:
                self._tell_progress(entry)
            self._offer_checkpoint(entry)
            self._artifacts.offer(entry, master)
            self.offer(entry)

    def broke(self) -> None:
        """Nobody listens."""
        self._master, self.said_at = "", -math.inf
        self._said.clear()
        self._calm_down()
        self._output.discard()

    def say(self, event: pb.WorkerEvent) -> None:
        """Send an event with the next message; nothing while nobody listens."""
        if not self._master:
            return
        self._said.append(event)
        kind = event.WhichOneof("event")
        # A result while a task waits here: its child has something to do meanwhile.
        if kind == "result" and self._book.counts[Stage.WAITING] > 0:
            self._linger_s = _LINGER_S
        elif kind not in _CALM:
            self._urgent = True

    def flush(self, now: float) -> None:
        """Send what was said, and what attempts printed; what is not urgent a little later."""
        if not self._master:
            self._output.discard()
            return
        for token, (stream, text) in self._output.take(now):
            self._log(token, stream, text)
        if not self._said:
            return
        self.due = min(self.due, now + self._linger_s)
        if self._urgent or now >= self.due:
            said, self._said = self._said, []
            self._calm_down()
            self.said_at = now
            self._put(said)

    def _calm_down(self) -> None:
        """Nothing is to be sent."""
        self._urgent, self._linger_s, self.due = False, _CALM_S, math.inf

    # --- attempts --------------------------------------------------------------------------------

    def take(self, event: EngineEvent) -> None:
        """Something happened to an attempt."""
        match event:
            case Started():
                if self._book.begin(event.token, event.worker, event.at):
                    self._say(event)
            case Reported():
                if self._book.report(event.token, event.step, event.metrics):
                    self._say(event)
            case Logged():
                if self._book.wanted(event.token):
                    self._output.write(event.token, event.stream, event.text)
            case Checkpointed():
                self._keep(event)
            case Finished():
                self._finish(event)
            case WorkerGone():
                _log.debug("%s ended: %s", event.worker, event.reason)
            case _:
                assert_never(event)

    def offer(self, entry: Entry) -> None:
        """Tell the end of an attempt, if it has one and its checkpoint is stored."""
        if self._master and entry.tellable(self._master):
            self.say(pb.WorkerEvent(result=pb.Result.FromString(entry.result)))

    def uploaded(self, news: Uploaded) -> None:
        """A master has a checkpoint or a job's file, or has not."""
        if isinstance(news.file, Artifact):
            entry = self._artifacts.uploaded(news.attempt.token, news.file, news)
            if entry is not None:
                self.offer(entry)
            return
        self._checkpoint_uploaded(news, news.file)

    def _checkpoint_uploaded(self, news: Uploaded, file: CheckpointFile) -> None:
        token = news.attempt.token
        self._uploading.pop(token, None)
        if not news.problem:
            self._stored(news, file)
        elif not news.again:
            _log.warning("checkpoint of step %d was not stored: %s", file.step, news.problem)
            self._do_without(token, file)
        entry = self._book.get(token)
        if entry is None:
            self._scratch.clear(token)
        elif self._master and not entry.fenced:
            if not (news.again and news.master == self._master):
                self._offer_checkpoint(entry)
            self.offer(entry)

    def retry_uploads(self) -> None:
        """Try again what failed for a reason that may have passed."""
        for entry in self._book.entries():
            if self._master and entry.checkpoint is not None:
                self._upload(entry)
            if self._master:
                self._artifacts.offer(entry, self._master)

    def _say(self, event: EngineEvent) -> None:
        message = event_to_proto(event)
        if message is not None:
            self.say(message)

    def _log(self, token: AttemptToken, stream: str, text: str) -> None:
        self._say(Logged(token=token, stream=stream, text=text))

    def _tell_progress(self, entry: Entry) -> None:
        token = entry.name.token
        self._say(Started(token=token, worker=entry.slot, at=entry.began_at))
        for step, metrics in entry.reports:
            self._say(Reported(token=token, step=step, metrics=metrics))

    def answer(self, token: AttemptToken, answer: Callable[[pb.Result], None]) -> None:
        """Tell an attempt's end to an operator instead, and nothing else of it to anybody."""
        self._book[token].private = True
        self._answers[token] = answer

    # --- ends ------------------------------------------------------------------------------------

    def _finish(self, event: Finished) -> None:
        entry = self._book.get(event.token)
        if entry is None:
            return
        last_words = self._output.finish(event.token)
        back = entry.evicted and entry.stage is Stage.WAITING
        if back and not entry.fenced and not entry.private:
            self._book.drop(event.token)
            self._scratch.clear(event.token)
            self.say(pb.WorkerEvent(returned=pb.Returned(tokens=[event.token])))
            return
        result = outcome_to_result(entry.name, _as_told(entry, event))
        if entry.private:
            self._book.drop(event.token)
            self._answers.pop(event.token)(result)
            return
        if self._book.end(event.token, result.SerializeToString()) is None:
            self._scratch.clear(event.token)
            return
        self._artifacts.ended(entry, event.outcome)
        if self._master:
            self._artifacts.offer(entry, self._master)
        for stream, text in last_words:
            self._log(event.token, stream, text)
        self.offer(entry)

    # --- checkpoints -----------------------------------------------------------------------------

    def _keep(self, event: Checkpointed) -> None:
        kept = self._scratch.keep(event.token, event.step, event.path)
        if kept is None:
            return
        file = CheckpointFile(step=event.step, digest=event.digest, size=kept.stat().st_size)
        entry = self._book.wanted(event.token)
        if entry is None:
            kept.unlink(missing_ok=True)
            return
        entry.save(file)
        self._scratch.remember(file.digest, kept)
        if self._master:
            self._upload(entry)

    def _offer_checkpoint(self, entry: Entry) -> None:
        """Have the newest checkpoint stored at the present master, which is told of it."""
        if entry.checkpoint is None:
            return
        if entry.checkpoint_at == self._master:
            saved = checkpoint_to_proto(entry.name.token, entry.checkpoint)
            self.say(pb.WorkerEvent(saved=saved))
        else:
            self._upload(entry)

    def _upload(self, entry: Entry) -> None:
        token, file = entry.name.token, entry.checkpoint
        if file is None or entry.checkpoint_at == self._master or token in self._uploading:
            return
        self._uploading[token] = file
        self._transfers.upload(entry.name, file)

    def _stored(self, news: Uploaded, file: CheckpointFile) -> None:
        token = news.attempt.token
        entry = self._book.wanted(token)
        if entry is None:
            return
        entry.uploaded(file, news.master)
        newest = entry.checkpoint
        self._scratch.clear(token, but=None if newest is None else newest.step)
        if newest != file and news.master == self._master:
            self.say(pb.WorkerEvent(saved=checkpoint_to_proto(token, file)))

    def _do_without(self, token: AttemptToken, file: CheckpointFile) -> None:
        entry = self._book.wanted(token)
        if entry is not None and entry.give_up(file) and entry.result:
            result = pb.Result.FromString(entry.result)
            if result.HasField("paused"):
                result.paused.step = min(result.paused.step, entry.stored_step)
                entry.result = result.SerializeToString()


def _as_told(entry: Entry, event: Finished) -> Finished:
    """The end with its true cause, and no checkpoint that no master has.

    Who leaves may have ended the attempt, not who ordered it.
    """
    outcome = event.outcome
    if isinstance(outcome, PausedAt) and entry.checkpoint is None:
        outcome = replace(outcome, step=min(outcome.step, entry.stored_step))
    if isinstance(outcome, Cancelled) and entry.evicted and not entry.cancelled:
        message = "the worker left before the attempt ended"
        outcome = failure(FailureKind.PREEMPTED, "Preempted", message)
    return replace(event, outcome=outcome)
