"""Logs: nothing that passes through them shows a card, a CVC or a secret."""

import io
import json
import logging
from typing import cast

import pytest
from pydantic import BaseModel, ValidationError

from payrail import logs
from payrail.logs import LogFile, configure_logging, make_logger, told
from payrail.runtime.ports import File
from payrail.runtime.sim import SimClock
from payrail.steplog import StepLog

CARD = "4000000000000002"
PARTED = "4000 0000 0000 0002"
DASHED = "4000-0000-0000-0002"
MAC = "0123456789abcdef" * 2


class Broken(io.RawIOBase):
    """A stream on a full disk."""

    def write(self, data):
        raise OSError(28, "No space left on device")


@pytest.fixture
def stream():
    return io.BytesIO()


@pytest.fixture
def log(stream):
    return make_logger("vault", stream)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_line(log, stream):
    """A line says when, how grave, what, by whom, then the facts."""
    log.info("payment.captured", payment_id="pi_1", amount_minor=1099)

    (line,) = lines(stream)
    assert list(line)[:3] == ["at", "level", "event"]
    assert line["at"].endswith("Z")
    assert line["actor"] == "vault"
    assert (line["event"], line["payment_id"], line["amount_minor"]) == (
        "payment.captured",
        "pi_1",
        1099,
    )


@pytest.mark.parametrize("number", [CARD, PARTED, DASHED, int(CARD), CARD.encode()])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda it: it,
        lambda it: [{"deep": ({"deeper": it},)}],
        lambda it: f"charge of {it} failed",
        lambda it: {it: 1},
        lambda it: {"a", it},
        lambda it: ValueError(f"bad card {it}"),
    ],
)
def test_a_card_number_is_masked_wherever_it_stands(log, stream, number, wrap):
    """Plain, spaced, dashed, as a number or as a key, at any depth: four digits are left."""
    log.info("tried", what=wrap(number))

    text = stream.getvalue().decode()
    assert not [form for form in (CARD, PARTED, DASHED) if form in text]
    assert "0002" in text


def test_times_and_hashes_are_left_alone(log, stream):
    """Milliseconds, ids and hashes are no cards and stay readable."""
    facts = {"at_ms": 1_770_638_400_123, "hash": "4000000000000002" + "ab" * 24, "id": "pi_4k2"}

    log.info("step", facts=facts)

    assert lines(stream)[0]["facts"] == facts


@pytest.mark.parametrize("name", ["number", "cvc", "CVV", "pan", "secret", "Authorization"])
def test_fields_that_name_a_secret_are_dropped(log, stream, name):
    """Whatever they hold, at any depth."""
    log.info("tried", **{name: "123"}, headers=[{name: "hush"}])

    text = stream.getvalue().decode()
    assert "123" not in text.replace(lines(stream)[0]["at"], "")
    assert "hush" not in text


def failing(number):
    cvc = "987"
    raise RuntimeError(f"no answer about {number} in {len(cvc)} tries")


def test_an_error_is_told_without_variables(log, stream):
    """Type, message, place and causes of an error; no value that its code held."""
    try:
        try:
            failing(CARD)
        except RuntimeError as error:
            raise KeyError("outer") from error
    except KeyError:
        log.exception("http.failed")

    (line,) = lines(stream)
    text = stream.getvalue().decode()
    assert line["error"]["type"] == "KeyError"
    assert line["error"]["causes"][0]["message"] == "no answer about ************0002 in 3 tries"
    assert line["error"]["causes"][0]["where"][-1].endswith(" failing")
    assert "987" not in text
    assert CARD not in text


def test_a_refused_shape_is_told_without_its_input():
    """A validation error names the field and the rule, never what was sent."""

    class Card(BaseModel):
        cvc: int

    with pytest.raises(ValidationError) as caught:
        Card.model_validate({"cvc": "12x-canary"})

    message = told(caught.value)["message"]
    assert message.startswith("cvc: ")
    assert "canary" not in message


def test_unknown_objects_tell_only_their_type(log, stream):
    """An object's own text could hold anything."""

    class Wallet:
        def __repr__(self):
            return "canary"

    log.info("tried", what=Wallet())

    assert lines(stream)[0]["what"] == "<Wallet>"


def test_a_line_is_bounded_and_always_one_line(log, stream):
    """Long text is cut, deep nesting ends, line ends and half characters do no harm."""
    deep: list = []
    for _ in range(1000):
        deep = [deep]

    log.info("tried", long="x" * 1_000_000, deep=deep, odd="a\n\u2028\udce9\x1b[31m", big=10**5000)

    assert len(stream.getvalue()) < 10_000
    assert stream.getvalue().count(b"\n") == 1
    assert b"\x1b" not in stream.getvalue()


def test_lines_carry_the_correlation_id_of_their_work(log, stream):
    """What is logged for a request or a message is found by its id."""
    logs.correlation.set(None)
    token = logs.correlation.set("cor_1")
    log.info("first")
    logs.correlation.reset(token)
    log.info("second")

    first, second = lines(stream)
    assert first["correlation_id"] == "cor_1"
    assert "correlation_id" not in second


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (f"/payments/sk_test_m001admin_{MAC}", "/payments/sk_test_m001admin_***"),
        (
            f"pk_test_m_001-x_{MAC} and sk_service_{MAC * 2}.",
            "pk_test_m_001-x_*** and sk_service_***.",
        ),
        ("whsec_" + "A7+/" * 8, "whsec_***"),
        ("/challenges/chl_" + "a7" * 16, "/challenges/chl_***"),
        ("sk_test_m001admin, task_7 of desk_pk_", "sk_test_m001admin, task_7 of desk_pk_"),
    ],
)
def test_a_key_that_was_pasted_somewhere_cannot_be_used_from_the_log(stream, log, given, kept):
    """In an address or an error: whose it was is told, what proves it is not, in both logs."""
    log.info("http.failed", path=given)
    steps = StepLog("frontdoor", stream, SimClock())
    steps.add("http.request", {"path": given})
    steps.flush()

    assert [line["path"] for line in lines(stream)] == [kept, kept]


def test_a_full_disk_does_not_stop_the_work():
    """A log that cannot be written is given up, and nothing is raised."""
    make_logger("vault", Broken()).info("tried")


def test_a_file_of_the_house_is_a_stream():
    """Lines go to the end of the file that the house gives, one write each."""

    class Kept:
        def __init__(self):
            self.writes = []

        def append(self, data):
            self.writes.append(data)
            return 0

    kept = Kept()
    make_logger("vault", LogFile(cast(File, kept))).warning("tried")

    assert [json.loads(data)["event"] for data in kept.writes] == ["tried"]


def test_libraries_pass_the_same_wall(stream):
    """What a library logs the common way stands in the same file, masked."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        configure_logging("vault", stream)
        logging.getLogger("some.library").warning("saw %s", CARD)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.captureWarnings(False)

    (line,) = lines(stream)
    assert (line["event"], line["text"]) == ("library.said", "saw ************0002")
