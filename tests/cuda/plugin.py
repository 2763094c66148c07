"""A pytest plugin: `cupy` is the stand-in in this process. Load it with `-p tests.cuda.plugin`.

With ARRAYCONV_OTHER_DEVICE=1 the conformance suite's arrays are on a device that is not the current one.
"""

import os

from tests.cuda.standin import Device, allowed, install

install()

OTHER_DEVICE = os.environ.get("ARRAYCONV_OTHER_DEVICE") == "1"


def pytest_report_header():
    where = ", arrays on another device than the current one" if OTHER_DEVICE else ""
    return f"cupy is a stand-in on NumPy{where}: NOTHING HERE RUNS ON A GPU"


def pytest_configure():
    """Let the conformance suite copy results to the host, which waits for them by intent."""
    from conformance.backends import Backend

    host, array = Backend.host, Backend.array

    def allowed_host(self, array):
        with allowed():
            return host(self, array)

    def array_elsewhere(self, values, dtype):
        with Device(1):
            return array(self, values, dtype)

    Backend.host = allowed_host
    if OTHER_DEVICE:
        Backend.array = array_elsewhere
