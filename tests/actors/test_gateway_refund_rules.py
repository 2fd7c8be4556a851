"""refunds.toml: what cannot be used is named, with its line."""

import pytest

from actors.gateway.refund_rules import DEFAULT, read_refund_rules
from payrail.domain.refund_approval import BY_DEFAULT, RefundTiers
from payrail.errors import BadSettings


def test_the_default_file_says_that_every_refund_needs_a_second_person() -> None:
    assert read_refund_rules(DEFAULT) == BY_DEFAULT


def test_tiers_are_read_by_currency() -> None:
    text = b"[automatic]\nUSD = 1000\n[approver]\nUSD = 5000\nJPY = 70000\n"
    assert read_refund_rules(text) == RefundTiers({"USD": 1000}, {"USD": 5000, "JPY": 70000})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"expires_after_hours = 0", "expires_after_hours"),
        (b"[automatic]\nUSD = -1", "automatic.USD"),
        (b"[automatic]\nUSD = 1.5", "automatic.USD"),
        (b"[approver]\nXXY = 5", "approver.XXY"),
        (b"automatik = 1", "automatik"),
        (b"automatic = [", "is not TOML"),
        (b"\xff", "is not UTF-8"),
        (b"expires_after_hours = " + b"9" * 5000, "too long"),
    ],
)
def test_a_file_that_cannot_be_used_names_the_field_and_the_remedy(text: bytes, named: str) -> None:
    with pytest.raises(BadSettings) as caught:
        read_refund_rules(text)
    assert named in str(caught.value)
    assert "payrail release gateway" in str(caught.value)
