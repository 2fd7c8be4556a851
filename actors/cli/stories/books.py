"""What the stories read out of the books: links, sums, and what really happened."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payrail.domain.books import ACCESS_BOOK, CARD_ACCESS_BOOK, LEDGER_BOOK, OUTBOX_BOOK
from payrail.domain.messages import PROVIDERS
from payrail.domain.providers import public_name
from payrail.errors import Corrupt
from payrail.storage.books import Follower
from payrail.storage.fs import RealFs

if TYPE_CHECKING:
    from actors.cli.stories.houses import House

BOOKS = (
    LEDGER_BOOK,
    OUTBOX_BOOK,
    ACCESS_BOOK,
    CARD_ACCESS_BOOK,
    *(f"data/providers/{public_name(name)}_truth.jsonl" for name in PROVIDERS),
)


def broken_links(home: Path) -> list[str]:
    """Books whose lines do not follow each other, and where."""
    fs, found = RealFs(str(home)), []
    for path in BOOKS:
        try:
            for _ in Follower(fs, path).read():
                pass
        except Corrupt as error:
            found.append(str(error))
    return found


def unbalanced(book: list[dict[str, Any]]) -> list[str]:
    """Ids of entries whose postings do not sum to zero per currency."""
    found = []
    for line in book:
        sums: defaultdict[str, int] = defaultdict(int)
        for posting in line["postings"]:
            sums[posting["currency"]] += posting["amount"]
        if any(sums.values()):
            found.append(line["event_id"])
    return found


def live_approvals(house: "House") -> Counter[str]:
    """Payment: charges that were approved and not reversed, over all providers."""
    counts: Counter[str] = Counter()
    for name in PROVIDERS:
        for line in house.lines(f"data/providers/{public_name(name)}_truth.jsonl"):
            payment_id = str(line["reference"]).rpartition(".")[0]
            counts[payment_id] += {"authorize": 1, "reverse": -1}.get(line["operation"], 0)
    return counts
