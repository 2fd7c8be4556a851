"""A disk that can be filled: the home on a tmpfs of its own, made smaller than what lies on it.

Needs root. Whatever stood on it at the end is copied to where the home would else have been, if it
is wanted. Never: leaves it mounted.
"""

import os
import shutil
import subprocess
from pathlib import Path

_SIZE_MB = 8_192  # A limit, no reservation.
#: The house writes between the look and the act: then it is tried again.
_TRIES_MAX = 20


class NoSmallDisk(Exception):
    """There can be none here; the text says why."""


class SmallDisk:
    """Mounted at `folder/disk` from `mount` to `unmount`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._at = folder, folder / "disk"
        self.home = self._at / "home"

    def mount(self) -> None:
        """Raises NoSmallDisk."""
        if not hasattr(os, "geteuid") or os.geteuid() != 0:
            raise NoSmallDisk("only root may mount a small disk")
        self._at.mkdir(exist_ok=True)
        size = f"size={_SIZE_MB}m,mode=700"
        try:
            _run("mount", "-t", "tmpfs", "-o", size, "payrail-chaos", str(self._at))
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoSmallDisk(f"no tmpfs can be mounted here: {_said(error)}") from error
        self.home.mkdir(parents=True, exist_ok=True)

    def fill(self) -> None:
        """From now on there is no room for another page."""
        for _ in range(_TRIES_MAX):
            stat = os.statvfs(self._at)
            used_kb = max(4, (stat.f_blocks - stat.f_bfree) * stat.f_frsize // 1024)  # 0: no limit
            try:
                return _run("mount", "-o", f"remount,size={used_kb}k", str(self._at))
            except subprocess.CalledProcessError as error:
                failed = error
        raise NoSmallDisk(f"the disk could not be filled: {_said(failed)}")

    def refuses(self) -> bool:
        """Whether a write beside the home finds no room."""
        probe = self._at / "probe"
        try:
            probe.write_bytes(b"x" * 4096)
        except OSError:
            return True
        finally:
            probe.unlink(missing_ok=True)
        return False

    def free(self) -> None:
        """There is room again."""
        _run("mount", "-o", f"remount,size={_SIZE_MB}m", str(self._at))

    def unmount(self, *, keep: bool) -> None:
        """The end of it. `keep`: its home is copied to `folder/home`."""
        if keep:
            shutil.copytree(self.home, self._folder / "home", dirs_exist_ok=True)
        _run("umount", str(self._at))
        self._at.rmdir()


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True)


def _said(error: BaseException) -> str:
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    return str(said).strip()
