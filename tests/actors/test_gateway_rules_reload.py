"""Rule files that change under a gateway: taken between two messages, or refused and said so."""

import msgspec
import pytest

from actors.gateway.core import Gateway
from actors.gateway.rule_files import FILE_BYTES_MAX, FILES, look, open_all
from actors.gateway.rule_watch import changed
from actors.gateway.settings import Rules
from actors.simulation.orders import create
from payrail.domain.timestamps import iso
from payrail.domain.words.disputes import DisputeFact
from payrail.domain.words.rules import VIEW, RulesFound, WatchRules
from payrail.errors import BadRules
from payrail.runtime.actor import Moment, Step
from payrail.runtime.sim import SimClock, SimFs
from tests.actors.gatewaydesk import TOKEN, Desk, entry
from tests.runtime.crashpoints import Files, Scenario, errors, kills, power_cuts, steps, survive_all

TO_B = b'order = ["providerB", "providerA"]\n'
BAD = b'# ours\norder = ["providerC"]\n'
ROUTING = FILES["routing"].path


class House(Desk):
    """A desk with rule files on a disk."""

    def __init__(self, fs: SimFs | None = None) -> None:
        self.fs = fs or SimFs()
        super().__init__()
        self.open()

    def open(self) -> Step:
        """A new incarnation over the same journal."""
        self.actor = self.gateway = Gateway(Rules(), files=open_all(self.fs))
        number = len(self.steps) + 1
        moment = Moment(self.wire_ms, self.business_ms, "gateway", number, 0)
        step = self.actor.opened(self.state, moment)
        self._fold(step)
        self.watched = step
        return step

    def look(self) -> Step | None:
        """What the watch finds, told; None: nothing changed."""
        (errand,) = self.watched.errands
        found = changed(self.fs, errand.body)  # type: ignore[arg-type]
        if found is None:
            return None
        self.watched = self.tell("rules.found", found, sender="errand")
        return self.watched

    def write(self, data: bytes, name: str = "routing") -> Step | None:
        self.fs.replace(FILES[name].path, data)
        return self.look()

    def went_to(self) -> str:
        step = self.order(create(TOKEN, f"k{len(self.steps)}", confirm=True))
        provider: str = entry(step, "payment.attempt_started").data.provider
        return provider


def shown(step: Step | None, name: str = "routing"):
    """The row of one file in the view."""
    assert step is not None
    (view,) = [show for show in step.shows if show.path == VIEW]
    return next(row for row in view.data["rules"] if row["id"] == name)


@pytest.fixture
def house() -> House:
    return House()


def test_the_first_start_makes_every_file_and_takes_it(house: House):
    """What is decided by stands in the journal from the first step on."""
    assert {name: house.fs.read(FILES[name].path) for name in FILES} == {
        name: file.default for name, file in FILES.items()
    }
    assert set(house.state.rules) == set(FILES)
    assert house.look() is None


def test_a_good_file_decides_from_the_next_message_on(house: House):
    """No restart: the charge before it went to A, the one after it goes to B."""
    before = house.went_to()
    row = shown(house.write(TO_B))

    assert (before, house.went_to()) == ("providerA", "providerB")
    assert (row["state"], row["errors"]) == ("in_force", [])
    assert row["sha256"] == house.state.rules["routing"].sha256


def test_a_bad_file_keeps_what_was_in_force_and_names_the_line(house: House):
    """And a good one afterwards ends the refusal, also the very text that is in force."""
    house.write(TO_B)
    since = house.state.rules["routing"].since_ms
    house.business_ms += 60_000
    row = shown(house.write(BAD))

    assert house.went_to() == "providerB"
    assert row["state"] == "refused"
    assert row["errors"] == [
        {
            "line": 2,
            "field": "order[1]",
            "message": "must name a provider; there are providerA, providerB",
        }
    ]
    assert house.look() is None
    again = shown(house.write(TO_B))
    assert (again["state"], again["errors"]) == ("in_force", [])
    assert house.state.rules["routing"].since_ms == since


def test_what_was_decided_by_is_in_the_journal(house: House):
    """Folding it again gives the same rules, without a file."""
    house.write(TO_B)
    house.write(BAD)

    assert msgspec.json.encode(house.replayed()) == msgspec.json.encode(house.state)


