"""Bugs of files: what is trusted that may not be there, and what is cut that was promised."""

from tests.planted.bugs.loop import CUTS, ERRORS, KILLS
from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_RECOVERY = "payrail.runtime.recovery"
_DRIVER = "payrail.runtime.driver:Driver"
_SIMFS = "payrail.runtime.simfs:SimFs"
#: In the real files.
_SYNC_NAME = "self._sync_name(path, where, is_new=is_new)"

BUGS = (
    Planted(
        "no-folder-sync-after-create",
        "a new file is synced, and its name is not",
        (Edit("payrail.storage.fs:RealFs.open", _SYNC_NAME, "pass"),),
        (seen_by("runtime/test_fs.py", pick="same_durable_steps"),),
        faults_only=True,
    ),
    Planted(
        "no-folder-sync-after-rename",
        "a file has its new content, and a power cut takes the rename back",
        (Edit("payrail.storage.fs:RealFs.replace", _SYNC_NAME, "pass"),),
        (seen_by("runtime/test_fs.py", pick="same_durable_steps"),),
        faults_only=True,
    ),
    Planted(
        "names-that-a-power-cut-takes",
        "the simulated house syncs no folder of a new file: what that would cost",
        (Edit(f"{_SIMFS}.open", "self._sync_name(path, is_new=is_new)", "pass"),),
        (seen_by(CUTS),),
        faults_only=True,
    ),
    Planted(
        "short-write-continued",
        "a write that the kernel did in part passes for a whole one",
        (Edit("payrail.storage.fs:_must_be_whole", "!= len(data)", "> len(data)"),),
        (seen_by("runtime/test_fs.py", pick="short_write"),),
        faults_only=True,
    ),
    Planted(
        "page-cache-trusted",
        "after a failed fsync of a book the next one is believed, and nothing is written again",
        (
            Edit(
                "payrail.storage.appender:Appender.sync",
                "if self._is_doubtful:",
                "if not self._is_doubtful and self.size < 0:",
            ),
        ),
        (seen_by("runtime/test_documents.py", pick="sync_failed"), seen_by(ERRORS)),
        faults_only=True,
    ),
    Planted(
        "tail-trusted",
        "a recovered journal takes bytes for durable that it has only read",
        (Edit(f"{_RECOVERY}:make_durable_again", "if doubtful:", "if not found:"),),
        (seen_by("runtime/test_recovery.py", pick="failed_fsync"), seen_by(CUTS)),
        faults_only=True,
    ),
    Planted(
        "acked-tail-cut",
        "damage below the last durable step is cut off like an unfinished line",
        (
            Edit(
                "payrail.storage.journal:extent",
                "if last_step < durable:",
                "if last_step < durable < 0:",
            ),
        ),
        (seen_by("runtime/test_recovery.py", pick="damage_in"),),
        faults_only=True,
    ),
    Planted(
        "torn-line-continued",
        "a new line begins in the middle of the torn one of a dead writer",
        (
            Edit(
                "payrail.storage.appender:Appender.end_line",
                "self._is_torn = self.size > 0 and",
                "self._is_torn = self.size < 0 and",
            ),
        ),
        (seen_by("runtime/test_spool.py", pick="torn_line"), seen_by(KILLS)),
        faults_only=True,
    ),
    Planted(
        "books-not-mended",
        "a book that lacks the last lines of the journal is left as it is",
        (Edit("payrail.runtime.mending:BookMend.mend", "if self.wrong_from is None", "if True"),),
        (seen_by("runtime/test_recovery.py", pick="book"), seen_by(KILLS)),
        faults_only=True,
    ),
    Planted(
        "messages-not-sent-again",
        "what a dead sender had journaled and not yet sent is never sent",
        (Edit(f"{_RECOVERY}:owed", "if m.missing", "if not m.missing and m.missing"),),
        (seen_by(KILLS),),
        faults_only=True,
    ),
    Planted(
        "restored-journal-goes-on",
        "a journal older than what others have read of it goes on, and numbers mean two things",
        (
            Edit(f"{_RECOVERY}:_refuse_behind", "mend.last_there > mend.sent", "mend.sent < 0"),
            Edit("payrail.runtime.mending:BookMend.refuse_behind", "if is_whole(line):", "if 0:"),
        ),
        (seen_by("runtime/test_recovery.py", pick="behind"),),
        faults_only=True,
    ),
    Planted(
        "snapshot-unnamed",
        "a snapshot is a start although no line of the journal names it",
        (
            Edit(
                f"{_RECOVERY}:_from_documents",
                "if not _is_named(",
                "if None is _is_named(",
            ),
        ),
        (seen_by("runtime/test_documents.py", pick="does_not_name or name_was_cut or not_name"),),
        faults_only=True,
    ),
    Planted(
        "snapshot-before-books",
        "a snapshot says that books and mailboxes hold what was never synced there",
        (Edit("payrail.storage.appender:Appender.sync", "self.file.sync()", "pass"),),
        (seen_by(CUTS),),
        faults_only=True,
    ),
    Planted(
        "snapshot-while-blocked",
        "a snapshot is written while a book cannot be",
        (Edit(f"{_DRIVER}.write_documents", "if not self.flush():", "if self.flush() is None:"),),
        (seen_by("runtime/test_documents.py", pick="cannot_be_written"),),
        faults_only=True,
    ),
    Planted(
        "hand-lines-by-inode",
        "people's file is known by its inode: another content in the same file is not noticed",
        (
            Edit(
                "payrail.storage.handfile:HandFile._is_same",
                "if file.identity() == self._identity and tail == self._tail:",
                "if self._identity in (None, file.identity()):",
            ),
        ),
        (seen_by("runtime/test_hand_lines.py"),),
    ),
    Planted(
        "hand-lines-not-synced",
        "what people wrote is handled before it is durable",
        (Edit("payrail.storage.handfile:HandFile._make_durable", "file.sync()", "pass"),),
        (seen_by("runtime/test_hand_lines.py", pick="taken_back"),),
        faults_only=True,
    ),
    Planted(
        "splitlines",
        "lines are split where Unicode says, and a name with U+2028 in it becomes two lines",
        (
            Edit(
                "payrail.storage.lines:complete_lines",
                '*lines, rest = data.split(b"\\n")',
                '*lines, rest = [text.encode() for text in (data.decode("utf-8", "replace") + "|").'
                "splitlines()]\n    rest = rest[:-1]",
            ),
        ),
        (seen_by("runtime/test_lines.py"), seen_by("runtime/test_rooms.py")),
    ),
    Planted(
        "rotation-of-the-unread",
        "a spool is moved away although its reader has not come to its end",
        (
            Edit(
                "payrail.storage.spool:SpoolWriter._rotate",
                "if not self._is_drained()",
                "if None is self._is_drained()",
            ),
        ),
        (seen_by("runtime/test_spool_moves.py", pick="unread"),),
        faults_only=True,
    ),
    Planted(
        "second-writer",
        "a lock that another holds counts as taken: two houses write into one home",
        (
            Edit(
                "payrail.runtime.locks:Lock.take",
                "os.close(handle)\n        return None",
                "return cls(handle)",
            ),
        ),
        (seen_by("runtime/test_lines.py", pick="one_holder"),),
        faults_only=True,
    ),
)
