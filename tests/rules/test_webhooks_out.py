"""Which URLs a webhook may call, and when a delivery is tried again."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.domain.webhooks import (
    SCHEDULES,
    AllowList,
    UrlRefused,
    is_filter,
    is_public,
    is_received,
    parse_url,
    retry_after_s,
    wants,
)

NOON_MS = 1_770_638_400_000  # Mon, 09 Feb 2026 12:00:00 GMT


def permitted(url: str, *words: str, at: str | None = None) -> bool:
    """Whether a URL is called when its name leads to `at`."""
    try:
        target = parse_url(url)
    except UrlRefused:
        return False
    address = target.address or ip_address(at or "93.184.215.14")
    return AllowList(words).permits(target, address)


_INSIDE = (
    "127.0.0.1 127.8.9.1 0.0.0.0 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254"
    " 168.63.129.16"
    " 100.64.0.1 100.127.255.255 192.0.0.1 198.18.0.1 224.0.0.1 239.1.1.1 240.0.0.1"
    " 255.255.255.255 ::1 :: fe80::1 fc00::1 fd12:3456::1 ff02::1 fec0::1 ::ffff:127.0.0.1"
    " ::ffff:10.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1 2001::1 2001:db8::1 100::1"
    " fe80::1%eth0"
)


@pytest.mark.parametrize("address", _INSIDE.split())
def test_an_address_inside_is_never_public(address: str):
    """Loopback, private, link-local, shared, multicast and wrapped addresses are all refused."""
    assert not is_public(ip_address(address))
    assert not permitted("https://shop.example/", at=address)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "172.32.0.1"])
def test_an_ordinary_address_is_public(address: str):
    """What no registry lists as special may be called over https, and not over http."""
    assert permitted("https://shop.example/hooks?x=1", at=address)
    assert permitted("https://shop.example:8443/", at=address)
    assert not permitted("http://shop.example/", at=address)


_SPELLINGS = (
    "2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 127.1 127.0.1 127.0.0.1. 0 0x"
    " 127.000.000.001 [::ffff:127.0.0.1] [::ffff:7f00:1] [::1] [0:0:0:0:0:0:0:1] [::] 1.2.3.256"
)


@pytest.mark.parametrize("host", _SPELLINGS.split())
def test_no_spelling_of_an_address_inside_gets_through(host: str):
    """Decimal, octal, hexadecimal, short and mapped forms are refused, at any public answer."""
    assert not permitted(f"https://{host}/")
    assert not permitted(f"https://{host}:8443/")


NONE_OF_OURS = (
    "ftp://shop.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//shop.example/",
    "shop.example",
    "",
    "https://",
    "https:///path",
    "https://user@shop.example/",
    "https://user:pw@shop.example/",
    "https://shop.example@127.0.0.1/",
    "https://shop.example\\@127.0.0.1/",
    "https://shop.example#@127.0.0.1/",
    "https://shop.example/#part",
    "https://shop.example/ x",
    "https://shop.example/\n",
    "https://shop.example/\r\nX: y",
    "https://shop.example/é",
    "https://shöp.example/",
    "https://shop.example%2f@127.0.0.1/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1/",
    "https://shop.example:0/",
    "https://shop.example:65536/",
    "https://shop.example:٤٤٣/",
    "https://-shop.example/",
    "https://shop..example/",
    "https://shop.example./",
    "https://" + "a" * 64 + ".example/",
    "https://shop.example/" + "a" * 2_048,
)


@pytest.mark.parametrize("url", NONE_OF_OURS)
def test_what_is_no_plain_url_is_refused(url: str):
    """Other schemes, user names, fragments, escapes and controls are refused with a remedy."""
    with pytest.raises(UrlRefused) as refused:
        parse_url(url)
    assert str(refused.value).startswith("must ")


@pytest.mark.parametrize("port", [21, 22, 25, 80, 445, 1023])
def test_ports_of_other_services_are_not_called(port: int):
    """Of the ports below 1024 only that of https is called, even at a public address."""
    assert not permitted(f"https://shop.example:{port}/")


def test_the_allow_list_opens_exactly_what_it_names():
    """A host, a host at a port, an address, a network: http too, and nothing beside it."""
    assert permitted("http://sink:9000/", "sink", at="10.0.0.7")
    assert permitted("http://SINK:9000/", "sink:9000", at="10.0.0.7")
    assert not permitted("http://sink:9001/", "sink:9000", at="10.0.0.7")
    assert not permitted("http://sink.example/", "sink", at="10.0.0.7")
    assert permitted("http://127.0.0.1:9000/", "127.0.0.1:9000")
    assert not permitted("http://127.0.0.1:9001/", "127.0.0.1:9000")
    assert permitted("http://localhost:9000/", "127.0.0.1", at="127.0.0.1")
    assert permitted("http://[::1]:9000/", "[::1]:9000")
    assert permitted("http://[::1]/", "::1")
    assert permitted("http://10.1.2.3/", "10.1.0.0/16")
    assert not permitted("http://10.2.2.3/", "10.1.0.0/16")
    assert permitted("http://[::ffff:10.1.2.3]/", "10.1.0.0/16")


@pytest.mark.parametrize(
    "word", ["http://sink", "sink:x", "10.0.0.1/8", "sink/8", "a b", ":1", "[::1", "sink:70000"]
)
def test_a_bad_entry_of_the_allow_list_is_named_by_its_number(word: str):
    """Who runs the house is told which entry cannot be used, without its text."""
    with pytest.raises(ValueError, match="entry 2 must be"):
        AllowList(("localhost", word))


@given(st.text(max_size=40))
def test_any_text_is_a_target_or_refused(text: str):
    """No text breaks the reader, and none of a network inside gets through."""
    assert permitted(f"https://{text}/", at="10.0.0.1") is False


def test_the_standard_schedule_is_the_published_one():
    """Ten attempts within 75.6 hours, each pause at most a fifth longer, the same each time."""
    schedule = SCHEDULES["standard"]
    waits_ms = [schedule.wait_ms(attempt, "evt_1") for attempt in range(1, 11)]
    assert waits_ms.pop() is None
    plain = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    assert all(
        s * 1_000 <= ms <= s * 1_200
        for s, ms in zip(plain, waits_ms, strict=True)
        if ms is not None
    )
    assert schedule.wait_ms(3, "evt_1") == waits_ms[2] != schedule.wait_ms(3, "evt_2")


def test_the_demo_schedule_is_over_after_seven_seconds():
    """At once, then after 1, 2 and 4 s; then it is given up."""
    waits_ms = [SCHEDULES["demo"].wait_ms(attempt, "evt_1") for attempt in (1, 2, 3, 4)]
    assert waits_ms == [1_000, 2_000, 4_000, None]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7),
        (" 0 ", 0),
        ("999999999", 3_600),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Mon, 09 Feb 2026 12:00:10 GMT", 10),
        ("Mon, 09 Feb 2026 11:00:00 GMT", 0),
        ("Mon, 09 Feb 9999 12:00:00 GMT", 3_600),
    ],
)
def test_retry_after_is_read_and_bounded(header: str | None, seconds: int | None):
    """Seconds or a date, an hour at most; what is neither asks for nothing."""
    assert retry_after_s(header, NOON_MS) == seconds


def test_only_2xx_is_received():
    """A redirect, an error and no answer are failures."""
    assert [
        s for s in (None, 100, 199, 200, 204, 299, 300, 302, 400, 410, 500) if is_received(s)
    ] == [
        200,
        204,
        299,
    ]


def test_filters_choose_by_type_or_by_family():
    """No filter takes all; a family ends in a star."""
    assert wants([], "payment.created")
    assert wants(["*"], "payment.created")
    assert wants(["payment.*"], "payment.created")
    assert wants(["payment.captured", "refund.*"], "refund.failed")
    assert not wants(["payment.captured", "refund.*"], "payment.created")
    assert not wants(["pay.*"], "payment.created")
    assert [
        f for f in ("*", "payment.*", "payment.late_approval_reversed") if not is_filter(f)
    ] == []
    assert [
        f for f in ("", "payment", "*.*", "Payment.*", "payment.x.y", ".*") if is_filter(f)
    ] == []
