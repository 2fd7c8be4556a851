"""`payrail chaos run`: a house of real processes is broken in every way, and judged by its files.

Everybody here stands outside of the house: they start it as people do, speak HTTP to it, send
signals to its processes and read its files. Nothing is reached into.
"""
