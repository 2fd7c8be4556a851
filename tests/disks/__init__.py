"""The house on disks that fail: power cuts, full and read-only disks, failing system calls."""
