"""A fleet that behaves, for demos and tests: raw files, and the truth about them apart."""

from .deliver import Simulation, simulate
from .spec import DEFAULT_START, SimSpec

__all__ = ["DEFAULT_START", "SimSpec", "Simulation", "simulate"]