def test_a_start_with_a_bad_file_keeps_the_rules_that_are_known(house: House):
    """A slip of the pen does not stop the house a day later."""
    house.write(TO_B)
    house.fs.replace(ROUTING, BAD)
    row = shown(house.open())

    assert (row["state"], house.went_to()) == ("refused", "providerB")


def test_a_start_takes_what_changed_while_the_gateway_was_away(house: House):
    """Before it serves: nobody is routed by what people have replaced."""
    house.fs.replace(ROUTING, TO_B)
    house.open()

    assert house.went_to() == "providerB"


def test_a_first_start_with_a_bad_file_is_refused():
    """An order that somebody did not mean is worse than none."""
    fs = SimFs()
    fs.replace(ROUTING, BAD)
    with pytest.raises(BadRules) as refused:
        House(fs)

    assert fs.read(ROUTING) == BAD
    assert str(refused.value).startswith(f"{ROUTING}: line 2: order[1]: ")


def test_a_file_that_is_gone_changes_nothing_until_the_next_start(house: House):
    """Then its default is made again, and taken."""
    house.write(TO_B)
    house.fs.unlink(ROUTING)
    assert house.look() is None
    assert house.went_to() == "providerB"
    house.open()
    assert house.went_to() == "providerA"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\xff", "is not UTF-8 text"),
        (b"#" * (FILE_BYTES_MAX + 1), "has more than"),
        (TO_B + b"# 4242 4242 4242 4242\n", "looks like a card number"),
    ],
)
def test_what_must_not_enter_the_journal_is_refused_unseen(house: House, data: bytes, told: str):
    """Its text is in no message and in no event."""
    step = house.write(data)

    assert told in shown(step)["errors"][0]["message"]
    assert b"4242 4242" not in house.everything()
    assert house.went_to() == "providerA"


def test_fees_that_change_are_booked_from_then_on(house: House):
    """A fee that is booked stays; the next capture is asked for by the new price."""
    default = FILES["fees"].default
    fees = []
    for data in (default, default.replace(b"basis_points = 340", b"basis_points = 1000")):
        house.write(data, "fees")
        payment_id = house.authorized(capture_method="automatic")
        step = house.says(f"{payment_id}.2", operation="capture")
        fees.append(entry(step, "fee.charged").data.merchant_fee)

    assert fees == [67, 140]


def test_a_chargeback_is_booked_at_the_price_of_the_file(house: House):
    """What people wrote under [disputes] is what we expect to be asked for."""
    house.write(FILES["fees"].default.replace(b"USD = 1500", b"USD = 2500"), "fees")
    payment_id = house.authorized(capture_method="automatic")
    house.says(f"{payment_id}.2", operation="capture", provider_reference="ch_2")
    fact = DisputeFact(
        provider="providerA",
        authorization=f"{payment_id}.1",
        provider_reference="du_1",
        stage="chargeback",
        reason="fraudulent",
        amount=1099,
        currency="USD",
        fact="opened",
        payment_id=payment_id,
        occurred_at=iso(house.business_ms),
    )
    step = house.tell("dispute.fact", fact, sender="provider-a")

    (opened,) = [p.record for p in step.posts if p.book == "disputes"]
    assert opened.data.fee == 2500


def test_the_same_news_twice_is_taken_once(house: House):
    """An errand that was done twice around a crash says nothing new."""
    house.write(TO_B)
    found = look(house.fs, "routing")
    assert isinstance(found, RulesFound)
    step = house.tell("rules.found", found, sender="errand")

    assert step.events == []
    assert isinstance(step.errands[0].body, WatchRules)


def make_files(fs: SimFs, _clock: SimClock) -> None:
    open_all(fs)


def whole_or_not_there(_seen: Files, fs: SimFs) -> None:
    """After whatever happened and one more start, each file is its default, whole."""
    assert [found.trouble for found in open_all(fs)] == [None] * len(FILES)
    assert all(fs.read(file.path) == file.default for file in FILES.values())


def test_dying_while_the_files_are_made_leaves_each_whole_or_missing():
    """At every step of every crash, error and power cut the next start reads or makes them."""
    scenario = Scenario(make_files, make_files, whole_or_not_there)
    calls = steps(scenario)
    for points in (kills(calls), power_cuts(calls, 1), errors(calls)):
        survive_all(scenario, points)
