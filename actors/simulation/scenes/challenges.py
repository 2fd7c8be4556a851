"""A challenge is asked for once and answered once, whoever dies at whatever effect."""

from actors.simulation import orders
from actors.simulation.crashes import TOKEN, Act, Scene
from actors.simulation.house import SimHouse
from payrail.domain.timestamps import parse_iso

ALWAYS, THEN_DECLINED = "4000002760003184", "4000008400001629"
ASKED = ("payment.created", "payment.attempt_started", "payment.requires_action")
CHARGED = (*ASKED, "payment.attempt_started", "payment.authorized")
TAKEN = ("payment.capture_requested", "payment.captured", "fee.charged")


def stored(number: str) -> Act:
    def setup(house: SimHouse) -> None:
        house.tokenize(number, "card")
        house.run()

    return setup


def waiting(number: str = ALWAYS, capture: str = "manual", drill: str | None = None) -> Act:
    """The cardholder has the page before them."""

    def setup(house: SimHouse) -> None:
        stored(number)(house)
        order = orders.create(TOKEN, "made", confirm=True, capture_method=capture)
        status, body = house.say(order, "made")
        assert (status, body["state"]) == (201, "requires_action")
        if drill is not None:
            house.drill(orders.drill(drill))

    return setup


def the_payment(house: SimHouse) -> str:
    return str(house.entries[0]["ref"])


def confirm(house: SimHouse) -> None:
    house.put(orders.create(TOKEN, "k", confirm=True), "q")
    house.run()


def says(outcome: str, *waits_ms: int) -> Act:
    def story(house: SimHouse) -> None:
        asked = next(e for e in house.entries if e["type"] == "payment.requires_action")
        challenge_id = str(asked["data"]["challenge_id"])
        house.put(orders.answer_challenge(the_payment(house), challenge_id, outcome, "k"), "q")
        house.run()
        for wait_ms in waits_ms:
            house.wait(wait_ms)

    return story


def nobody_comes(house: SimHouse) -> None:
    asked = next(e for e in house.entries if e["type"] == "payment.requires_action")
    due_ms = parse_iso(asked["data"]["expires_at"])
    house.wait(due_ms - house.clock.now().business_ms)


def shop_cancels(house: SimHouse) -> None:
    house.put(orders.cancel(the_payment(house), "k"), "q")
    house.run()


def ends(*types: str, money: tuple[str, ...] = ()) -> Act:
    """The payment has these entries, and the providers did just this; doubt may come between."""

    def expect(house: SimHouse) -> None:
        found = [t for t in house.types(the_payment(house)) if t != "payment.unknown"]
        assert found == list(types)
        assert [truth["operation"] for truth in house.truths] == list(money)
        asked = {
            e["data"]["reference"] for e in house.entries if e["type"] == "payment.requires_action"
        }
        assert not asked & {truth["reference"] for truth in house.truths}

    return expect


def charged_unless_fenced(house: SimHouse) -> None:
    """The ask finds the charge, unless a stuck spool has let it come first: then it fences it."""
    if house.truths:
        ends(*CHARGED, money=("authorize",))(house)
    else:
        ends(*ASKED, "payment.attempt_started", "payment.declined")(house)


SCENES = (
    Scene("challenge asked for", stored(ALWAYS), confirm, ends(*ASKED)),
    Scene("challenge approved", waiting(), says("approve"), ends(*CHARGED, money=("authorize",))),
    Scene(
        "challenge approved and captured",
        waiting(capture="automatic"),
        says("approve"),
        ends(*CHARGED, *TAKEN, money=("authorize", "capture")),
    ),
    Scene(
        "challenge approved, charge in doubt",
        waiting(drill="approve_then_hang"),
        says("approve", 5_000),
        charged_unless_fenced,
    ),
    Scene(
        "challenge approved, card declined",
        waiting(THEN_DECLINED),
        says("approve"),
        ends(*ASKED, "payment.attempt_started", "payment.declined"),
    ),
    Scene("challenge failed", waiting(), says("fail"), ends(*ASKED, "payment.declined")),
    Scene("challenge left", waiting(), says("abandon"), ends(*ASKED, "payment.reversed")),
    Scene("challenge cancelled", waiting(), shop_cancels, ends(*ASKED, "payment.reversed")),
    Scene("challenge expires", waiting(), nobody_comes, ends(*ASKED, "payment.reversed")),
)
