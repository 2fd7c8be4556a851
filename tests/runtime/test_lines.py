"""A line is a line, whatever stands in it; a lock has one holder."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from payrail.runtime.locks import Lock, is_locked
from payrail.storage.lines import chained, complete_lines, encode, is_whole

#: Where `str.splitlines` sees an end of a line, and JSON sees a character.
ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r"


@given(st.lists(st.text(st.characters(codec="utf-8") | st.sampled_from(ENDS)), max_size=4))
def test_only_a_newline_ends_a_line(texts: list[str]):
    """Whatever text stands in our lines, they are read as they were written."""
    written = [chained(encode({"text": text}), "0" * 64) for text in texts]

    lines, rest = complete_lines(b"".join(line + b"\n" for line in written) + b'{"torn')

    assert lines == written
    assert all(is_whole(line) for line in lines)
    assert rest == b'{"torn'


def test_a_lock_has_one_holder(tmp_path: Path):
    """Who comes second gets nothing, until the first has let go."""
    path = tmp_path / "lock"
    first = Lock.take(path)
    assert first is not None
    assert Lock.take(path) is None
    assert is_locked(path)
    first.release()

    assert not is_locked(path)
    second = Lock.take(path)
    assert second is not None
    second.release()
