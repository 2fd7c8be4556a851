"""kill: the gateway is killed each second while shops pay, and nothing is lost or charged twice.

The short form: ten seconds. The long one is `tests/chaos/kill-gateway.sh`.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.cli.shop import Answer, Shop
from actors.cli.stories import Checks
from actors.cli.stories.books import broken_links, live_approvals, unbalanced
from actors.cli.stories.cards import MERCHANT, good_card, order
from actors.cli.stories.endpoint import Endpoint, listening
from actors.cli.stories.houses import House, own_house, until
from payrail.domain.books import LEDGER_BOOK, OUTBOX_BOOK

CLIENTS = 16
SECONDS = 10.0
KILL_EVERY_S = 1.0
#: How long the endpoint may lag behind once nobody is killed any more.
EVENTS_S_MAX = 60.0
_FINE = frozenset({200, 201, 202})


@dataclass(slots=True)
class Seen:
    """What the clients saw."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    finals: dict[str, Answer] = field(default_factory=dict)  # by idempotency key
    differing: list[str] = field(default_factory=list)  # keys with two final answers
    captured: dict[str, str] = field(default_factory=dict)  # payment: the state it was told
    read_while_dead: int = 0

    def watch(self, operation: str, answer: Answer) -> None:
        name = f"{operation} {answer.status} {answer.code}".strip()
        self.answers[name] += 1
        if not _allowed(answer):
            self.wrong[name] += 1

    def final(self, key: str, answer: Answer) -> None:
        first = self.finals.setdefault(key, answer)
        if (first.status, first.data) != (answer.status, answer.data):
            self.differing.append(key)


async def play(checks: Checks) -> None:
    seen = Seen()
    async with (
        listening() as endpoint,
        own_house({"PAYRAIL_WEBHOOK_ALLOW": endpoint.place}) as house,
        house.shop() as shop,
    ):
        order_to = {"url": endpoint.url}
        await shop.post("endpoint", MERCHANT, "/webhook-endpoints", order_to, None)
        shop.watch = seen.watch
        token = await shop.tokenize(MERCHANT, good_card())
        dead = len(_letters(house))
        kills = await _storm(house, shop, token, seen)
        _check_clients(checks, seen, kills)
        await _settled(checks, house, shop, seen)
        _check_books(checks, house, seen)
        await _check_events(checks, house, endpoint)
        code, told = await house.payrail("verify", told=True)
        checks.that("`payrail verify` finds the house whole", code == 0, told)
        new = _letters(house)[dead:]
        checks.that("nothing new among the dead letters", not new, new[:2])


async def _storm(house: House, shop: Shop, token: str, seen: Seen) -> int:
    """Sixteen clients and one killer; result: how often the gateway was killed."""
    ends = asyncio.get_running_loop().time() + SECONDS

    async def client(number: int) -> None:
        turn = 0
        while asyncio.get_running_loop().time() < ends:
            await _pay(shop, token, f"kill-{number}-{turn}", seen)
            turn += 1

    async with asyncio.TaskGroup() as tasks:
        for number in range(CLIENTS):
            tasks.create_task(client(number))
        killer = tasks.create_task(_kill_each_second(house, shop, seen, ends))
    return killer.result()


async def _kill_each_second(house: House, shop: Shop, seen: Seen, ends: float) -> int:
    """Kill the gateway; after each kill read a payment, which needs no gateway."""
    kills = 0
    while asyncio.get_running_loop().time() + KILL_EVERY_S < ends:
        await asyncio.sleep(KILL_EVERY_S)
        if not house.kill("gateway"):
            continue
        kills += 1
        if seen.captured:
            answer = await shop.get(MERCHANT, f"/payment-intents/{next(iter(seen.captured))}")
            seen.read_while_dead += answer.status == 200
    return kills


async def _pay(shop: Shop, token: str, key: str, seen: Seen) -> None:
    """Create, authorize, capture, each with its key until the answer is final; then ask again."""
    created = await _final(shop, "create", "/payment-intents", order(token), key, seen)
    if created.status != 201:
        return
    payment_id = str(created.body["id"])
    for verb in ("authorize", "capture"):
        path = f"/payment-intents/{payment_id}/{verb}"
        answer = await _final(shop, verb, path, {}, key, seen)
        if answer.status != 200:
            return
    seen.captured[payment_id] = str(answer.payment.get("state"))


