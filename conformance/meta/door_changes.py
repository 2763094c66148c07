"""Planted faults of `signal`, `ndimage`, `nn`, `Convolver` and of the array library: see `changes`."""

from types import SimpleNamespace

import numpy as np

from .changes import short

# Of signal.


def signal_same_late(run, a):
    if a.get("mode") != "same":
        return run(**a)
    full = run(**{**a, "mode": "full"})
    return full[tuple(slice(k // 2, k // 2 + n) for n, k in zip(a["in1"].shape, a["in2"].shape, strict=True))]


def unreversed(run, a):
    swap = a.get("mode") == "valid" and a["in2"].size > a["in1"].size
    return run(**({**a, "in1": a["in2"], "in2": a["in1"]} if swap else a))


def early_correlate2d(run, a):
    if a.get("mode") != "same":
        return run(**a)
    full = run(**{**a, "mode": "full"})
    return full[
        tuple(slice((k - 1) // 2, (k - 1) // 2 + n) for n, k in zip(a["in1"].shape, a["in2"].shape, strict=True))
    ]


def second_phase(run, a):
    down = a.get("down", 1)
    out = run(**{**a, "down": 1})
    axis = a.get("axis", -1)
    return np.take(out, np.minimum(np.arange(0, out.shape[axis], down) + (down > 1), out.shape[axis] - 1), axis=axis)


# Of ndimage.


def later_origin(run, a):
    return run(
        **({**a, "origin": a.get("origin", 0) - 1} if a["weights"].size % 2 == 0 and a.get("origin", 0) > -1 else a)
    )


def even_later(run, a):
    return run(**({**a, "origin": -1} if a.get("size") == 2 else a))


def other_axis(run, a):
    ndim = a["input"].ndim
    return run(**{**a, "axis": (a.get("axis", -1) + 1) % ndim})


def rounded(run, a):
    x = a["input"]
    if x.dtype.kind not in "iu":
        return run(**a)
    return np.rint(run(**{**a, "input": x.astype("float64")})).astype(x.dtype)


# Of nn.


def mixed_groups(run, a):
    groups, weight = a.get("groups", 1), a["weight"]
    return run(**({**a, "weight": np.roll(weight, weight.shape[0] // groups, axis=0)} if groups > 1 else a))


def taps_first(run, a):
    out = run(**a)
    x, kernel = a["input"], a["kernel_size"]
    count = len(kernel) if isinstance(kernel, tuple) else 2
    channels = x.shape[-1 - count]
    lead = out.shape[:-2]
    split = out.reshape(*lead, channels, -1, out.shape[-1])
    return np.swapaxes(split, -3, -2).reshape(out.shape)


def negated_input(run, a):
    out = run(**a)
    a["input"][...] *= -1
    return out


def counted_once(run, a):
    overlaps = run(**{**a, "input": np.ones_like(a["input"])})
    return np.where(np.real(overlaps) > 1, 1, run(**a)).astype(a["input"].dtype)


# Of Convolver.


def uncopied(run, a):
    return lambda x, **options: run(**a)(x, **options)


def first_result(run, a):
    convolver, results = run(**a), {}

    def call(x, **options):
        key = (x.shape, str(x.dtype))
        return results.setdefault(key, convolver(x, **options))

    return call


def _with_stream(convolver, stream):
    def call(x, **options):
        return convolver(x, **options)

    call.stream = stream
    return call


def chunks_alone(run, a):
    convolver = run(**a)

    def stream(axis=-1, **options):
        chunks = []

        def push(chunk):
            chunks.append(chunk)
            return convolver(chunk)

        return SimpleNamespace(push=push, flush=lambda: convolver(chunks[-1])[:0])

    return _with_stream(convolver, stream)


def without_end(run, a):
    convolver = run(**a)

    def stream(axis=-1, **options):
        inner = convolver.stream(axis, **options)
        return SimpleNamespace(push=inner.push, flush=lambda: inner.flush()[:-1])

    return _with_stream(convolver, stream)


def pushed_first(run, a):
    convolver = run(**a)

    def stream(axis=-1, **options):
        inner = convolver.stream(axis, **options)

        def push(chunk):
            if chunk.ndim != np.ndim(a["kernel"]):
                inner.push(chunk[0])
            return inner.push(chunk)

        return SimpleNamespace(push=push, flush=inner.flush)

    return _with_stream(convolver, stream)


# Of the array library.


def short_products(run, a):
    names = list(a)
    return run(**{**a, **{name: short(a[name]) for name in names[:2]}})


def narrow_transform(run, a):
    out = run(**a)
    return out.astype("complex64").astype(out.dtype)


def every_axis(run, a):
    return run(**{**a, "axis": None})


def rounding_cast(run, a):
    names = list(a)
    x, dtype = a[names[0]], a[names[1]]
    whole = x.dtype.kind == "f" and np.dtype(dtype).kind in "iu"
    return run(**({**a, names[0]: np.rint(x)} if whole else a))
