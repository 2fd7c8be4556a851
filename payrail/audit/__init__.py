"""Checks and explanations for people: read the files of a house, running or not, write nothing."""
