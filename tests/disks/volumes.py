"""Disks of our own: an ext4 image that can lose its power, a tmpfs that is soon full.

Owns: mounts in a mount namespace of this process, which nobody else on the machine sees and which
are gone with it. Needs Linux, root, and the tools below.
Never: touches a mount or a loop device that it did not make.
"""

import atexit
import ctypes
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from actors.cli.exits import NOT_RUNNING
from tests.commands import end

TOOLS = ("mkfs.ext4", "e2fsck", "mount", "umount", "strace", "cp")
#: How rarely the kernel may write the journal of the file system by itself: never, for a test.
COMMIT_S = 300
#: Images live in memory: a cut is a copy, and what is fsynced here says nothing about other disks.
ROOM_MIB = 512
#: How long a mount may stay busy after the last process on it was killed.
BUSY_S_MAX = 10.0
_CLONE_NEWNS = 0x00020000  # Source: linux/sched.h.
_LOOK_S = 0.02


class NoRight(Exception):
    """This user or this machine may not mount anything: nothing here can be tested."""


class NoTool(Exception):
    """A tool is missing that could be installed."""


def must_be_possible() -> None:
    """Raise NoRight or NoTool, in one sentence that names what is missing."""
    if sys.platform != "linux":
        raise NoRight("power cuts need the loop mounts of Linux")
    if os.geteuid() != 0:
        raise NoRight("only root may mount a disk of its own")
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise NoTool(f"there is no {', '.join(missing)} here; install strace, e2fsprogs and mount")
    _try_a_mount()


def end_unless_possible() -> None:
    """For commands: end with 69 and that sentence."""
    try:
        must_be_possible()
    except (NoRight, NoTool) as error:
        end(NOT_RUNNING, str(error))


@cache
def own_mounts() -> Path:
    """Leave the machine's mount namespace. Result: a folder in memory for images and mounts.
    Raises NoRight."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        raise NoRight(f"no mount namespace of our own: {os.strerror(ctypes.get_errno())}")
    try:
        _run("mount", "--make-rprivate", "/")
        room = Path(tempfile.mkdtemp(prefix="payrail-disks-"))
        _run("mount", "-t", "tmpfs", "-o", f"size={ROOM_MIB}m", "tmpfs", str(room))
    except OSError as error:
        raise NoRight(f"this root may not mount: {error.strerror}") from error
    atexit.register(_leave, room)
    return room


def _leave(room: Path) -> None:
    """The mounts go with this process; what stays is an empty folder."""
    with suppress(OSError):
        _run("umount", "--lazy", str(room))
        room.rmdir()


@cache
def _try_a_mount() -> None:
    disk = Disk("probe", size_mib=8)
    try:
        disk.make()
    except OSError as error:
        raise NoRight(f"no loop mounts here: {error.strerror}") from error
    disk.remove()


class Volume:
    """A mount at a place of its own, `where`."""

    def __init__(self, name: str) -> None:
        self.folder = own_mounts() / name
        self.where = self.folder / "mnt"
        self.where.mkdir(parents=True, exist_ok=True)

    def remount(self, options: str) -> None:
        """Change it while it is in use: `ro`, `rw`, `size=...`. Raises OSError."""
        _run("mount", "-o", f"remount,{options}", str(self.where))

    def unmount(self) -> None:
        """Raises OSError when it is still in use after BUSY_S_MAX."""
        until = time.monotonic() + BUSY_S_MAX
        while True:
            try:
                return _run("umount", str(self.where))
            except OSError:
                if time.monotonic() > until:
                    raise
            time.sleep(_LOOK_S)

    def remove(self) -> None:
        self.unmount()
        shutil.rmtree(self.folder)


class Disk(Volume):
    """An ext4 disk: the image is what stands on its platters, whatever the kernel still holds."""

    def __init__(self, name: str, *, size_mib: int) -> None:
        super().__init__(name)
        self._size_mib = size_mib
        self._image, self._copy = self.folder / "image", self.folder / "copy"

    def make(self) -> None:
        """Format and mount it. Raises OSError."""
        with self._image.open("wb") as image:
            image.truncate(self._size_mib << 20)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0", str(self._image))
        self._mount()

    def _mount(self, image: Path | None = None) -> None:
        options = f"loop,noatime,errors=remount-ro,commit={COMMIT_S}"
        _run("mount", "-o", options, str(image or self._image), str(self.where))

    def cut(self) -> None:
        """Take what stands on the disk now, still mounted; every process on it must stand still."""
        _run("cp", "--sparse=always", str(self._image), str(self._copy))

    def power_on(self) -> None:
        """Go on with what the last cut took. Raises OSError while somebody still uses the disk."""
        self.unmount()
        os.replace(self._copy, self._image)
        self._mount()

    def fail(self) -> None:
        """From now on it can only be read, as after an error of the drive: its journal is given up,
        and an fsync under way fails."""
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        device = next(fields[0] for fields in mounts if fields[1] == str(self.where))
        Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("1")

    def mend(self) -> None:
        """Check it, as the start of a machine does, and mount it again."""
        self.unmount()
        _run("e2fsck", "-f", "-y", str(self._image), good=(0, 1))
        self._mount()


class Memory(Volume):
    """A tmpfs: as large as told, and no larger."""

    def __init__(self, name: str, *, size_kib: int) -> None:
        super().__init__(name)
        _run("mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(self.where))

    def resize(self, size_kib: int) -> None:
        self.remount(f"size={size_kib}k")


def _run(*command: str, good: tuple[int, ...] = (0,)) -> None:
    """Raises OSError with what the command said when it ends with another code."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode not in good:
        raise OSError(errno.EIO, f"{command[0]}: {(ran.stderr or ran.stdout).strip()}")
