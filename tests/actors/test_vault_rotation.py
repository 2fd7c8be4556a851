"""The keys that cards rest under are rotated: nothing is lost, no key goes while it is needed."""

import msgspec
import pytest

from actors.simulation.house import GOOD, SimHouse, authorized, open_house
from actors.simulation.scenes.key_rotation import ROTATE, one_key_is_left
from actors.vault.cipher import Card
from actors.vault.key_works import stands_in_documents
from actors.vault.keyfile import KEYS
from actors.vault.rotating import LIVE_MAX
from actors.vault.rotation import CardsMoved
from actors.vault.state import CARDS, EncryptedCard
from actors.vault.worklist import CARDS_MAX, CHUNK_BYTES, Worklist
from payrail.audit.house import verify
from payrail.domain.words.vault_keys import LookAtKeys, RotateKeys
from payrail.runtime.sim import SimFs
from payrail.security.secrets import secret

CARD = Card("4242424242424242", 12, 2030, "A Holder")
LINE_BYTES_MAX = 64 * 1024
LOOK = ("keys.look", LookAtKeys())
JOURNAL, LOG = "data/actors/vault/journal.jsonl", "data/vault/access_log.jsonl"


def house_of(cards: int) -> tuple[SimHouse, str]:
    """A house with so many cards, and the token of the first."""
    house, token = open_house()
    for number in range(cards - 1):
        house.tokenize(GOOD, f"{number:03}x")
    house.run()
    return house, token


def key_lines(house: SimHouse):
    return msgspec.json.decode(house.fs.read(KEYS))["keys"]


def test_a_rotation_moves_every_card_and_takes_the_old_key_away():
    """The answer says what is to do; at rest the old key's bytes are gone and every card opens."""
    house, token = house_of(3)

    status, told = house.say(ROTATE, "q", "vault")

    assert (status, told) == (200, {"key_id": "k2", "previous": ["k1"], "cards_to_do": 3})
    one_key_is_left(house)
    assert [line["id"] for line in key_lines(house)] == ["k2", "k1"]
    authorized(house, token)


def test_the_answer_comes_when_the_new_key_is_in_use_and_cards_are_still_to_move():
    """Nobody waits for the cards: the next one is under the new key, and the old ones open."""
    house, _ = house_of(3)
    house.put(ROTATE, "q", "vault")
    while "q" not in house.replies:
        house.turn("vault")
        house.collect()

    assert {card.key_id for card in house.drivers["vault"].loop.state.cards.values()} == {"k1"}
    assert house.keys.encrypt("tok_new", CARD).key_id == "k2"
    assert key_lines(house)[1]["key"]


def test_many_cards_are_moved_in_lines_that_a_journal_can_hold():
    """A step moves so many cards at most, and the house takes other messages in between."""
    house, _ = house_of(3 * CARDS_MAX)
    house.say(ROTATE, "q", "vault")

    lines = house.bytes_of(JOURNAL).split(b"\n")
    moved = [line for line in lines if b'"cards.moved"' in line]
    assert len(moved) == 3
    assert max(map(len, lines)) < LINE_BYTES_MAX
    one_key_is_left(house)


def test_long_ciphertexts_are_moved_fewer_at_a_time():
    """What bounds a step is its bytes, too: a card may be longer than today's."""

    class Long:
        current_id = "k2"

        def opens(self, key_id: str) -> bool:
            return key_id == "k1"

        def again(self, token: str, stored: EncryptedCard) -> EncryptedCard:
            return EncryptedCard("k2", token * 2000)

    cards = {f"t{number}": EncryptedCard("k1", "") for number in range(50)}
    moved = Worklist(Long()).next(cards)

    assert moved is not None
    assert CHUNK_BYTES <= sum(map(len, moved.values())) < CHUNK_BYTES + 6000


def test_no_key_stands_in_a_journal_a_mailbox_or_a_log():
    """Only data/vault/keys.json and the place of secrets hold keys."""
    house, _ = house_of(2)
    first = key_lines(house)[0]["key"].encode()
    house.say(ROTATE, "q", "vault")
    second = key_lines(house)[0]["key"].encode()

    for path in house.disk.names:
        if not house.disk.names[path].is_folder:
            data = house.bytes_of(path)
            assert first not in data, path
            assert second not in data or path == KEYS, path


