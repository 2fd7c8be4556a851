"""The one parser for bytes from outside takes JSON and nothing that only looks like it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payrail.errors import MalformedJson
from payrail.storage.strict import canonical, parse

PAN = "4111111111111111"

plain_text = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029")
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_plain_json_is_read_as_it_was_meant(value):
    """What any JSON writer writes of plain values comes back equal, spelled in either way."""
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False, indent=1).encode()) == value


@given(st.binary(max_size=60))
def test_no_bytes_do_anything_but_parse_or_be_refused(data):
    """Whatever is sent, the answer is a value or MalformedJson."""
    try:
        parse(data)
    except MalformedJson:
        pass


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"amount":1,"amount":2}', r"\$\.amount is there twice"),
        (b'{"a":[{"b":1,"\\u0062":2}]}', r"\$\.a\[0\]\.b is there twice"),
        (b'{"a":NaN}', r"\$\.a is not finite"),
        (b"[Infinity]", r"\$\[0\] is not finite"),
        (b"-Infinity", r"at \$ is not finite"),
        (b'{"amount":1e400}', r"\$\.amount is not finite"),
        (b'{"a":"\\ud800"}', r"\$\.a has U\+D800"),
        (b'{"a":"x\\udc00\\ud800"}', r"\$\.a has U\+DC00"),
        (b'{"\\ud800":1}', r"a key at \$ has U\+D800"),
        (b'"\\u0000"', r"U\+0000"),
        (b'"a\\nb"', r"U\+000A"),
        (b'"a\nb"', "not JSON at character 2"),
        (b'"\\u0085"', r"U\+0085"),
        ('"\u0085"'.encode(), r"U\+0085"),
        ('{"a":"\u2028"}'.encode(), r"\$\.a has U\+2028"),
        (b'{"a\\u2029":1}', r"a key at \$ has U\+2029"),
        (b'"\x7f"', r"U\+007F"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        (b'"\xed\xa0\x80"', "not UTF-8 at byte 1"),
        (b"{} {}", "not JSON at character 3"),
        (b'{"a":1}\x00', "not JSON at character 7"),
        (b"", "not JSON at character 0"),
        (b"{'a':1}", "not JSON at character 1"),
        (b'{"a":1,}', "not JSON"),
        (b'"\\x41"', "not JSON at character 1"),
        (b"01", "not JSON"),
        (b"1_000", "not JSON"),
        ("١٢".encode(), "not JSON at character 0"),
        ('{"amount":\u0661}'.encode(), "not JSON at character 10"),
        (b"-" + b"9" * 4301, "more than 4300 digits"),
        (b"[" * 33 + b"]" * 33, "deeper than 32 levels at character 32"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "deeper than 32 levels"),
        (b"[" * 500_000, "deeper than 32 levels"),
        (b'"' + b"x" * 1_048_576 + b'"', "longer than 1048576 bytes"),
    ],
)
def test_what_is_not_strict_is_refused_with_what_and_where(data: bytes, says: str):
    """Each trick that a lenient parser takes is refused, and the text helps its sender."""
    with pytest.raises(MalformedJson, match=says):
        parse(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 32 + b"]" * 32,
        b'{"brackets in a string":"' + b"[" * 99 + b'\\"[\\\\"}',
        b' {"a" : [1, 2.5, true, null]}\n',
        b'"\\ud83d\\ude00 \\u00e9"',
        b"9" * 4300,
        b"18446744073709551616",
        b"1e-400",
    ],
)
def test_what_is_strict_passes(data: bytes):
    """Depth up to the limit, whole surrogate pairs and great numbers are JSON like any other."""
    assert parse(data) == json.loads(data)


def test_the_limits_can_be_narrowed():
    """A caller with smaller needs names smaller limits."""
    with pytest.raises(MalformedJson, match="deeper than 1 "):
        parse(b"[[]]", depth_max=1)
    with pytest.raises(MalformedJson, match="longer than 3 bytes"):
        parse(b"[  ]", bytes_max=3)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"number":"{PAN}\\n"}}',
        f'{{"{PAN}":1,"{PAN}":2}}',
        f'{{"{PAN}":"\\ud800"}}',
        f'{{"a{PAN}":NaN}}',
        f'{{"number":"{PAN}"',
        f'{{"number":{PAN}x}}',
        f'{{"number":{PAN}e999}}',
        f'{{"number":"{PAN}\\q"}}',
    ],
)
def test_an_error_never_holds_what_was_sent(text: str):
    """No refusal, nor an error behind it, carries a value or a key that may be a card number."""
    with pytest.raises(MalformedJson) as refusal:
        parse(text.encode())

    assert "4111" not in str(refusal.value)
    assert refusal.value.__context__ is None


def test_equal_values_have_one_spelling():
    """The order of keys, spaces and escapes make no difference to a request's hash."""
    first, second = parse(b'{"b":[1, "\\u00e9"],"a":{}}'), parse('{"a":{},"b":[1,"é"]}'.encode())

    assert canonical(first) == canonical(second) == '{"a":{},"b":[1,"é"]}'.encode()
    assert canonical({"a": 1}) != canonical({"a": "1"})
