"""A spool from the vault to the gateway, its writer, and a receiver that takes each number once."""

from payrail.runtime.sim import SimFs
from payrail.storage.lines import encode, sealed
from payrail.storage.spool import ReadSoFar, SpoolReader, SpoolWriter, nowhere, spool_path

PATH = spool_path("gateway", "vault")
OLD = "mailboxes/gateway/old"
ROTATE_BYTES = 500


def numbered(n: int, epoch: int = 1) -> bytes:
    return sealed(encode({"id": f"vault>gateway:{n}", "n": n, "epoch": epoch})) + b"\n"


class Receiver:
    """Takes each number once, in order; tells where it stands, as its cell would."""

    def __init__(self, fs: SimFs, last: int = 0, hint: int = 0) -> None:
        self.reader = SpoolReader(fs, "gateway", "vault")
        self.reader.start_behind(last, 1, hint)
        self.last = last
        self.taken: list[int] = []

    def read(self, limit: int = 4096) -> None:
        for line in self.reader.read(limit):
            if line + b"\n" == numbered(self.last + 1):
                self.last += 1
                self.taken.append(self.last)

    def read_to(self, receiver: str, sender: str) -> ReadSoFar:
        return ReadSoFar(self.last, self.reader.offset)


def send_and_read(receiver: Receiver, sender: SpoolWriter, last: int) -> None:
    """Numbers 1 to `last`, each read before the next one is sent."""
    for n in range(1, last + 1):
        sender.append(numbered(n))
        receiver.read()


def writer(fs: SimFs, receiver: Receiver | None = None) -> SpoolWriter:
    read_to = receiver.read_to if receiver else nowhere
    return SpoolWriter(fs, "vault", "gateway", read_to, rotate_bytes=ROTATE_BYTES)
