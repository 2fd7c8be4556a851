"""CSV files by the names of their columns: written whole, read line by line.

A file may have more columns than we know, in any order; one that we need and miss is damage.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from payrail.domain.settlement.lines import StatementDamaged, text_lines

COLUMNS_MAX = 60


def written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The bytes of a CSV file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode("ascii")


class Table:
    """A CSV file as it is read: `number` is that of the line that was read last."""

    def __init__(self, path: str, lines: Iterable[bytes], columns: Sequence[str]) -> None:
        """Raises StatementDamaged for a head that lacks one of `columns`."""
        self.path, self.number = path, 0
        self._rows = self._read(text_lines(path, lines))
        head = next(self._rows, None)
        if head is None:
            raise StatementDamaged(path, 1, "the file is empty: it needs a line of column names")
        if len(head) > COLUMNS_MAX or len(set(head)) != len(head):
            raise self.damaged("a column stands twice, or there are too many")
        missing = [name for name in columns if name not in head]
        if missing:
            raise self.damaged(f"the column {missing[0]!r} is missing")
        self._places = [head.index(name) for name in columns]
        self._width = len(head)

    def rows(self) -> Iterator[list[str]]:
        """The wanted columns of each line, in the order that was asked for."""
        places, width = self._places, self._width
        for row in self._rows:
            if len(row) != width:
                raise self.damaged(f"the line has {len(row)} columns, the head has {width}")
            yield [row[place] for place in places]

    def damaged(self, why: str) -> StatementDamaged:
        """What is wrong with the line that was read last."""
        return StatementDamaged(self.path, self.number, why)

    def _read(self, lines: Iterator[str]) -> Iterator[list[str]]:
        reader = csv.reader(lines, strict=True)
        while True:
            self.number = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self.damaged(f"not a line of CSV: {error}") from None
            if reader.line_num != self.number:
                raise self.damaged("a quoted text goes on over the end of its line")
            if row:
                yield row
