"""What the console's pages say, and that nothing of others becomes part of a page."""

from dataclasses import dataclass, field

import pytest
from msgspec.structs import asdict

from actors.console import shapes
from actors.console.money import amount_text, books_of
from actors.console.pages import HOUSE, OPERATIONS, PAGES, PAYMENT, PAYMENTS, Page
from actors.console.render import STATES, Renderer, bytes_text, day
from actors.console.story import challenge_link, story_of
from actors.console.tally import Tally
from actors.console.watch import Seen
from payrail.storage.lines import encode
from tests.rules.entries import CREATED, attempt, authorized, capture_requested, captured, entry

AT = "2026-02-09T12:00:00.123Z"
HOSTILE = """<script>alert('x')</script>"><img src=x onerror="y">{{ 7 * 7 }}"""


@dataclass
class Told:
    """Facts of a page, with what the house would be if nothing were known."""

    page: Page
    more: dict = field(default_factory=dict)

    def facts(self):
        known = {
            "page": self.page,
            "query": {"id": "pi_1"},
            "api_url": "http://127.0.0.1:8026",
            "stream_of": {"of": self.page.name},
            "seen": Seen(at=AT),
            "tally": Tally(),
            "summary": "All 6 actors serve.",
            "payments": shapes.Payments(),
            "payment": None,
            "entries": [],
            "story": None,
            "challenge_link": None,
            "books": [],
            "wanted": {},
            "kept": {},
        }
        return {**known, **self.more}


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def payment(**fields):
    card = shapes.Card("visa", "4242", "424242")
    given = {"state": "captured", "amount": 1099, "currency": "USD", "payment_method": card}
    return shapes.Payment("pi_1", **{**given, "created_at": AT, "updated_at": AT, **fields})


def event(seq, state, about="pi_1", amount=1099, currency="USD", kind="payment_intent"):
    subject = shapes.Subject(about, kind, state, amount, currency)
    return shapes.Event(f"evt_{seq}", seq, f"payment.{state}", AT, "m_001", shapes.About(subject))


