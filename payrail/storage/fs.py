"""Files on a real disk: what `ports.Fs` promises, with the system calls that keep the promise.

Owns: nothing below the home folder; every file belongs to the actor that opened it for writing.
Never: continues a write after a short one, follows a link out of the home, leaves a new name
without a sync of its folder: after a failed one a later one saves nothing, so a name that was new
is taken away again. An `OSError` is passed on as it came; a file is otherwise left as it is.
"""

import errno
import fcntl
import os
import stat

FILE_MODE = 0o644
FOLDER_MODE = 0o755
#: Paths remembered as lying below the home: a house has some dozens; raw bytes kept by name more.
KNOWN_PATHS_MAX = 4096
SECRETS = "data/secrets"
SECRET_FILE_MODE = 0o600
SECRET_FOLDER_MODE = 0o700

_SAFE = os.O_CLOEXEC | os.O_NOFOLLOW
#: Where it exists (macOS), `fsync` alone does not empty the drive's own cache.
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


def inside(path: str) -> str:
    """The path itself. Raises OSError (EINVAL) when absolute or with `..`, NUL or empty parts."""
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise OSError(errno.EINVAL, "not a plain path below the home", path.replace("\0", "?"))
    return path


def folder_of(path: str) -> str:
    """The folder that holds `path`; empty for the home itself."""
    return path.rpartition("/")[0]


