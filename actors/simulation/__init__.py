"""The house over simulated ports: every actor in one process, on a disk that can be broken.

The second room that knows all actors, beside `wiring`. Never: decides anything for them.
"""
