"""API keys, the secrets behind them, and the settings that may give those."""

import os
import stat

import pytest

from payrail.errors import BadSettings, PayRailError
from payrail.security.apikeys import derive_key, is_genuine, parse_key, same_secret
from payrail.security.secrets import secret, service_key
from payrail.settings import load_settings
from payrail.storage.fs import RealFs

HOUSE = b"0123456789abcdef0123456789abcdef"
VERSIONS = {"key_m_001_admin": 1, "rotated": 2}


class Counting:
    """An Rng that never gives the same twice, and always the same in a row."""

    def __init__(self):
        self.made = 0

    def token_hex(self, size_bytes):
        self.made += 1
        return f"{self.made:0{2 * size_bytes}x}"


def proven(text):
    """The id of a genuine key, else None, as the front door finds it."""
    shown = parse_key(text)
    if shown is None or not is_genuine(HOUSE, shown, VERSIONS.get(shown.key_id)):
        return None
    return shown.key_id


def flipped(text, index):
    return text[:index] + ("0" if text[index] != "0" else "1") + text[index + 1 :]


@pytest.mark.parametrize("publishable", [False, True])
def test_a_key_proves_its_id(publishable):
    """The house recognises the key that it derived, and its text tells the kind."""
    key = derive_key(HOUSE, "key_m_001_admin", 1, publishable=publishable)

    assert proven(key) == "key_m_001_admin"
    assert key.startswith("pk_test_key_m_001_admin_" if publishable else "sk_test_key_m_001_admin_")
    assert len(key.rpartition("_")[2]) == 32


def test_every_changed_character_breaks_a_key():
    """No character of a key can be changed without losing its proof."""
    key = derive_key(HOUSE, "key_m_001_admin", 1)

    assert not [at for at in range(len(key)) if proven(flipped(key, at))]


def test_a_publishable_key_is_no_secret_key():
    """Turning `pk` into `sk` in the text does not turn the key."""
    key = derive_key(HOUSE, "key_m_001_admin", 1, publishable=True)

    assert proven("sk" + key[2:]) is None


def test_rotation_ends_the_old_key():
    """Once a key's version was raised, the text of the version before is refused."""
    assert proven(derive_key(HOUSE, "rotated", 1)) is None
    assert proven(derive_key(HOUSE, "rotated", 2)) == "rotated"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk_test_",
        "sk_live_rotated_" + "0" * 32,
        "sk_test_nobody_" + "0" * 32,
        "sk_test_rotated_" + "é" * 32,
        "sk_test_rotated_" + "\u0660" * 32,
        "sk_test_rotated_" + "0" * 32 + "\n",
        "sk_test_../x_" + "0" * 32,
        "sk_test_" + "a" * 100_000,
        derive_key(b"another house's secret", "rotated", 2),
    ],
)
def test_what_is_no_key_is_refused_without_an_error(text):
    """Any text may be presented; none of it raises, and none of it is a key."""
    assert proven(text) is None


def test_an_unknown_id_cannot_borrow_version_nought():
    """The version that unknown ids are compared against proves nothing."""
    with pytest.raises(ValueError, match="version"):
        derive_key(HOUSE, "nobody", 0)
    assert proven("sk_test_nobody_" + "0" * 32) is None


def test_a_presented_key_does_not_show_its_proof():
    """What stands in a log or a traceback tells the id and not the key."""
    key = derive_key(HOUSE, "rotated", 2)

    assert key.rpartition("_")[2] not in repr(parse_key(key))


def test_secrets_are_compared_as_bytes():
    """Text that is not ASCII is unequal, not an error."""
    assert same_secret("sk_service_1", b"sk_service_1")
    assert not same_secret("sk_service_é\udce9", b"sk_service_1")


def test_a_secret_is_made_once_and_kept_private(tmp_path):
    """The first start makes it, readable by the owner alone; every later one reads the same."""
    fs, rng = RealFs(str(tmp_path)), Counting()

    first = secret(fs, "house", rng)

    assert secret(fs, "house", rng) == first
    assert rng.made == 1
    file = tmp_path / "data/secrets/house"
    assert file.read_bytes() == first + b"\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_given_secret_leaves_no_file(tmp_path):
    """A secret from the settings is used as it is and never written down."""
    fs, rng = RealFs(str(tmp_path)), Counting()

    assert secret(fs, "house", rng, given="x" * 20) == b"x" * 20
    assert list(tmp_path.iterdir()) == []


