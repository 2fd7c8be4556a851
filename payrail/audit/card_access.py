"""The history of card uses, out of the vault's access log. Reads only."""

from collections.abc import Iterator

from payrail.audit.reading import Part
from payrail.domain.books import CARD_ACCESS_BOOK
from payrail.domain.card_access import CardAccess, read_access
from payrail.errors import LineDamaged
from payrail.runtime.ports import Fs
from payrail.storage.lines import is_whole


def accesses(fs: Fs) -> Iterator[CardAccess]:
    """Every line that is whole; `payrail.audit.house.verify_book` tells of those that are not."""
    part = Part(fs, CARD_ACCESS_BOOK)
    try:
        for _, _, line in part.lines():
            try:
                if is_whole(line):
                    yield read_access(line)
            except LineDamaged:
                continue
    finally:
        part.close()
