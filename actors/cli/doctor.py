"""`doctor`: whether a house can run here, and what to mend. Never: mends anything itself."""

import os
import stat
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from actors.cli.common import AsJson, files, put_json, put_table, settings
from actors.cli.exits import SETTINGS
from actors.cli.ports import Port, ports_of, trouble_of

if TYPE_CHECKING:
    from payrail.runtime.ports import Fs
    from payrail.settings import Settings

PYTHON_MIN = (3, 11)
#: An fsync that takes longer makes every answer slow; it is no fault.
FSYNC_MS_SLOW = 20.0
_FSYNCS = 20
#: Locks and appends are not to be trusted on these.
_SHARED_KINDS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "vboxsf", "drvfs"})
#: On these a power cut takes everything, whatever was synced.
_VOLATILE_KINDS = frozenset({"tmpfs", "ramfs"})
#: Before this the clock was never set: the year in which the first line was written.
_CLOCK_S_MIN = 1_735_689_600
_GIVE_IT = "Give it to this user, or mount it for writing."


@dataclass(frozen=True, slots=True)
class Finding:
    """`verdict`: ok | look (runs, but know it) | mend (does not run, or not safely)."""

    what: str
    verdict: str
    seen: str
    remedy: str = ""


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Check Python, home, disk, ports, secrets and clock. 78: something must be mended."""
    from dataclasses import asdict

    chosen = settings()
    found = examine(chosen)
    if as_json:
        put_json([asdict(one) for one in found])
    else:
        rows = [(one.what, one.verdict, one.seen, one.remedy) for one in found]
        put_table(("check", "verdict", "seen", "remedy"), rows)
    if any(one.verdict == "mend" for one in found):
        raise typer.Exit(SETTINGS)


def examine(chosen: "Settings") -> list[Finding]:
    """Everything that is checked, in the order in which it is shown."""
    home = chosen.home
    return [
        _python(),
        _writable(home),
        _filesystem(home),
        _fsync(home),
        *_ports(chosen),
        _secrets(home),
        *_vault_key(chosen),
        _clock(),
        _business_clock(chosen),
        *_rules(chosen),
        _drills(chosen),
    ]


def _python() -> Finding:
    seen = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < PYTHON_MIN:
        return Finding("python", "mend", seen, "Use Python 3.11 or newer.")
    return Finding("python", "ok", seen)


def _writable(home: Path) -> Finding:
    if not home.is_dir():
        return Finding("home", "mend", f"{home} is no folder", "Make it, or set PAYRAIL_HOME.")
    for path in (home, home / "data", home / "mailboxes"):
        if path.exists() and not os.access(path, os.W_OK | os.X_OK):
            return Finding("home", "mend", f"{path} is read-only", _GIVE_IT)
    return Finding("home", "ok", str(home))


def _filesystem(home: Path) -> Finding:
    kind = _kind_of(home)
    if kind in _SHARED_KINDS:
        return Finding("filesystem", "mend", kind, "Use a local disk: locks do not hold here.")
    if kind in _VOLATILE_KINDS:
        return Finding("filesystem", "look", kind, "A restart of the machine takes everything.")
    return Finding("filesystem", "ok", kind)


def _kind_of(home: Path) -> str:
    """The kind of the mount that holds the home; `unknown` where it cannot be told."""
    import psutil

    there = str(home)
    mounts = [
        (part.mountpoint, part.fstype)
        for part in psutil.disk_partitions(all=True)
        if there == part.mountpoint or there.startswith(part.mountpoint.rstrip("/") + "/")
    ]
    return max(mounts, key=lambda mount: len(mount[0]))[1] if mounts else "unknown"


def _fsync(home: Path) -> Finding:
    """The median time of an fsync, measured with a file that is gone afterwards."""
    taken_ms = []
    try:
        with tempfile.TemporaryFile(dir=home) as file:
            for _ in range(_FSYNCS):
                file.write(b"payrail\n")
                file.flush()
                began = time.perf_counter()
                os.fsync(file.fileno())
                taken_ms.append((time.perf_counter() - began) * 1000)
    except OSError as error:
        return Finding("fsync", "mend", error.strerror or "failed", "Free or repair the disk.")
    median_ms = sorted(taken_ms)[_FSYNCS // 2]
    if median_ms > FSYNC_MS_SLOW:
        return Finding("fsync", "look", f"{median_ms:.1f} ms", "Each answer waits for the disk.")
    return Finding("fsync", "ok", f"{median_ms:.2f} ms")


def _ports(chosen: "Settings") -> list[Finding]:
    from payrail.runtime.house import holders

    runs = bool(holders(chosen.home))
    return [_port(port, chosen, runs) for port in ports_of(chosen)]


def _port(port: Port, chosen: "Settings", runs: bool) -> Finding:
    what, trouble = f"port {port.number}", trouble_of(port, chosen)
    if trouble is None:
        return Finding(what, "ok", "free")
    if runs:
        return Finding(what, "ok", "taken, a house runs on this home")
    return Finding(what, "mend", trouble.seen, trouble.remedy)


def _secrets(home: Path) -> Finding:
    folder = home / "data" / "secrets"
    if not folder.exists():
        return Finding("secrets", "ok", "made at the first start")
    open_to_others = [
        path for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077
    ]
    if open_to_others:
        remedy = f"chmod -R go= {folder}"
        return Finding("secrets", "mend", f"{open_to_others[0]} is open to others", remedy)
    return Finding("secrets", "ok", "for this user alone")


def _vault_key(chosen: "Settings") -> list[Finding]:
    """Whether the vault will open, once it has keys; said before it is started and stays sealed."""
    from actors.vault.keys import VaultLocked, fitting_keys
    from payrail.errors import BadSettings

    try:
        found = fitting_keys(files(chosen), chosen.vault_key.get_secret_value())
    except VaultLocked as locked:
        held = f"held by {' and '.join(locked.protection.names)}"
        remedy = "Each start waits for both: `payrail vault unlock --operator NAME`."
        return [Finding("vault key", "look", held, remedy)]
    except BadSettings as error:
        remedy = "Only the right key opens the cards. Then `payrail restart vault`."
        return [Finding("vault key", "mend", str(error), remedy)]
    return [Finding("vault key", "ok", "opens the cards")] if found else []


def _clock() -> Finding:
    seen = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if time.time() < _CLOCK_S_MIN:
        return Finding("clock", "mend", seen, "Set the machine's clock.")
    return Finding("clock", "ok", seen)


def _business_clock(chosen: "Settings") -> Finding:
    """Whether actors would start on data/clock.json, and where it put business time."""
    from payrail.domain.durations import spelled
    from payrail.errors import BadSettings
    from payrail.runtime.clockfile import PATH, read_setting

    try:
        setting = read_setting(files(chosen))
    except BadSettings as error:
        return Finding("business time", "mend", str(error), "Then `payrail release` who is held.")
    except OSError as error:
        return _unreadable("business time", PATH, error)
    if setting.mode == "freeze":
        return Finding("business time", "look", f"frozen at {setting.frozen_at}")
    return Finding("business time", "ok", f"{spelled(setting.ahead_ms)} ahead of wire time")


def _rules(chosen: "Settings") -> list[Finding]:
    """How the gateway's rule files stand: whether each can be used, and what a house that runs
    decides by."""
    from actors.gateway.rule_files import FILES

    return [_rule_file(chosen, name) for name in FILES]


def _rule_file(chosen: "Settings", name: str) -> Finding:
    from actors.gateway.rule_files import FILES, judge, look
    from actors.gateway.settings import Rules

    fs, path = files(chosen), FILES[name].path
    found = look(fs, name)
    if found is None:
        return Finding(name, "ok", f"{path} is made at the first start")
    bad = judge(found, Rules())
    if bad is None:
        return Finding(name, "ok", f"{path} can be used")
    kept = " · what was in force before stays" if _is_in_force(fs, name) else ""
    told = " · ".join(str(bad).splitlines()[:-1])
    return Finding(name, "mend", told + kept, bad.remedy)


def _is_in_force(fs: "Fs", name: str) -> bool:
    """Whether the gateway knows rules of that name: then it starts, and decides by those."""
    import json

    from payrail.domain.words.rules import VIEW

    try:
        rows = json.loads(fs.read(VIEW))["rules"]
    except (OSError, ValueError, KeyError):
        return False
    return any(row["id"] == name for row in rows)


def _drills(chosen: "Settings") -> Finding:
    """Whether both providers would start on data/rules/faults.toml."""
    from actors.provider.faultfile import PATH, read_faults
    from payrail.domain.words.kinds import PROVIDERS
    from payrail.errors import BadSettings

    fs = files(chosen)
    if not fs.exists(PATH):
        return Finding("drills", "ok", "made at the first start")
    try:
        counts = [len(read_faults(fs.read(PATH), name)) for name in PROVIDERS]
    except BadSettings as error:
        return Finding("drills", "mend", " · ".join(str(error).splitlines()), "See the file.")
    except OSError as error:
        return _unreadable("drills", PATH, error)
    return Finding("drills", "look" if any(counts) else "ok", f"{sum(counts)} rules in {PATH}")


def _unreadable(what: str, path: str, error: OSError) -> Finding:
    """A file that stands there, and cannot be read: a folder, a link, somebody else's."""
    remedy = "Put a plain file there that this user may read, then `payrail release` who is held."
    return Finding(what, "mend", f"{path}: {error.strerror}", remedy)
