"""Each invariant can fail: evidence of a whole run is spoilt in one way, and it says so."""

import copy
from dataclasses import replace

import pytest

from actors.simulation.evidence import Evidence
from actors.simulation.house import GOOD
from actors.simulation.invariants import ALL, WAITING, check_all
from actors.simulation.seen import evidence_of
from payrail.runtime.sim import SimFs
from tests.scenarios.spoilt import inside, money, outside, tokens
from tests.scenarios.spoilt.run import Everybody, Spoil, a_run

CASES = (*money.CASES, *outside.CASES, *inside.CASES, *tokens.CASES)


@pytest.fixture(scope="module")
def house() -> Everybody:
    return a_run()


@pytest.fixture
def evidence(house: Everybody) -> Evidence:
    """Fresh files, so that a test may change them."""
    found = evidence_of(house)
    return replace(found, fs=SimFs(copy.deepcopy(house.disk)), cards=[GOOD])


def test_nothing_is_wrong_with_a_run_that_went_well(evidence: Evidence):
    """All invariants hold where nothing went wrong, also those that take long."""
    assert not check_all(evidence, deep=True), str(check_all(evidence, deep=True))


@pytest.mark.parametrize(
    ("ident", "spoil", "words", "also"),
    CASES,
    ids=[f"{ident}-{spoil.__name__}" for ident, spoil, *_ in CASES],
)
def test_each_invariant_can_fail(
    evidence: Evidence, ident: str, spoil: Spoil, words: str, also: str
):
    """Evidence that is spoilt in one way is found by who is there for it, and by nobody else but
    those who must see the same."""
    findings = check_all(spoil(evidence) or evidence, deep=True)

    assert any(words in one for one in findings.by_id.get(ident, ())), str(findings)
    assert set(findings.by_id) <= {ident, *also.split()}, str(findings)


def test_every_invariant_is_spoilt_once():
    """No invariant is without a case that makes it fail, and none that waits is checked."""
    spoilt = {ident for ident, *_ in CASES}
    assert {one.id for one in ALL} == spoilt
    assert len({one.id for one in ALL}) == len(ALL)
    assert not {one.id for one in ALL} & {one.id for one in WAITING}
