"""A stand-in for CuPy on NumPy: CuPy's names, its refusals, and a count of what a GPU would do. Nothing runs on a GPU.

It refuses what CuPy refuses or what makes a call wait: NumPy operands, implicit copies to the host, looks at values,
keywords that CuPy lacks, operands on another device than the current one. It counts launches, bytes read and written,
transfers, and bytes allocated, with the copies that the sources of CuPy 14.2 make in transforms and products.

It cannot show a number that a GPU computes, strides of CuPy's results, compile errors, the order of streams, or speed.
"""

from tests.cuda.standin.device import Device, OtherDevice, Synchronized, allowed
from tests.cuda.standin.ledger import LEDGER
from tests.cuda.standin.module import install

__all__ = ["LEDGER", "Device", "OtherDevice", "Synchronized", "allowed", "install"]
