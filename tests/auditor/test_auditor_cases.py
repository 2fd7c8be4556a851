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


WARNED = {"payment_id": "pi_2", "reason": "early_fraud_warning", "exposure": 700}
WARNING = {**WARNED, "provider": "providerA", "references": ["pi_2.1", "issfr_1"]}
SUSPECTED = book("case.opened", "case_1", 700, **WARNING)
AGAIN = book("case.opened", "case_2", 700, **WARNING)
ELSEWHERE_KNOWN = book("case.opened", "case_1", 700, **{**WARNING, "provider": "providerB"})


def warn(house: House) -> None:
    house.effect("pi_2.1", "fraud_warning", 700, "issfr_1")


@pytest.mark.parametrize(
    ("plants", "lines"),
    [
        ((warn, SUSPECTED), []),
        ((SUSPECTED,), [9]),
        ((warn, ELSEWHERE_KNOWN), [9]),
        ((warn, SUSPECTED, AGAIN), [10]),
    ],
    ids=["true", "never given", "given elsewhere", "twice"],
)
def test_a_case_of_suspected_fraud_is_about_one_true_warning(
    home: Path, plants: tuple[Plant, ...], lines: list[int]
) -> None:
    """By file and line; one that is true raises no alarm."""
    house = House()
    for plant in plants:
        plant(house)
    found = places(audited(home, house))
    assert found == {("warnings", hand.PAYMENTS, line) for line in lines}
