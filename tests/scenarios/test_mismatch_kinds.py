"""Each kind of mismatch at each provider: injected, settled, reconciled, found as that alone."""

from typing import Any

import pytest

from actors.simulation import orders
from actors.simulation.settled import DAY_MS, SettledHouse, mismatch
from actors.simulation.sound import must_be_sound
from payrail.domain.settlement.breaks import CLASSES

PROVIDERS = {"providerA": "provider-a", "providerB": "provider-b"}
#: Kinds that are known only a day later: until then a line may still come.
LATER = ("late", "missing_theirs")


def paid_at(provider: str, payments: int = 3) -> SettledHouse:
    """A house with captures at that provider alone."""
    house = SettledHouse()
    house.start()
    token = house.card()
    if provider == "providerB":
        house.drill(orders.drill("down", "*", count=20))
    for number in range(payments):
        house.captured(token, f"p{number}", 5000 + 100 * number)
    house.say(orders.clear(), "clear", "provider-a")
    return house


def logged(house: SettledHouse, actor: str) -> list[tuple[str, str]]:
    """(door, what was done) of the faults of statements that the provider's log is told of."""
    noted = [note.fields for note, _ in house.drivers[actor].loop.noted]
    return [(one["door"], one["do"]) for one in noted if one["operation"] == "statement"]


def reconciled(house: SettledHouse, kind: str) -> list[dict[str, Any]]:
    """Every break of every report, once it can be known."""
    house.wait(1)  # What is captured in the very moment of a closing belongs to the next batch.
    house.settle()
    house.reconcile()
    if kind in LATER:
        house.clock.advance_business_ms(2 * DAY_MS)
        house.run()
    names = house.fs.listdir("data/reconciliation")
    dated = sorted(name for name in names if name.startswith("reconciliation_report_"))
    return [one for name in dated for one in house.json(f"data/reconciliation/{name}")[0]["breaks"]]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", CLASSES)
def test_an_injected_mismatch_is_found_as_its_own_class_and_nothing_else(
    provider: str, kind: str
) -> None:
    """One line spoiled is one break, of the class that was injected, at the provider that it was
    injected at; everybody else's money is settled, and nothing is unexplained."""
    house = paid_at(provider)
    house.drill(mismatch(kind, count=1), PROVIDERS[provider])
    found = reconciled(house, kind)

    assert house.injected() == [kind]
    assert logged(house, PROVIDERS[provider]) == [("rule", f"settlement_mismatch:{kind}")]
    assert [one["class"] for one in found] == [kind]
    theirs, ours = found[0].get("theirs"), found[0].get("ours")
    assert theirs or ours
    if kind != "missing_theirs":
        assert f"/{provider}/" in (theirs or {})["file"]
    states = sorted(str(view.state) for view in house.state.payments.values())
    assert states.count("settled") >= 2
    spoiled = [t for t in house.truths if t["operation"] == "payout" and t.get("fault")]
    assert {t["fault"] for t in spoiled} <= {f"settlement_mismatch:{kind}"}
    assert len(spoiled) >= 1
    must_be_sound(house)