def test_the_access_log_has_a_line_for_the_beginning_and_one_for_the_end():
    """Who rotated is written down twice: when it began, and when the old key was gone."""
    house, _ = house_of(1)
    house.say(ROTATE, "q", "vault")

    lines = [line for line in house.lines(LOG) if line["purpose"] == "key.rotation"]
    told = [(line["who"], line["outcome"], line["origin"], line["key_id"]) for line in lines]
    assert told == [
        ("internal", "allowed", "http", "k2"),
        ("internal", "allowed", "rotation", "k1"),
    ]
    assert {line["token"] for line in lines} == {"*"}
    assert {line["correlation_id"] for line in lines} == {"cor_q"}


def test_a_refused_rotation_is_written_down_and_changes_nothing():
    """Whoever may not rotate gets 401, and a line."""
    house, _ = house_of(1)
    order = ("keys.rotate", RotateKeys("usr_m001_operator", "http", "unauthenticated"))

    status, problem = house.say(order, "q", "vault")

    assert (status, problem["code"]) == (401, "unauthenticated")
    line = house.lines(LOG)[-1]
    assert (line["who"], line["outcome"]) == ("usr_m001_operator", "refused:unauthenticated")
    assert [line["id"] for line in key_lines(house)] == ["k1"]


def test_one_rotation_after_the_other_leaves_one_key():
    """A second rotation may begin before the first has moved its cards."""
    house, token = house_of(CARDS_MAX + 1)
    house.put(ROTATE, "one", "vault")
    while "one" not in house.replies:
        house.turn("vault")
        house.collect()

    status, told = house.say(ROTATE, "two", "vault")

    assert (status, told["key_id"], told["previous"]) == (200, "k3", ["k2", "k1"])
    one_key_is_left(house)
    authorized(house, token)


def test_two_rotations_at_the_same_moment_make_one_key():
    """While a key is being made, another is refused and may be asked for again."""
    house, _ = house_of(1)
    house.put(ROTATE, "one", "vault")
    house.put(ROTATE, "two", "vault")
    house.run()

    assert house.answer("one")[0] == 200
    status, problem = house.answer("two")
    assert (status, problem["code"], problem["retryable"]) == (409, "rotation-under-way", True)
    assert [line["id"] for line in key_lines(house)] == ["k2", "k1"]


def test_a_vault_that_dies_before_the_key_is_made_makes_it_when_it_is_back():
    """The intent is journaled: nobody has to ask again."""
    house, token = house_of(2)
    house.put(ROTATE, "q", "vault")
    house.turn("vault")
    assert [line["id"] for line in key_lines(house)] == ["k1"]

    house.start("vault")
    house.run()

    one_key_is_left(house)
    authorized(house, token)


def lose(house: SimHouse, key_id: str) -> None:
    """Somebody deletes a key from the file while the vault is down."""
    found = msgspec.json.decode(house.fs.read(KEYS))
    found["keys"] = [line for line in found["keys"] if line["id"] != key_id]
    house.fs.replace(KEYS, msgspec.json.encode(found))
    house.start("vault")
    house.run()


def half_moved(house: SimHouse) -> None:
    """The rotation has moved some cards and not all of them."""
    house.put(ROTATE, "half", "vault")
    while not _moved(house):
        house.turn("vault")


def _moved(house: SimHouse) -> bool:
    cards = house.drivers["vault"].loop.state.cards.values()
    return "k2" in {card.key_id for card in cards}


def test_a_lost_key_names_its_cards_and_the_others_are_served():
    """The cards under a key that was deleted are told by name; the others are charged, and the key
    is not retired: it may be restored."""
    house, token = house_of(CARDS_MAX + 3)
    before = house.fs.read(KEYS)
    half_moved(house)
    state = house.drivers["vault"].loop.state
    under = {t for t, card in state.cards.items() if card.key_id == "k1"}
    kept = {line["id"]: line for line in key_lines(house)}
    lose(house, "k1")

    _, shown = house.say(LOOK, "look", "vault")

    (lost,) = shown["lost"]
    assert (lost["key_id"], lost["cards"], set(lost["tokens"])) == ("k1", len(under), under)
    assert (shown["cards_to_do"], shown["previous"]) == (0, ["k1"])
    assert token not in under
    authorized(house, token)
    assert [line["id"] for line in key_lines(house)] == ["k2"]
    assert house.timers("vault") == []

    found = msgspec.json.decode(before)
    found["keys"] = [kept["k2"], kept["k1"]]
    house.fs.replace(KEYS, msgspec.json.encode(found))
    house.start("vault")
    house.run()
    one_key_is_left(house)


