"""What every run of a real house leaves behind, looked through for card numbers at its end.

Files of the home, what the house printed, and every answer that a shop heard: none has a number of
a documented card, however it is spelled, nor any other that could be a card's.
"""

from actors.cli.chaos.house import House
from payrail.domain.testcards import TEST_CARDS
from tests.auditor.pan import check_likely, check_pans
from tests.auditor.report import Report
from tests.scenarios.shop import heard_in


def look_through(house: House, *, likely: bool = True) -> None:
    """Raises AssertionError with file and line. `likely` False: where a test plants numbers that
    no card has, and wants them kept."""
    report, extra = Report(), [house.log, heard_in(house)]
    check_pans(house.home, list(TEST_CARDS), extra, report)
    if likely:
        check_likely(house.home, extra, report)
    assert report.is_clean, report.table()
