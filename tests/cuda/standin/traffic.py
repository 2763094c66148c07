"""The bytes that a launch of the package's kernels reads and writes, each element once."""

import ctypes
from math import prod

import numpy as np

_SAFE_EXPONENT = 48


def of(name, struct, x_dtype, w_dtype, y_dtype):
    """Return the bytes that one launch reads and writes, given its struct and the dtypes of its arrays."""
    if name.startswith("filter_"):
        return _filter(struct, x_dtype, y_dtype)
    if name in _SPECTRAL:
        return _SPECTRAL[name](struct, x_dtype)
    return _direct(struct, x_dtype.itemsize, w_dtype.itemsize, y_dtype.itemsize)


def _filter(job, x_dtype, y_dtype):
    """Return the bytes of samples, with those that an earlier launch wrote and this one adds to, and of outputs."""
    outputs = y_dtype.itemsize * _product_of(job, "outputs")
    return x_dtype.itemsize * _product_of(job, "size") + (0 if job["is_first"] else outputs), outputs


def _counts(job):
    return [int(job[name]) for name in ("batch", "groups", "channels", "filters")]


def _product_of(job, name):
    return prod(int(axis[name]) for axis in job["axes"] if axis["outputs"])


def _points(task):
    return prod(int(extent["length"]) for extent in task["extents"] if extent["length"])


def _direct(job, x_bytes, w_bytes, y_bytes):
    batch, groups, channels, filters = _counts(job)
    read = x_bytes * batch * _product_of(job, "size") + w_bytes * filters * _product_of(job, "taps")
    return groups * channels * read, y_bytes * batch * groups * filters * _product_of(job, "outputs")


def _pad(task, dtype):
    batch, groups, channels, _ = _counts(task["job"])
    rows = dtype.itemsize * batch * groups * channels
    return rows * _product_of(task["job"], "size"), rows * _points(task)


def _contain(task, dtype):
    """Return the summary's bytes, and those of samples that are scaled and of windows that are marked."""
    batch, groups, channels, _ = _counts(task["job"])
    part = dtype.type(0).real.dtype
    count = 2 * batch * groups
    bits = np.frombuffer(ctypes.string_at(int(task["x_summary"]), count * part.itemsize), f"u{part.itemsize}")
    largest, nonfinite = bits[: count // 2].view(part), bits[count // 2 :]
    safe = (largest == 0) | ((largest >= 2.0**-_SAFE_EXPONENT) & (largest < 2.0**_SAFE_EXPONENT))
    scaled = int((~safe).sum()) * channels * _points(task) * dtype.itemsize
    marked = int(nonfinite.sum()) * channels * _product_of(task["job"], "size") * dtype.itemsize
    return bits.nbytes + scaled + marked, scaled + marked // (channels * dtype.itemsize)


def _product(task, dtype):
    batch, groups, channels, filters = _counts(task["job"])
    frequency = 2 * dtype.type(0).real.itemsize * int(task["frequencies"])
    read = groups * channels * (batch + filters)
    return frequency * read, frequency * batch * groups * filters


def _restore(task, dtype):
    batch, groups, _, filters = _counts(task["job"])
    outputs = dtype.itemsize * batch * groups * filters * _product_of(task["job"], "outputs")
    return outputs, outputs


_SPECTRAL = {
    "spectra_pad": _pad, "spectra_contain": _contain, "spectra_product": _product, "spectra_restore": _restore
}  # fmt: skip