def test_a_damaged_card_keeps_its_key_alive():
    """A ciphertext that does not open is named, and the key that may open its mended copy stays."""
    house, token = house_of(2)
    state = house.drivers["vault"].loop.state
    other = next(one for one in state.cards if one != token)
    state.cards[token] = state.cards[other]

    house.say(ROTATE, "q", "vault")
    _, shown = house.say(LOOK, "look", "vault")

    assert shown["lost"] == [{"key_id": "k1", "cards": 1, "tokens": [token]}]
    assert shown["keys"] == [{"id": "k2", "cards": 1}, {"id": "k1", "cards": 1}]
    assert key_lines(house)[1]["key"]
    assert house.drivers["vault"].loop.state.rotation.retiring == {}
    assert house.timers("vault") == []


def test_keys_with_cards_under_them_do_not_pile_up():
    """Where cards cannot be moved, there is an end to new keys."""
    house, _ = house_of(2)
    state = house.drivers["vault"].loop.state
    state.rotation.live = [f"k{number}" for number in range(LIVE_MAX, 0, -1)]

    status, problem = house.say(ROTATE, "q", "vault")

    assert (status, problem["code"]) == (409, "rotation-under-way")


def test_a_card_under_a_retired_key_is_refused(monkeypatch: pytest.MonkeyPatch):
    """Nobody was promised anything, and whoever asks again gets a token."""
    house, _ = house_of(1)
    old = house.keys.encrypt("tok_" + "9" * 32, CARD)
    house.say(ROTATE, "q", "vault")
    monkeypatch.setattr(house.keys, "encrypt", lambda _token, _card: old)

    house.tokenize(GOOD, "9" * 32)
    house.run()

    assert house.answer("9" * 32)[0] == 503
    line = house.lines(LOG)[-1]
    assert (line["purpose"], line["outcome"]) == ("tokenize", "refused:key_retired")
    one_key_is_left(house)


def test_a_key_stays_until_the_documents_hold_nothing_under_it(monkeypatch: pytest.MonkeyPatch):
    """A snapshot that cannot be written holds the key back; it is looked for again."""
    house, _ = house_of(1)
    driver = house.drivers["vault"]
    driver.write_documents()
    with monkeypatch.context() as full:
        full.setattr(driver, "write_documents", _full)
        house.say(ROTATE, "q", "vault")
    assert stands_in_documents(house.fs, "k1")
    assert key_lines(house)[1]["key"]

    house.wait(1_000)
    one_key_is_left(house)


def _full() -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("size", [1, 100, 1024 * 1024 - 8, 1024 * 1024 - 3, 3 * 1024 * 1024])
def test_a_key_is_found_in_a_document_of_any_length(size: int):
    """Also where its name lies across two reads; k1 is not k10."""
    fs = SimFs()
    fs.replace(CARDS, b" " * size + b'{"key_id": "k10"}')
    assert stands_in_documents(fs, "k10")
    assert not stands_in_documents(fs, "k1")


def test_what_was_moved_is_folded_from_the_line_and_not_made_again():
    """The journal holds the new ciphertexts: a fold needs no key."""
    house, _ = house_of(2)
    house.say(ROTATE, "q", "vault")
    core = house.drivers["vault"].actor
    lines = [line for line in house.lines(JOURNAL) if line["in"]["kind"] == "keys.again"]
    events = [core.read_event(msgspec.json.encode(e)) for line in lines for e in line["events"]]

    (moved,) = [event for event in events if isinstance(event, CardsMoved)]
    state = house.drivers["vault"].loop.state
    assert moved.cards == {token: card.ciphertext for token, card in state.cards.items()}


def found_by_verify(house: SimHouse) -> list[str]:
    return [finding.what for finding in verify(house.fs, {"vault": house.core("vault")})]


def test_verify_names_a_key_that_is_gone_and_one_that_is_back():
    """What people did to the file of keys is damage; a rotation is not."""
    house, token = house_of(1)
    secret(house.fs, "house", house.rng)
    before = key_lines(house)[0]["key"]
    house.say(ROTATE, "q", "vault")
    assert found_by_verify(house) == []
    whole = house.fs.read(KEYS)

    house.fs.replace(KEYS, whole.replace(b'"key":null', f'"key":"{before}"'.encode()))
    assert found_by_verify(house) == ["k1 was retired, and its bytes are there again"]

    house.fs.replace(KEYS, whole.replace(b'"id":"k2"', b'"id":"k3"'))
    assert found_by_verify(house) == [f"k2 is gone, and 1 cards are under it: {token}"]

    house.fs.replace(KEYS, whole[:40])
    assert found_by_verify(house) == ["cannot be read"]