@pytest.mark.parametrize(
    ("amount_minor", "currency", "shown"),
    [
        (1099, "USD", "10.99"),
        (123_456_789, "USD", "1,234,567.89"),
        (5, "EUR", "0.05"),
        (-5, "EUR", "−0.05"),
        (86_335, "JPY", "86,335"),
        (1758, "KWD", "1.758"),
        (0, "KWD", "0.000"),
        (1234, "???", "1,234"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(amount_minor, currency, shown) -> None:
    """Yen have none, dollars two, dinars three; a currency nobody knows is not guessed at."""
    assert amount_text(amount_minor, currency) == shown


def test_what_customers_write_stays_text(renderer) -> None:
    """A name, a metadata key or value, an address: none of it is ever a tag or a template."""
    about = payment(
        customer={"name": HOSTILE, "email": HOSTILE}, metadata={HOSTILE: HOSTILE}, state=HOSTILE
    )
    told = Told(PAYMENT, {"payment": about, "query": {"id": HOSTILE}}).facts()

    html = renderer.page("payment.html", told)

    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in html
    assert "{{ 7 * 7 }}" in html


def test_a_hostile_id_stays_inside_its_link(renderer) -> None:
    """Ids come from the API; one that is no id cannot leave the attribute that it stands in."""
    listed = shapes.Payments([shapes.Payment(HOSTILE, state="created", currency="USD")])

    html = renderer.region("newest", Told(HOUSE, {"payments": listed}).facts())

    assert "<img" not in html
    assert 'href="/payments/%3Cscript%3Ealert%28%27x%27%29%3C/script%3E%22%3E%3Cimg' in html


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_no_page_holds_anything_inline(renderer, page) -> None:
    """The policy forbids inline scripts and styles, so a page that has one is broken; and nothing
    is fetched from anywhere else."""
    html = renderer.page(page.template, Told(page, {"payment": payment()}).facts())

    for forbidden in (" style=", "<style", "onclick=", "onerror=", "javascript:", 'src="http'):
        assert forbidden not in html
    assert html.count("<script") == 1
    assert html.count("<h1") == 1


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_every_live_region_has_its_place_on_the_page(renderer, page) -> None:
    """A region that the stream tells about and the page does not have would be told to nobody."""
    html = renderer.page(page.template, Told(page, {"payment": payment()}).facts())

    for region in page.regions:
        assert html.count(f'id="{region}" data-region') == 1


def test_a_ledger_entry_shows_debit_and_credit(renderer) -> None:
    """A posting's sign becomes its column, and the amount stands there without it."""
    postings = [
        shapes.Posting("asset:providerA:receivable", 1758, "KWD"),
        shapes.Posting("liability:m_001:pending", -1758, "KWD"),
    ]
    entry = shapes.Entry(7, "evt_7", "payment.captured", "pi_1", AT, postings=postings)

    html = renderer.region(
        "payment", Told(PAYMENT, {"payment": payment(), "entries": [entry]}).facts()
    )

    first, second = html.split("asset:providerA:receivable")[1].split("liability:m_001:pending")
    assert first.startswith('</td><td class="num"><span class="money">1.758')
    assert second.startswith('</td><td class="num"></td><td class="num"><span class="money">1.758')
    assert "−" not in html


def test_a_payment_is_counted_where_it_stands_now() -> None:
    """Each payment counts once, in its last state, also when an event of it is told twice."""
    tally = Tally()
    for one in (
        event(1, "created"),
        event(2, "authorized"),
        event(3, "created", "pi_2", 500, "JPY"),
    ):
        tally.fold(one)
    tally.fold(event(2, "authorized"))
    tally.fold(event(4, "OPEN", "providerA", kind="provider"))

    assert +tally.states == {"authorized": 1, "created": 1}
    assert tally.payments == 2
    assert dict(tally.asked) == {"USD": 1099, "JPY": 500}
    assert [one.seq for one in tally.activity] == [4, 3, 2, 1]


def test_books_that_do_not_sum_to_zero_say_so(renderer) -> None:
    """The API turns liabilities and income; turned back, a currency's accounts sum to zero or the
    page names the difference."""
    rows = [
        shapes.Balance("asset:providerA:receivable", "USD", 1032),
        shapes.Balance("expense:providerA:fee", "USD", 67),
        shapes.Balance("income:gateway_fee", "USD", 67),
        shapes.Balance("liability:m_001:pending", "USD", 1032),
        shapes.Balance("asset:bank", "JPY", 5),
    ]

    yen, dollars = books_of(rows)

    assert (dollars.due, dollars.owed, dollars.earned, dollars.cost, dollars.off) == (
        (1032, 1032, 67, 67, 0)
    )
    assert yen.off == 5
    html = renderer.region("books", Told(HOUSE, {"books": [yen, dollars]}).facts())
    assert "off by 5" in html
    assert html.count("sums to zero") == 1


def test_what_was_seen_last_stays_and_is_called_old(renderer) -> None:
    """When the API is away, the page says since when, and as of when the rest is."""
    actors = [shapes.ActorRow("gateway", "serving", 3, 2, 812)]
    seen = Seen(AT, "nobody listens there", "2026-02-09T12:00:07.000Z", actors)
    told = Told(OPERATIONS, {"seen": seen}).facts()

    html = renderer.page("operations.html", told)

    assert "does not answer" in html
    assert ">12:00:07<" in html
    assert ">12:00:00<" in html
    assert "812 B" in html


def test_an_address_of_the_list_keeps_what_was_chosen(renderer) -> None:
    """The next page of declined payments is one of declined payments."""
    listed = shapes.Payments([payment(state="declined")], next_cursor="40")
    more = {"payments": listed, "wanted": {"state": "declined"}, "kept": {"state": "declined"}}

    html = renderer.region("list", Told(PAYMENTS, more).facts())

    assert 'href="/payments?state=declined&amp;cursor=40"' in html


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(0, "0"), (812, "812 B"), (3_481, "3.3 KiB"), (5 * 1024 * 1024, "5.0 MiB")],
)
def test_a_backlog_is_told_in_its_unit(size_bytes, shown) -> None:
    """What lies unread is counted in bytes, and shown so that it can be compared at a glance."""
    assert bytes_text(size_bytes) == shown


def test_a_day_that_is_none_is_shown_as_it_is() -> None:
    """A time that is not ISO does not break the page it stands on."""
    assert day("2026-02-09T12:00:00Z") == "9 Feb"
    assert day("yesterday") == "yesterday"


def test_a_payments_page_marks_its_state_in_the_table_of_moves(renderer) -> None:
    """Every state stands in the picture, the one that it is in is marked; a state that is none of
    ours marks nothing and draws nothing."""
    told = Told(PAYMENT, {"payment": payment(state="captured")}).facts()
    html = renderer.region("payment", told)
    strange = Told(PAYMENT, {"payment": payment(state=HOSTILE)}).facts()

    assert all(f">{state}</text>" in html for state in STATES)
    assert html.count('class="s now"') == 1
    assert "<title>States of a payment, now captured</title>" in html
    assert "<rect" not in renderer.region("payment", strange)


def test_a_payments_page_tells_what_may_be_asked_and_its_claims(renderer) -> None:
    """From the entries of its ledger: legal verbs, refunds and disputes with their states."""
    booked = [entry(CREATED), attempt(), authorized(), capture_requested(500)]
    booked += [captured(500, final=False)]
    lines = [encode({"seq": seq, **asdict(one)}) for seq, one in enumerate(booked, 1)]
    story = story_of(lines)
    assert story is not None
    html = renderer.region("payment", Told(PAYMENT, {"payment": payment(), "story": story}).facts())

    assert story.legal == ("capture", "cancel", "refund")
    assert "Now it may be asked to capture, cancel, refund." in html
    assert story_of([b"{}"]) is None


def test_only_a_page_of_the_api_is_where_a_cardholder_is_sent() -> None:
    """While one is asked for, and never to another site."""
    api = "http://127.0.0.1:8026"
    asked = payment(state="requires_action", next_action=shapes.NextAction("/challenges/chl_1"))
    hostile = payment(state="requires_action", next_action=shapes.NextAction("//evil.example/x"))
    over = payment(state="captured", next_action=shapes.NextAction("/challenges/chl_1"))

    assert challenge_link(api, asked) == f"{api}/challenges/chl_1"
    assert [challenge_link(api, one) for one in (hostile, over)] == [None, None]
