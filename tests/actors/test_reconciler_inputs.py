"""What the reconciler says of a statement that is no file any more."""

from collections.abc import Callable
from pathlib import Path

import pytest

from actors.reconciler.inputs import statement_lines
from payrail.domain.settlement.lines import StatementDamaged
from payrail.domain.settlement.matching import Batch
from payrail.storage.fs import RealFs

PATH = "data/providers/statements/providerA/providerA-2026-02-09-01.csv"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda _path: None, "is missing"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: path.symlink_to("/dev/null"), "cannot be read"),
    ],
)
def test_what_is_no_file_is_told_at_once(tmp_path: Path, spoil: Callable[[Path], None], why: str):
    """Trying again would mend nothing, and no other date could be reconciled meanwhile."""
    (tmp_path / PATH).parent.mkdir(parents=True)
    spoil(tmp_path / PATH)
    batch = Batch("providerA", "providerA-2026-02-09-01", "2026-02-09", 0, 1, PATH, "")
    with pytest.raises(StatementDamaged, match=f"{why}.*put it back"):
        list(statement_lines(RealFs(str(tmp_path)), batch))
