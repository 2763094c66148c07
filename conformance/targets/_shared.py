"""What several adapters need: sets of claims, and our modes as paddings of a correlation."""

MODES = {"mode:full", "mode:same", "mode:valid"}
BOTH = {"convolve", "correlate"}
FLOATS = {"float32", "float64"}


def each(value, count):
    """An option for every axis."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * count


def paddings(mode, kernel_shape, dilation):
    """(before, after) of each axis, by which a valid correlation becomes one of our modes."""
    pairs = []
    for taps, step in zip(kernel_shape, dilation, strict=True):
        reach = step * (taps - 1) + 1
        before = {"full": reach - 1, "same": reach // 2, "valid": 0}[mode or "full"]
        pairs.append((before, reach - 1 - before if mode == "same" else before))
    return pairs


def aligned(x, kernel, axes):
    """The kernel with x's number of axes: its own run along `axes`, by position."""
    if axes is None or kernel.ndim == x.ndim:
        return kernel
    axes = [axis % x.ndim for axis in each(axes, 1)]
    order = sorted(range(len(axes)), key=axes.__getitem__)
    shape = [1] * x.ndim
    for number, axis in enumerate(axes):
        shape[axis] = kernel.shape[number]
    return kernel.transpose(order).reshape(shape)
