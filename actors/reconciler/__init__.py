"""The reconciler: settlement files, reports, and breaks that two people post."""
