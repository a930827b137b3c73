"""Tools that test an op from one description; for pydl's own ops and for yours."""

from pydl.testing.op_tests import OpTests
from pydl.testing.opspec import FLOATS, HALVES, INTEGERS, OpSpec, Sample, is_emulated

__all__ = ["FLOATS", "HALVES", "INTEGERS", "OpSpec", "OpTests", "Sample", "is_emulated"]
