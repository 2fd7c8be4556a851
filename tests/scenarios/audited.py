"""The files of a simulated house on a real disk, for the auditor that reads nothing else."""

from pathlib import Path

from actors.simulation.house import SimHouse
from tests.auditor.audit import audit
from tests.auditor.report import Report


def audited(house: SimHouse, home: Path) -> Report:
    """What the auditor finds and has looked at, once all files of the house lie in `home`."""
    for path, node in house.fs.disk.names.items():
        if not node.is_folder:
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_bytes(house.bytes_of(path))
    return audit(home)