def temporary(path: str) -> str:
    """Where `replace` writes the new content before it takes the name."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.tmp"


#: The keys that open stored cards lie where the contract says, beside the cards.
VAULT_KEYS = "data/vault/keys.json"


def _is_secret(path: str) -> bool:
    return path in (SECRETS, VAULT_KEYS) or path.startswith(f"{SECRETS}/")


def _sync(fd: int) -> None:
    if _FULL_SYNC is None:
        os.fdatasync(fd)
    else:
        fcntl.fcntl(fd, _FULL_SYNC)


def _must_be_whole(written: int, data: bytes) -> None:
    """A hole may never be continued: whoever opens the file next cuts the piece off."""
    if written != len(data):
        raise OSError(errno.ENOSPC, f"short write: {written} of {len(data)} bytes")


class RealFile:
    """One open file; see `ports.File`."""

    def __init__(self, fd: int, *, durable: bool) -> None:
        self._fd = fd
        self._durable = durable
        self._appends = False  # whether the descriptor is in append mode

    def append(self, data: bytes) -> int:
        if not data:
            return self.size()
        self._set_append_mode(True)
        _must_be_whole(os.write(self._fd, data), data)
        # The kernel leaves the position behind the bytes, also when others append to this file.
        return os.lseek(self._fd, 0, os.SEEK_CUR) - len(data)

    def pread(self, offset: int, size: int) -> bytes:
        data = os.pread(self._fd, size, offset)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def pwrite(self, offset: int, data: bytes) -> None:
        # On Linux a descriptor in append mode ignores the offset.
        self._set_append_mode(False)
        _must_be_whole(os.pwrite(self._fd, data, offset), data)

    def _set_append_mode(self, wanted: bool) -> None:
        """A file is nearly always written in one way only, so this seldom asks the kernel."""
        if self._appends == wanted:
            return
        if self._fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flags = fcntl.fcntl(self._fd, fcntl.F_GETFL) & ~os.O_APPEND
        fcntl.fcntl(self._fd, fcntl.F_SETFL, flags | (os.O_APPEND if wanted else 0))
        self._appends = wanted

    def truncate(self, size: int) -> None:
        os.ftruncate(self._fd, size)

    def sync(self) -> None:
        if self._durable:
            _sync(self._fd)

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def identity(self) -> int:
        return os.fstat(self._fd).st_ino

    def lock(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class RealFs:
    """Files below `home`. With `durable=False` nothing is synced: a power cut may lose anything."""

    def __init__(self, home: str, *, durable: bool = True) -> None:
        self._home = os.path.realpath(home)
        self._durable = durable
        self._trusted: set[str] = set()  # folders that are known to lie below the home
        self._known: dict[str, str] = {}  # paths in them that were judged: spools are asked often
        self._synced: set[str] = set()  # folders whose own names this process has made durable

    def open(self, path: str, *, create: bool = False) -> RealFile:
        where = self._at(path)
        if create:
            self._make_folder(folder_of(path))
        is_new = create and self._is_made(where, _file_mode(path))
        fd = self._open_fd(path, where, create=create)
        try:
            if create:
                # Also when it stood there: who made it may have died before this sync.
                self._sync_name(path, where, is_new=is_new)
        except OSError:
            os.close(fd)
            raise
        return RealFile(fd, durable=self._durable)

    def read(self, path: str) -> bytes:
        # A pipe that nobody writes to would be waited for: for ever, and by the whole actor.
        fd = os.open(self._at(path), os.O_RDONLY | os.O_NONBLOCK | _SAFE)
        with os.fdopen(fd, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(errno.EINVAL, "not a plain file", path)
            return file.readall()

    def replace(self, path: str, data: bytes) -> None:
        where, new = self._at(path), self._at(temporary(path))
        self._make_folder(folder_of(path))
        _remove(new)  # somebody died in the middle of this
        is_new = not os.path.lexists(where)
        try:
            self._write_new(new, data, _file_mode(path))
            os.rename(new, where)
        except OSError:
            _remove(new)
            raise
        self._sync_name(path, where, is_new=is_new)

    def rename(self, path: str, new_path: str) -> None:
        where, new = self._at(path), self._at(new_path)
        self._make_folder(folder_of(new_path))
        os.rename(where, new)
        self._sync_folder(folder_of(new_path))
        if folder_of(path) != folder_of(new_path):
            self._sync_folder(folder_of(path))

    def unlink(self, path: str) -> None:
        os.unlink(self._at(path))
        self._sync_folder(folder_of(path))

    def listdir(self, path: str) -> list[str]:
        where = self._at(f"{path}/x") if path else self._at("x")
        try:
            return sorted(os.listdir(os.path.dirname(where)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def exists(self, path: str) -> bool:
        return self._stat(path) is not None

    def identity(self, path: str) -> int | None:
        found = self._stat(path)
        return None if found is None else found.st_ino

    def size(self, path: str) -> int:
        found = self._stat(path)
        return 0 if found is None else found.st_size

    def _at(self, path: str) -> str:
        """Where `path` lies on the disk. Raises OSError when a link leads out of the home."""
        return self._known.get(path) or self._judged(path)

    def _judged(self, path: str) -> str:
        folder = folder_of(inside(path))
        if folder not in self._trusted:
            real = os.path.realpath(os.path.join(self._home, folder))
            if not os.path.join(real, "").startswith(os.path.join(self._home, "")):
                raise OSError(errno.ELOOP, "a link leads out of the home", folder)
            if not os.path.isdir(real):
                return os.path.join(self._home, path)
            self._trusted.add(folder)
        where = os.path.join(self._home, path)
        if len(self._known) < KNOWN_PATHS_MAX:
            self._known[path] = where
        return where

    def _stat(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(self._at(path), follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _is_made(self, where: str, mode: int) -> bool:
        """Make the file if there is none; whether it was made now."""
        try:
            os.close(os.open(where, os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFE, mode))
        except FileExistsError:
            return False
        return True

    def _open_fd(self, path: str, where: str, *, create: bool) -> int:
        flags = os.O_RDWR | _SAFE | (os.O_CREAT if create else 0)
        try:
            return os.open(where, flags, _file_mode(path))
        except OSError as error:
            if create or error.errno not in (errno.EACCES, errno.EROFS, errno.EPERM):
                raise
        # A follower of somebody else's book may read it and not write; its writes are refused.
        return os.open(where, os.O_RDONLY | _SAFE)

    def _write_new(self, where: str, data: bytes, mode: int) -> None:
        fd = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, mode)
        try:
            if data:
                _must_be_whole(os.write(fd, data), data)
            if self._durable:
                _sync(fd)
        finally:
            os.close(fd)

    def _make_folder(self, folder: str) -> None:
        """Make the folder and those above it, each name durable once a process."""
        where = os.path.join(self._home, folder)
        if folder in self._synced and os.path.isdir(where):
            return
        if not folder:
            os.makedirs(self._home, FOLDER_MODE, exist_ok=True)
        else:
            self._make_folder(folder_of(folder))
            is_new = _is_folder_made(
                where, SECRET_FOLDER_MODE if _is_secret(folder) else FOLDER_MODE
            )
            try:
                # Also when it stood there, for its maker may have died before this sync.
                self._sync_folder(folder_of(folder))
            except OSError:
                if is_new:
                    _remove_folder(where)
                raise
        self._synced.add(folder)

    def _sync_name(self, path: str, where: str, *, is_new: bool) -> None:
        """Make a name durable; one that is new is taken away again when that fails."""
        try:
            self._sync_folder(folder_of(path))
        except OSError:
            if is_new:
                _remove(where)
            raise

    def _sync_folder(self, folder: str) -> None:
        if not self._durable:
            return
        fd = os.open(os.path.join(self._home, folder), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _file_mode(path: str) -> int:
    return SECRET_FILE_MODE if _is_secret(path) else FILE_MODE


def _is_folder_made(where: str, mode: int) -> bool:
    try:
        os.mkdir(where, mode)
    except FileExistsError:
        return False
    return True


def _remove_folder(where: str) -> None:
    """If nobody has put anything into it meanwhile."""
    try:
        os.rmdir(where)
    except OSError:
        pass


def _remove(where: str) -> None:
    try:
        os.unlink(where)
    except FileNotFoundError:
        pass