def test_who_comes_second_waits_and_gets_the_same(tmp_path):
    """Two processes at a first start end with one secret: the second waits for the lock."""
    fs, rng = RealFs(str(tmp_path)), Counting()
    holder = fs.open("data/secrets/.lock", create=True)
    assert holder.lock()

    def the_first_finishes():
        fs.replace("data/secrets/house", b"made-by-the-first\n")
        holder.close()

    assert secret(fs, "house", rng, pause=the_first_finishes) == b"made-by-the-first"
    assert rng.made == 0


def test_waiting_for_a_secret_ends(tmp_path):
    """A lock that is never given back is an error, not a hang."""
    fs = RealFs(str(tmp_path))
    holder = fs.open("data/secrets/.lock", create=True)
    assert holder.lock()

    with pytest.raises(PayRailError, match="too long"):
        secret(fs, "house", Counting(), pause=lambda: None)
    holder.close()


def test_an_emptied_secret_is_not_made_anew(tmp_path):
    """A file that lost its secret is a fault to be told: a new one would end every key."""
    fs, rng = RealFs(str(tmp_path)), Counting()
    fs.replace("data/secrets/house", b"\n")

    with pytest.raises(BadSettings, match="data/secrets/house"):
        secret(fs, "house", rng)


def test_the_service_key_reads_as_a_key(tmp_path):
    """Console and CLI read `sk_service_<hex>` as the whole text of its file."""
    fs, rng = RealFs(str(tmp_path)), Counting()

    key = service_key(fs, rng)

    assert key.startswith("sk_service_")
    assert (tmp_path / "data/secrets/service").read_text() == key + "\n"


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A working folder without a `.env`, and no variable of ours."""
    for name in [name for name in os.environ if name.startswith("PAYRAIL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_settings_have_defaults_and_full_urls(bare, tmp_path):
    """Without a file or a variable the house knows its ports and where its parts are reached."""
    found = load_settings()

    assert found.home == tmp_path
    assert (found.api_port, found.vault_url) == (8026, "http://127.0.0.1:8027")
    assert found.console_url == "http://127.0.0.1:3026"
    assert (found.provider_timeout_ms, found.request_budget_ms) == (5_000, 10_000)


def test_the_environment_beats_the_file_and_empty_is_unset(bare, tmp_path):
    """`.env` changes a default, a variable changes `.env`, an empty one changes nothing."""
    (tmp_path / ".env").write_text("PAYRAIL_API_PORT=9000\nPAYRAIL_SEED=7\nOTHER=x\n")
    bare.setenv("PAYRAIL_SEED", "8")
    bare.setenv("PAYRAIL_API_PORT", "")

    found = load_settings()

    assert (found.api_port, found.seed) == (9000, 8)


def test_the_home_has_its_own_file(bare, tmp_path):
    """A house elsewhere brings its own `.env`, which cannot move it."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    (home / ".env").write_text("PAYRAIL_VAULT_PORT=9027\nPAYRAIL_HOME=/nowhere\n")

    found = load_settings(home)

    assert (found.home, found.vault_url) == (home, "http://127.0.0.1:9027")


def test_bad_settings_are_named_and_never_shown(bare):
    """Each variable that cannot be used has its line; no line holds what was given."""
    wrong = {
        "PAYRAIL_API_PORT": "70001",
        "PAYRAIL_REQUEST_BUDGET": "12parsecs",
        "PAYRAIL_HOUSE_SECRET": "hunter2",
        "PAYRAIL_VAULT_URL": "http://me:letmein@vault",
        "PAYRAIL_DURABILITY": "paper",
    }
    for name, value in wrong.items():
        bare.setenv(name, value)

    with pytest.raises(BadSettings) as caught:
        load_settings()

    lines = str(caught.value).splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == sorted(wrong)
    assert not [value for value in wrong.values() if value in str(caught.value)]


@pytest.mark.parametrize(
    ("text", "ms"), [("500ms", 500), ("5s", 5_000), ("10m", 600_000), ("1h", 3_600_000)]
)
def test_durations_carry_their_unit(bare, text, ms):
    """Milliseconds, seconds, minutes and hours are understood."""
    bare.setenv("PAYRAIL_PROVIDER_TIMEOUT", text)

    assert load_settings().provider_timeout_ms == ms


def test_secrets_do_not_show(bare):
    """Printing the settings prints no secret."""
    bare.setenv("PAYRAIL_VAULT_KEY", "a-vault-key-of-some-length")

    assert "a-vault-key" not in repr(load_settings())
