"""A few calls for tools that check a process: python -m tools.gpu_check.few LIBRARY [--rehearse].

Every kind of kernel on small arrays, and a `Convolver` used in two streams. Exits with 1 where a result is wrong.
"""

import sys
from contextlib import nullcontext
from importlib import import_module

import numpy as np

import arrayconv
from tools.gpu_check.machine import Machine

CALLS = {  # name: shape of x, shape of the kernel, options
    "rows": ((70, 133), (3, 3), {"mode": "same"}),
    "tiles": ((70, 133), (15, 14), {"mode": "same", "boundary": "reflect"}),
    "line": ((999,), (31,), {"mode": "full", "boundary": "wrap"}),
    "volume": ((9, 17, 33), (3, 4, 5), {"mode": "same", "boundary": "edge"}),
}
KINDS = ("cuda", "cudnn", "fft", "banded")  # beginnings of the names of methods


def main(library, rehearse):
    machine, wrong = Machine(library, rehearse), []
    for name, (shape, size, options) in CALLS.items():
        random = np.random.default_rng(0)
        hosts = [random.standard_normal(each).astype(np.float32) for each in (shape, size)]
        x, kernel = map(machine.array, hosts)
        expected = arrayconv.convolve(*(host.astype(np.float64) for host in hosts), **options)
        candidates = arrayconv.explain(x, kernel, **options).candidates
        methods = [row.name for row in candidates if row.refusal is None and row.name.startswith(KINDS)]
        print(name, *methods)
        results = [(method, arrayconv.convolve(x, kernel, method=method, **options)) for method in methods]
        results += [("Convolver in two streams", y) for y in in_two_streams(machine, x, kernel, options)]
        wrong += [f"{name}: {method}" for method, y in results if not close(machine.host(y), expected)]
    print("wrong: " + ", ".join(wrong) if wrong else "all results are right")
    return bool(wrong)


def close(y, expected):
    return np.abs(y - expected).max() <= 1e-4 * np.abs(expected).max()


def in_two_streams(machine, x, kernel, options):
    """Return the results of a `Convolver` in the current stream and in another one."""
    convolver = arrayconv.Convolver(kernel, method="fft", separable=False, **options)
    results = [convolver(x)]
    stream, other = second_stream(machine)
    with stream:
        results.append(convolver(x))
    other()
    return results


def second_stream(machine):
    """Return a context in which work runs in another stream that waits for this one, and a function that waits."""
    if machine.rehearse:
        return nullcontext(), lambda: None
    cuda = import_module(machine.library).cuda
    if machine.library == "torch":
        stream = cuda.Stream()
        stream.wait_stream(cuda.current_stream())
        return cuda.stream(stream), lambda: cuda.current_stream().wait_stream(stream)
    stream, event = cuda.Stream(non_blocking=True), cuda.Event()
    event.record()
    stream.wait_event(event)
    return stream, stream.synchronize


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--rehearse" in sys.argv))
