"""Where the files of settlement and reconciliation lie: one writes them, several read them.

Never: opens a file.
"""

SETTLEMENTS, REPORTS = "data/settlement", "data/reconciliation"
#: The report of the newest date once more, under a name that stays.
NEWEST = f"{REPORTS}/reconciliation_report.json"
#: What people proposed and posted; a report never changes for it.
APPROVALS = f"{REPORTS}/approvals.json"


def settlement_path(date: str) -> str:
    """The settlement file of a date."""
    return f"{SETTLEMENTS}/settlement_{date}.csv"


def payouts_path(date: str) -> str:
    """The file of the payouts to merchants that were made on a date."""
    return f"{SETTLEMENTS}/payouts_{date}.csv"


def report_path(date: str) -> str:
    """The reconciliation report of a date."""
    return f"{REPORTS}/reconciliation_report_{date}.json"
