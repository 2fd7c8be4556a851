"""The command line: verbs for people. The one place beside `wiring` that knows all parts."""
