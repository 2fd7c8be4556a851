"""Following a book: what whoever reads it does when people put another file in its place."""

import pytest

from payrail.errors import Corrupt
from payrail.runtime.sim import SimDisk, SimFs
from payrail.storage.books import Follower
from payrail.storage.lines import GENESIS, chained, hash_of

BOOK = "data/book.jsonl"


def lines(*words: str) -> list[bytes]:
    """A chain, a line for each word."""
    made: list[bytes] = []
    for number, word in enumerate(words, 1):
        body = b'{"seq":%d,"word":"%b"}' % (number, word.encode())
        made.append(chained(body, hash_of(made[-1]) if made else GENESIS))
    return made


def book(*words: str) -> bytes:
    return b"".join(line + b"\n" for line in lines(*words))


def read_so_far(*words: str) -> tuple[SimFs, Follower]:
    """A follower that has read these lines, and holds the file open."""
    fs = SimFs(SimDisk())
    fs.replace(BOOK, book(*words))
    follower = Follower(fs, BOOK)
    assert len(list(follower.read())) == len(words)
    return fs, follower


def rest(follower: Follower) -> list[bytes]:
    return [line for _offset, line in follower.read()]


def test_a_book_put_back_as_another_file_is_read_on():
    """The same lines in another file, then a new one: it is read, and those above can be again."""
    fs, follower = read_so_far("one", "two")
    left = follower.known().identity()
    fs.replace(BOOK, book("one", "two"))
    assert (follower.has_news(), rest(follower)) == (False, [])
    fs.open(BOOK).append(book("one", "two", "three")[follower.offset :])

    assert follower.has_news()
    assert rest(follower) == lines("one", "two", "three")[2:]
    assert follower.known().identity() == fs.identity(BOOK) != left
    assert not follower.has_news()


def test_a_copy_hides_nothing_of_a_writer_that_holds_the_file():
    """While the writer has not opened the copy, its next line is read where it writes."""
    fs, follower = read_so_far("one")
    held = fs.open(BOOK)
    fs.replace(BOOK, book("one"))
    held.append(book("one", "two")[follower.offset :])

    assert follower.has_news()
    assert next(follower.read())[1] == lines("one", "two")[1]


@pytest.mark.parametrize("other", [book("one"), book("one", "TWO", "three"), b""])
def test_a_file_that_is_not_the_book_is_damage_until_it_is_mended(other):
    """A copy of before, or of another story: nobody reads it on, and nobody takes ours as whole.
    Once the lines are back it is read."""
    fs, follower = read_so_far("one", "two")
    fs.replace(BOOK, other)

    assert follower.has_news()
    for _ in range(2):
        with pytest.raises(Corrupt, match="another file was put here"):
            list(follower.read())
        assert not follower.goes_on()
    fs.open(BOOK).pwrite(0, book("one", "two", "three")[: follower.offset])
    fs.replace(BOOK, book("one", "two", "three"))
    assert follower.goes_on()
    assert rest(follower) == lines("one", "two", "three")[2:]


@pytest.mark.parametrize("good", [book("one"), book("one", "two")])
def test_a_whole_book_put_in_the_place_of_a_damaged_one_is_read(good):
    """Who met a bad line looks at the file that people put there, whether it is longer or not."""
    fs, follower = read_so_far("one")
    fs.open(BOOK).append(book("one", "two")[follower.offset :].replace(b"two", b"2wo"))
    with pytest.raises(Corrupt, match="do not match its hash"):
        list(follower.read())
    fs.replace(BOOK, good)

    assert follower.goes_on() == (good == book("one", "two"))
    assert rest(follower) == lines("one", "two")[1 : good.count(b"\n")]


def test_a_book_that_is_gone_is_damage_until_it_is_back():
    """Nobody reads a line again of a book that somebody removed; put back, it is as before."""
    fs, follower = read_so_far("one")
    fs.unlink(BOOK)
    assert (follower.has_news(), rest(follower)) == (False, [])
    with pytest.raises(Corrupt, match="is gone"):
        follower.known()

    fs.replace(BOOK, book("one"))
    assert rest(follower) == []
    assert follower.known().size() == follower.offset
