"""A process that computes, forks, and computes again in each child: `test_fork` starts it, with libraries to import.

Every child must compute what its parent did, within seconds; the program ends with 'done', or raises.
"""

import importlib
import os
import signal
import sys
import time

import numpy as np

PATIENCE = 60  # seconds; a child that hangs never ends

for name in filter(None, sys.argv[1].split(",")):
    importlib.import_module(name)

import arrayconv  # noqa: E402
from arrayconv import Convolver, config, ndimage, nn  # noqa: E402
from arrayconv import signal as signals  # noqa: E402
from arrayconv._accel.native import loader  # noqa: E402

random = np.random.default_rng(0)
IMAGES, WEIGHT = (random.standard_normal(shape).astype(np.float32) for shape in ((2, 64, 30, 30), (64, 64, 3, 3)))
IMAGE, TAPS, WIDE = (random.standard_normal(shape) for shape in ((300, 300), (5, 5), (31, 31)))
LINE, FILTER = random.standard_normal(100_000), random.standard_normal(301)
CONVOLVER = Convolver(WIDE, mode="same")
PULLED = arrayconv.vjp(nn.conv2d, IMAGES, WEIGHT)

CALLS = {
    "nn.conv2d": lambda: nn.conv2d(IMAGES, WEIGHT),
    "nn.conv2d-biased": lambda: nn.conv2d(IMAGES, WEIGHT, np.ones(64, np.float32), padding=1),
    "nn.conv_transpose2d": lambda: nn.conv_transpose2d(IMAGES, WEIGHT, stride=2),
    "einconv": lambda: arrayconv.einconv("b c h w, o c h w -> b o h w | h w", IMAGES, WEIGHT),
    "pullback": lambda: PULLED[1](PULLED[0], wrt=0)[0],
    "convolve": lambda: arrayconv.convolve(IMAGE, TAPS, "same", boundary="reflect"),
    "convolve-line": lambda: arrayconv.convolve(LINE, FILTER),
    "convolve-fft": lambda: arrayconv.convolve(IMAGE, WIDE, method="fft"),
    "convolve-banded": lambda: arrayconv.convolve(IMAGE, TAPS, method="banded"),
    "convolve-im2col": lambda: nn.conv2d(IMAGES, WEIGHT, method="im2col"),
    "Convolver": lambda: CONVOLVER(IMAGE),
    "signal.oaconvolve": lambda: signals.oaconvolve(LINE, FILTER),
    "ndimage.gaussian_filter": lambda: ndimage.gaussian_filter(IMAGE, 3.0),
}


def in_a_child(work):
    """Raise unless `work` ends without an error in a child of this process."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as failure:
            print(f"{type(failure).__name__}: {failure}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            if status:
                raise RuntimeError(f"the child ended with {status}")
            return
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise TimeoutError(f"the child did not end within {PATIENCE} seconds")


def check(name, call):
    expected = call()

    def again():
        np.testing.assert_allclose(call(), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max(), err_msg=name)

    in_a_child(lambda: (again(), in_a_child(again)))


def refuses():
    try:
        nn.conv2d(IMAGES, WEIGHT, method="torch_conv")
    except NotImplementedError as refusal:
        if "forked after torch was imported" in str(refusal) and "'spawn'" in str(refusal):
            return
        raise
    raise RuntimeError("torch_conv was not refused")


def imports():
    importlib.import_module("torch")
    nn.conv2d(IMAGES, WEIGHT, method="torch_conv")


for accelerators in (set(config.ACCELERATORS), {"numpy", "scipy", "native"}, {"numpy", "torch"}):
    with config.using(accelerators=accelerators):
        for name, call in CALLS.items():
            check(f"{name} with {sorted(accelerators)}", call)
if "torch" in sys.modules and loader.built():  # the loops of the parent ran on torch's threads, which no child has
    from_numpy = sys.modules["torch"].from_numpy
    check("tensors", lambda: nn.conv2d(from_numpy(IMAGES), from_numpy(WEIGHT), method="native_loops").numpy())
in_a_child(refuses if "torch" in sys.modules else imports)
print("done")
