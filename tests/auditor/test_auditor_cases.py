"""The auditor finds what cannot be true of cases: closed twice, by nobody, or never opened."""

from pathlib import Path

import pytest

from tests.auditor import handmade as hand
from tests.auditor.handmade import House
from tests.auditor.planted import Plant, audited, book, places

OPENED = book("case.opened", "case_1", 700, payment_id="pi_2", reason="late_approval", exposure=700)
CLOSED = book(
    "case.closed", "case_1", 0, payment_id="pi_2", closed_by="usr_1", resolution="given back"
)
ELSEWHERE = book(
    "case.closed", "case_1", 0, payment_id="pi_1", closed_by="usr_1", resolution="given back"
)
BY_NOBODY = book("case.closed", "case_1", 0, payment_id="pi_2", resolution="given back")


def test_a_case_that_is_closed_once_raises_no_alarm(home: Path) -> None:
    """Both entries were looked at."""
    house = House()
    OPENED(house)
    CLOSED(house)
    report = audited(home, house)

    assert (report.findings, report.looked_at["cases"]) == ([], 2)


@pytest.mark.parametrize(
    ("plants", "line"),
    [
        ((CLOSED,), 9),
        ((OPENED, OPENED), 10),
        ((OPENED, CLOSED, CLOSED), 11),
        ((OPENED, ELSEWHERE), 10),
        ((OPENED, BY_NOBODY), 10),
    ],
    ids=["never opened", "opened twice", "closed twice", "of another payment", "closed by nobody"],
)
def test_a_case_that_cannot_be_is_found(home: Path, plants: tuple[Plant, ...], line: int) -> None:
    """By file and line."""
    house = House()
    for plant in plants:
        plant(house)

    assert places(audited(home, house)) == {("cases", hand.PAYMENTS, line)}
