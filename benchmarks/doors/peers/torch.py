"""For torch tensors: torch.nn's functions, SciPy's on tensors, kornia, torchaudio."""

from functools import partial
from importlib import import_module

import numpy as np

from benchmarks.doors.contender import Contender
from benchmarks.doors.ours import MODES, layer, named
from benchmarks.doors.peers import filters, require
from benchmarks.doors.peers import numpy as on_numpy

PADDING = {"mirror": "reflect", "nearest": "replicate", "wrap": "circular", "constant": "constant"}
MAX_BYTES = 10**9  # that torch may unfold an input into


def torch_function(row, arrays, hosts):
    """The function, or layer, that ours imitates."""
    require(row.door.startswith("nn"), "it has no such function")
    if row.door == "nn.modules":
        return Contender(layer(row, "torch.nn"), tuple(arrays.values()), "torch")
    torch = import_module("torch")
    module = torch.nn.functional if row.door == "nn" else import_module("torch.nn.grad")
    name = {"conv": "conv2d", "conv_transpose": "conv_transpose2d"}.get(row.function, row.function)
    call = named(getattr(module, name), tuple(arrays), **row.options)
    return Contender(call, tuple(arrays.values()), "torch")


def scipy_function(row, arrays, hosts):
    """SciPy's function on tensors: it returns one where SCIPY_ARRAY_API=1 was set before SciPy was imported."""
    return on_numpy.scipy_function(row, arrays, hosts, library="torch")


def convolutions(row, arrays, hosts):
    """Padding and conv1d or conv2d, as users write a filter or a convolution of one channel."""
    if row.function == "einconv":
        import torch.nn.functional as F

        return Contender(partial(F.conv2d, padding=row.options["padding"]), tuple(arrays.values()), "torch")
    if row.door == "ndimage":
        return _filter(row, arrays, hosts)
    require(row.door in ("core", "signal"), "it is imitated")
    return _one_channel(row, arrays)


def _one_channel(row, arrays):
    torch = import_module("torch")
    names = {"convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d", "Convolver", "vjp"}
    require(row.function in names and row.options.get("boundary") is None, "it has no such function")
    x, kernel = arrays.values()
    ndim = x.ndim
    _stays_small(row)
    is_flipped = not row.function.startswith("correlate")
    taps = torch.flip(kernel, tuple(range(ndim))) if is_flipped else kernel.conj().resolve_conj()
    function = getattr(torch.nn.functional, f"conv{ndim}d")
    padding = tuple(size // 2 for size in kernel.shape)

    def run(x, taps):
        return function(x[None, None], taps[None, None], padding=padding)[0, 0]

    if row.function == "Convolver":
        return Contender(lambda x: run(x, taps), (x,), "torch")
    return Contender(run, (x, taps.contiguous()), "torch", is_flipped=is_flipped)


def _stays_small(row):
    """Refuse what torch unfolds into more than the memory of small machines: everything 2-D but float32."""
    x, kernel = row.operands.values()
    size = np.dtype(row.dtype).itemsize * float(np.prod(x)) * float(np.prod(kernel))
    unfolds = row.dtype != "float32" and len(x) > 1
    require(not unfolds or size <= MAX_BYTES, f"it unfolds x into {size / 1e9:.1f} GB")


def _filter(row, arrays, hosts):
    require(row.dtype in ("float32", "float64"), "it needs kernels of the input's dtype")
    torch = import_module("torch")
    each = [
        [[torch.from_numpy(stage.astype(row.dtype)) for stage in term] for term in filters.stages(kernel)]
        for kernel in filters.kernels(row, hosts)
    ]

    def run(x):
        results = [sum(_stages(x[None, None], term) for term in terms)[0, 0] for terms in each]
        return results[0] if len(results) == 1 else torch.sqrt(results[0] * results[0] + results[1] * results[1])

    return Contender(run, (arrays["input"],), "torch")


def _stages(x, term):
    functional = import_module("torch.nn.functional")
    for taps in term:
        widths = [width for size in reversed(taps.shape) for width in (size // 2,) * 2]
        padded = functional.pad(x, widths, mode=PADDING[MODES["torch"]])
        x = getattr(functional, f"conv{taps.ndim}d")(padded, taps[None, None])
    return x


def kornia(row, arrays, hosts):
    """kornia's filters of one image of one channel; its spatial_gradient always repeats the edge, so it is left out."""
    import kornia

    require(row.door == "ndimage" and len(row.shape) == 2, "it has no such function")
    require(row.dtype in ("float32", "float64"), "it takes floats")
    border = PADDING[MODES["torch"]]
    kernels = kornia.filters
    if row.function == "gaussian_filter":
        sigma = row.options["sigma"]
        size = 2 * int(4 * sigma + 0.5) + 1
        call = partial(kernels.gaussian_blur2d, kernel_size=(size, size), sigma=(sigma, sigma), border_type=border)
    elif row.function == "uniform_filter":
        call = partial(kernels.box_blur, kernel_size=(row.options["size"],) * 2, border_type=border)
    else:
        require(row.function in ("correlate", "convolve", "sobel", "prewitt", "laplace"), "it has no such function")
        (taps,) = filters.kernels(row, hosts)
        taps = import_module("torch").from_numpy(taps.astype(row.dtype))[None]
        call = partial(kernels.filter2d, kernel=taps, border_type=border)
    return Contender(lambda x: call(x[None, None])[0, 0], (arrays["input"],), "torch")


def torchaudio(row, arrays, hosts):
    functional = import_module("torchaudio.functional")
    names = {"convolve": "convolve", "fftconvolve": "fftconvolve"}
    require(row.door == "signal" and row.function in names and len(row.shape) == 1, "it has no such function")
    function = getattr(functional, names[row.function])
    return Contender(partial(function, mode="same"), tuple(arrays.values()), "torch")
