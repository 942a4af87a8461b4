"""Files that jobs put out, on their way to a master: they come before the end that names them."""

from __future__ import annotations

from morphml.engines.failure import failure
from morphml.engines.port import Outcome, Succeeded
from morphml.engines.remote.ends import failed_instead
from morphml.engines.remote.worker.book import Book, Entry
from morphml.engines.remote.worker.happenings import Uploaded
from morphml.engines.remote.worker.transfers import Transfers
from morphml.ids import AttemptToken
from morphml.jobs import Artifact, artifacts_in
from morphml.scheduling.failures import FailureKind


class ArtifactUploads:
    """Has files stored at the present master.

    Args:
        book: what is known of attempts.
        transfers: uploads.
    """

    def __init__(self, book: Book, transfers: Transfers) -> None:
        self._book = book
        self._transfers = transfers
        self._uploading: set[tuple[AttemptToken, Artifact]] = set()

    def ended(self, entry: Entry, outcome: Outcome) -> None:
        """An attempt ended: its end may name files."""
        if isinstance(outcome, Succeeded) and outcome.outputs:
            entry.files = tuple(dict.fromkeys(artifacts_in(outcome.outputs)))

    def offer(self, entry: Entry, master: str) -> None:
        """Upload what the present master does not have, unless that is under way."""
        for file in entry.lacking(master):
            key = entry.name.token, file
            if key not in self._uploading:
                self._uploading.add(key)
                self._transfers.upload(entry.name, file)

    def uploaded(self, token: AttemptToken, file: Artifact, news: Uploaded) -> Entry | None:
        """A master has a file, or has not; the attempt, where its end may be told now."""
        self._uploading.discard((token, file))
        entry = self._book.wanted(token)
        if entry is None:
            return None
        if not news.problem:
            entry.stored(file, news.master)
        elif not news.again:
            message = f"the file {file.name} that the job put out was not stored: {news.problem}"
            failed = failure(FailureKind.INFRASTRUCTURE, "ArtifactNotStored", message)
            entry.result, entry.files = failed_instead(entry.result, failed), ()
        return entry
