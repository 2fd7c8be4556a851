"""Bugs of the loop: what is told before it is durable, what is taken twice, what is forgotten."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

TOY = "runtime/test_crash_points_toy.py"
KILLS = f"{TOY}::test_a_kill_at_any_step_changes_nothing"
CUTS = f"{TOY}::test_a_power_cut_at_any_step_changes_nothing"
ERRORS = f"{TOY}::test_an_error_at_any_step_changes_nothing"

_DRIVER = "payrail.runtime.driver:Driver"
_LOOP = "payrail.runtime.loop:Loop"
_TURN = """\
    self._durable(effects)
    self.intake.tell_consumed()
    self._pending = self.loop.synced()
"""


def _before_the_fsync(effect: str) -> Edit:
    """A turn that carries out effects of one class first, and writes its journal afterwards."""
    early = f"""\
    told = self.loop.synced()
    self._pending = [effect for effect in told if isinstance(effect, {effect})]
    self.flush()
    self._durable(effects)
    self.intake.tell_consumed()
    self._pending = [effect for effect in told if not isinstance(effect, {effect})]
"""
    return Edit(f"{_DRIVER}.turn", _TURN, early)


BUGS = (
    Planted(
        "message-before-fsync",
        "a message is in its receiver's mailbox before the step that sent it is durable",
        (_before_the_fsync("Publish"),),
        (seen_by(CUTS), seen_by(KILLS)),
        faults_only=True,
    ),
    Planted(
        "book-before-fsync",
        "a book shows a line before the step that posted it is durable",
        (_before_the_fsync("Post"),),
        (seen_by(CUTS), seen_by(KILLS)),
        faults_only=True,
    ),
    Planted(
        "reply-before-fsync",
        "a client is answered before the step that answers is durable",
        (_before_the_fsync("Answer"),),
        (seen_by(CUTS), seen_by(KILLS)),
        faults_only=True,
    ),
    Planted(
        "errand-before-fsync",
        "work beside the loop begins before its intent is durable",
        (_before_the_fsync("Run"),),
        (seen_by("runtime/test_errands.py", pick="did_not_become_durable"),),
        faults_only=True,
    ),
    Planted(
        "retry-after-failed-fsync",
        "a failed fsync of the journal is tried again, and the second one is believed",
        (
            Edit(
                f"{_DRIVER}._durable",
                "self.journal.sync()",
                "try:\n                    self.journal.sync()\n"
                "                except OSError:\n                    self.journal.sync()",
            ),
        ),
        (seen_by(ERRORS),),
        faults_only=True,
    ),
    Planted(
        "line-taken-twice",
        "the watermark of an inner sender is not looked at: a line that is read again counts again",
        (Edit("payrail.runtime.admission:_order", "if envelope.n <= last:", "if envelope.n < 1:"),),
        (seen_by("runtime/test_loop.py", pick="line_twice"), seen_by(KILLS)),
        faults_only=True,
    ),
    Planted(
        "question-taken-twice",
        "the watermark of a door is not looked at: its lines count again after a restart",
        (
            Edit(
                "payrail.runtime.admission:_order",
                "return Passed() if seen else None",
                "return Passed() if seen and envelope.n < 1 else None",
            ),
        ),
        (seen_by("runtime/test_loop.py", pick="edge_are_ordered"), seen_by(KILLS)),
        faults_only=True,
    ),
    Planted(
        "gap-ignored",
        "a line behind a lost one is taken, and the lost one is never missed",
        (
            Edit(
                "payrail.runtime.admission:_order",
                "envelope.n > last + 1",
                "envelope.n > last + 1_000_000",
            ),
        ),
        (seen_by("runtime/test_loop.py", pick="a_gap"), seen_by(CUTS)),
        faults_only=True,
    ),
    Planted(
        "damaged-line-believed",
        "a mailbox line whose bytes do not match its hash is taken all the same",
        (
            Edit(
                "payrail.runtime.admission:admit_spool",
                "if not is_whole(item.line):",
                "if not item.line:",
            ),
        ),
        (seen_by("runtime/test_loop.py", pick="wrong_hash"),),
        faults_only=True,
    ),
    Planted(
        "position-before-fsync",
        "the cell shows lines as read that wait in memory: their spool may be moved away",
        (
            Edit(
                "payrail.runtime.intake:Intake.tell_consumed",
                "reader.sender in self._loop.unhealed or self._held",
                "reader.sender in self._loop.unhealed",
            ),
        ),
        (seen_by("runtime/test_loop.py", pick="lines_in_hand"),),
        faults_only=True,
    ),
    Planted(
        "hole-forgotten",
        "a spool with a hole may be moved away, and the hole is never filled",
        (
            Edit(
                "payrail.runtime.intake:Intake.tell_consumed",
                "reader.sender in self._loop.unhealed or self._held",
                "self._held",
            ),
        ),
        (seen_by("runtime/test_loop.py", pick="hole_keeps"),),
        faults_only=True,
    ),
    Planted(
        "door-overtakes",
        "a client's question is decided before what an actor wrote ahead of it",
        (
            Edit(
                "payrail.runtime.intake:Intake.collect",
                "if self._held and self._are_read(self._inner, self._held_marks):",
                "if self._held:",
            ),
        ),
        (seen_by("runtime/test_causal_order.py"),),
        faults_only=True,
    ),
    Planted(
        "timer-not-journaled",
        "a timer is set in memory and not in the journal: a restart forgets it",
        (
            Edit(
                "payrail.runtime.drafting:draft_step",
                "written = journal_bytes(line)",
                "timers, line.timers = line.timers, []\n"
                "    written = journal_bytes(line)\n"
                "    line.timers = timers",
            ),
        ),
        (seen_by("runtime/test_timers.py", pick="outlives"), seen_by(KILLS)),
        faults_only=True,
    ),
    Planted(
        "timer-fires-again",
        "a timer that fired stays in the head, and a restart fires it again",
        (
            Edit(
                "payrail.runtime.head:_fold_taken",
                "head.timers.pop(taken.id, None)",
                "head.timers.get(taken.id, None)",
            ),
        ),
        (seen_by("runtime/test_timers.py", pick="many_open"), seen_by(KILLS)),
    ),
    Planted(
        "epoch-reused",
        "a new incarnation goes on under the epoch of the dead one",
        (Edit(f"{_LOOP}.open", "self.head.epoch += 1", "self.head.epoch = self.head.epoch or 1"),),
        (seen_by("runtime/test_recovery.py", pick="epochs_rise"),),
        faults_only=True,
    ),
    Planted(
        "view-before-books",
        "people are shown a view before the books say the same",
        (
            Edit(
                f"{_LOOP}.synced",
                "[*_posts(after), *shows, *_publishes(after)",
                "[*shows, *_publishes(after), *_posts(after)",
            ),
        ),
        (seen_by("runtime/test_loop.py", pick="view_is_shown or held"),),
        faults_only=True,
    ),
    Planted(
        "poison-counted-in-vain",
        "a message that kills its reader is counted and never set aside",
        (Edit(f"{_LOOP}._one", "in self._poisoned", "in ()"),),
        (seen_by("runtime/test_dead_letters.py", pick="set_aside_at_last"),),
        faults_only=True,
    ),
    Planted(
        "flood-starves-others",
        "while one sender has something to say the others are not heard",
        (
            Edit(
                "payrail.runtime.intake:Intake.collect",
                "[item for reader in self._inner for item in self._lines(reader)]",
                "next((found for reader in self._inner if (found := self._lines(reader))), [])",
            ),
        ),
        (seen_by("runtime/test_loop.py", pick="hears_every_sender"),),
        faults_only=True,
    ),
)
