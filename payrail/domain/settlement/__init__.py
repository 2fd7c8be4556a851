"""Settlement and reconciliation as rules: formats, cut-offs, matching, breaks, reports.

Values in, values out: nothing here opens a file, and every input streams.
"""