async def _final(
    shop: Shop, operation: str, path: str, body: object, key: str, seen: Seen
) -> Answer:
    """The final answer to a key, asked for twice; 202 is not final and asked about again."""
    name = f"{key}-{operation}"
    for _ in range(200):
        answer = await shop.keep_posting(operation, MERCHANT, path, body, name)
        if answer.status != 202:
            break
        await asyncio.sleep(0.1)
    seen.final(name, answer)
    seen.final(name, await shop.keep_posting(operation, MERCHANT, path, body, name))
    return answer


def _allowed(answer: Answer) -> bool:
    """Whether a client may see this while the gateway dies again and again."""
    if answer.status in _FINE or answer.status == 0:
        return True
    if answer.status in (503, 504):
        return "Retry-After" in answer.headers
    return answer.status == 409 and answer.code in ("idempotency-in-flight", "operation-in-doubt")


def _check_clients(checks: Checks, seen: Seen, kills: int) -> None:
    finals = len(seen.finals)
    checks.that(f"the gateway was killed {kills} times", kills >= SECONDS * 0.5, kills)
    checks.that(f"clients got {finals} final answers", finals >= CLIENTS, seen.answers)
    checks.that(
        "they saw only 2xx, in-flight, 503 or 504 to retry, or a drop", not seen.wrong, seen.wrong
    )
    checks.that(
        "the same key always ends in one final answer", not seen.differing, seen.differing[:5]
    )
    checks.that(
        "a payment can be read while the gateway is dead",
        seen.read_while_dead >= 1,
        seen.read_while_dead,
    )


async def _settled(checks: Checks, house: House, shop: Shop, seen: Seen) -> None:
    """The house comes to rest: every payment that a client was told of reads as it was told."""
    await until(lambda: house.row("gateway").get("state") == "serving")
    wrong = {}
    for payment_id, told in seen.captured.items():
        state = (await shop.get(MERCHANT, f"/payment-intents/{payment_id}")).body.get("state")
        if state != told or told != "captured":
            wrong[payment_id] = (told, state)
    fact = f"{len(seen.captured)} payments read as captured, as their clients were told"
    checks.that(fact, seen.captured and not wrong, dict(list(wrong.items())[:3]))


def _check_books(checks: Checks, house: House, seen: Seen) -> None:
    book = house.lines(LEDGER_BOOK)
    created = Counter(line["ref"] for line in book if line["type"] == "payment.created")
    acknowledged = [a.body["id"] for k, a in seen.finals.items() if a.status == 201]
    odd = [payment_id for payment_id in acknowledged if created[payment_id] != 1]
    fact = f"each of {len(acknowledged)} acknowledged payments is in the book once"
    checks.that(fact, acknowledged and not odd, odd[:3])
    extra = len(created) - len(acknowledged)
    checks.that("and no payment besides them", extra == 0, extra)
    twice = _more_than_one(live_approvals(house))
    checks.that("at most one live approval each in the truths", not twice, twice)
    types = Counter((line["ref"], line["type"]) for line in book)
    captures = _more_than_one(
        {ref: n for (ref, kind), n in types.items() if kind == "payment.captured"}
    )
    checks.that("no payment is captured twice", not captures, captures)
    checks.that("every entry sums to zero per currency", not unbalanced(book), unbalanced(book)[:3])
    damaged = broken_links(house.home)
    checks.that("every book is one whole chain", not damaged, damaged[:3])


async def _check_events(checks: Checks, house: House, endpoint: Endpoint) -> None:
    events = [e["id"] for e in house.lines(OUTBOX_BOOK) if e["merchant_id"] == MERCHANT]
    await until(lambda: all(name in endpoint.bodies for name in events), EVENTS_S_MAX)
    missing = [name for name in events if name not in endpoint.bodies]
    checks.that(f"each of {len(events)} events is at the endpoint", events and not missing, missing)
    twisted = [name for name, bodies in endpoint.bodies.items() if len(bodies) > 1]
    strange = sorted(endpoint.bodies.keys() - set(events))
    fact = "under its own id, with one body however often it came"
    checks.that(fact, not twisted and not strange, (twisted or strange)[:3])


def _more_than_one(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count > 1}


def _letters(house: House) -> list[object]:
    folder = house.home / "mailboxes" / "dlq"
    names = sorted(path.name for path in folder.glob("*.jsonl"))
    return [line for name in names for line in house.lines(f"mailboxes/dlq/{name}")]
