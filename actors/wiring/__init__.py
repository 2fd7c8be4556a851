"""Who lives in the house, and how each is joined to its ports: nothing else knows them all."""

from actors.wiring.house import BUILD, NAMES, PRIVATE, build, cores, preload, run_inline

__all__ = ["BUILD", "NAMES", "PRIVATE", "build", "cores", "preload", "run_inline"]
