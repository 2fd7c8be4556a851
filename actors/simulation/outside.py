"""What hands and disks do to files from outside: nobody of the house has written that.

All of it is durable at once. Never: decides what is damaged (`rot`, `mail`).
"""

from random import Random

from payrail.runtime.simdisk import NameChange, Node, SimDisk

#: How much a disk loses when it loses a sector.
SECTOR_BYTES = 512


def overwrite(node: Node, at: int, data: bytes) -> None:
    """Other bytes stand there."""
    for content in (node.content, node.durable):
        content[at : at + len(data)] = data


def flipped(chance: Random, byte: int) -> bytes:
    """The same byte, but for a bit."""
    return bytes([byte ^ (1 << chance.randrange(8))])


def put(disk: SimDisk, path: str, content: bytes | None) -> None:
    """Another file has this name, or none, as after `sed -i` or `rm`."""
    folder = path.rpartition("/")[0]
    if (old := disk.names.get(path)) is not None:
        disk.change(NameChange((folder,), old, removed=path))
    if content is not None:
        new = disk.new_node()
        new.content, new.durable = bytearray(content), bytearray(content)
        disk.change(NameChange((folder,), new, added=path))
    disk.sync_folder(folder)
