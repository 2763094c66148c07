"""What planted faults do: functions of the right function and its arguments by name, that return a wrong result."""

import numpy as np
from array_api_compat import array_namespace

# Makers of changes.


def result(change):
    """The right result, changed."""
    return lambda run, arguments: change(run(**arguments))


def dropped(name):
    """An argument is ignored."""
    return lambda run, arguments: run(**{key: value for key, value in arguments.items() if key != name})


def option(name, change):
    """An argument has another value, where it is passed."""
    return lambda run, a: run(**({**a, name: change(a[name])} if a.get(name) is not None else a))


array = option


def gradients(position, change):
    """One of the gradients of a pullback is changed."""

    def vjp(run, call):
        args, options = call
        y, pullback = run(*args, **options)

        def wrong(dy, wrt=None):
            every = list(pullback(dy, wrt))
            place = position if wrt is None else 0
            every[place] = change(every[place])
            return tuple(every)

        return y, wrong

    return vjp


# Of arrays and values.


def flipped(kernel):
    return array_namespace(kernel).flip(kernel)


def flipped_space(weight):
    return array_namespace(weight).flip(weight, axis=tuple(range(2, weight.ndim)))


def conjugated(values):
    return np.conj(values)


def reversed_tuple(value):
    return value[::-1] if isinstance(value, tuple) else value


def sorted_tuple(value):
    return tuple(sorted(value)) if isinstance(value, tuple) else value


def negated(value):
    return tuple(map(negated, value)) if isinstance(value, tuple) else -value


def negated_range(value):
    plain = isinstance(value, tuple) and isinstance(value[0], int)
    return (-value[1], -value[0]) if plain else value


def swapped_names(names):
    other = {"symmetric": "reflect", "reflect": "symmetric"}
    return tuple(map(swapped_names, names)) if isinstance(names, tuple) else other.get(names, names)


def swapped_mirrors(name):
    return {"mirror": "reflect", "reflect": "mirror"}.get(name, name)


def smooth(mode):
    return "smooth" if mode == "line" else mode


def lower(padding):
    return "same_lower" if padding == "same" else padding


def one_off(out):
    if out.size and out.dtype.kind == "f":
        out.reshape(-1)[out.size // 2] += 2e-6 * np.max(np.abs(out))
    return out


def widened(out):
    return out.astype("float64") if out.dtype == "float32" else out


def narrowed(out):
    return out.astype("float32") if out.dtype == "float64" else out


def real(out):
    return out.astype("float64") if out.dtype.kind in "iu" else out


def whole(out):
    return np.rint(out).astype("int64")


def to_numpy(out):
    return np.asarray(out)


def moved(out):
    return out.to_device(array_namespace(out).Device("device1"))


def stuck(out):
    return np.minimum(out, 2000) if out.dtype == "float16" else out


def no_tail(out):
    return np.concatenate([out[:-2], out[-2:] * 0]) if out.ndim == 1 else out


def two_ulps(out):
    return out * np.float32(1 + 2.0**-22)


def last_reversed(out):
    return out[..., ::-1]


def shifted(out):
    return np.roll(out, 1, axis=-1)


# Of convolve and correlate.


def same_late(run, a):
    """'same' of even kernels as in other libraries."""
    plain = {"stride", "dilation", "axes"}.isdisjoint(a) and a["x"].ndim == np.ndim(a["kernel"])
    if a.get("mode") != "same" or not plain:
        return run(**a)
    full = run(**{**a, "mode": "full"})
    return full[tuple(slice(k // 2, k // 2 + n) for n, k in zip(a["x"].shape, a["kernel"].shape, strict=True))]


def longer_same(run, a):
    swap = a.get("mode") == "same" and a["kernel"].size > a["x"].size
    return run(**({**a, "x": a["kernel"], "kernel": a["x"]} if swap else a))


def one_period(run, a):
    wide = a.get("boundary") == "wrap" and max(a["kernel"].shape) > 2 * min(a["x"].shape)
    return run(**({**a, "boundary": "edge"} if wide else a))


def last_of_group(run, a):
    stride = a.get("stride", 1)
    if not isinstance(stride, int) or a["x"].ndim != 1:
        return run(**a)
    return run(**{**a, "stride": 1})[::-1][::stride][::-1]


def narrow_sums(run, a):
    x, kernel = a["x"], a["kernel"]
    if x.dtype != "float64" or kernel.dtype != "float64":
        return run(**a)
    return run(**{**a, "x": x.astype("float32"), "kernel": kernel.astype("float32")}).astype("float64")


def short(values):
    """float32 with eleven bits, as in TF32."""
    if values.dtype != "float32":
        return values
    bits = np.ascontiguousarray(values).view("uint32")
    return ((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view("float32")


def short_mantissa(run, a):
    return run(**{**a, "x": short(a["x"]), "kernel": short(a["kernel"])})


def _integer_names(a):
    names = [name for name in ("x", "kernel", "in1", "in2", "input", "weight", "bias") if a.get(name) is not None]
    integer = all(a[name].dtype.kind in "iu" for name in names) and a.get("dtype") is None
    return names if integer else []


def through_floats(run, a):
    names = _integer_names(a)
    if not names:
        return run(**a)
    out = run(**{**a, **{name: a[name].astype("float64") for name in names}})
    with np.errstate(all="ignore"):
        return out.astype(np.result_type(*(a[name].dtype for name in names)))


def saturated(run, a):
    names = _integer_names(a)
    if not names:
        return run(**a)
    dtype = np.result_type(*(a[name].dtype for name in names))
    limits = np.iinfo(dtype)
    out = run(**{**a, **{name: a[name].astype("float64") for name in names}})
    return np.clip(out, max(limits.min, -(2**62)), min(limits.max, 2**62)).astype(dtype)


def nan_everywhere(run, a):
    out = run(**a)
    return out if np.all(np.isfinite(a["x"])) else np.full_like(out, np.nan)


def nan_as_zero(run, a):
    return run(**{**a, "x": np.where(np.isfinite(a["x"]), a["x"], 0).astype(a["x"].dtype)})


def overflowing(run, a):
    out = run(**a)
    large = a["x"].dtype == "float32" and np.max(np.abs(a["x"]), initial=0) > 1e30
    return np.full_like(out, np.inf) if large else out


def overwritten(run, a):
    out = run(**a)
    a["x"][(0,) * a["x"].ndim] = 0
    return out


class Restless:
    """Every second call differs in the last bit."""

    def __init__(self):
        self.calls = 0

    def __call__(self, run, a):
        self.calls += 1
        out = run(**a)
        return np.nextafter(out, np.inf) if self.calls % 2 == 0 else out


_buffers = {}


def shared_buffer(run, a):
    out = run(**a)
    buffer = _buffers.setdefault((out.shape, out.dtype), np.empty_like(out))
    buffer[...] = out
    return buffer


def native_bytes(run, a):
    out = a.get("out")
    return (
        run(**a)
        if out is None or out.dtype.isnative
        else (run(**{**a, "out": out.view(out.dtype.newbyteorder())}), out)[1]
    )


def packed_out(run, a):
    out = a.get("out")
    if out is None or out.flags.c_contiguous:
        return run(**a)
    plain = run(**{**a, "out": None})
    base = out.base if out.base is not None else out
    base.reshape(-1)[: plain.size] = plain.ravel()
    return out


def written_first(run, a):
    out = a.get("out")
    if out is not None:
        out[...] = 0
    return run(**a)


def copying(run, a):
    """Copies of the first array, of eight times its size."""
    name = next(key for key in ("x", "input") if key in a)
    copies = [a[name].astype("float64") for _ in range(8)]
    return run(**{**a, name: copies[0]})


def other_error(run, a):
    try:
        return run(**a)
    except ValueError as refusal:
        raise RuntimeError(str(refusal)) from refusal


def late_lags(run, a):
    odd = a.get("mode") == "same" and isinstance(a["n"], int) and a["n"] % 2 and not a["k"] % 2
    return run(**a) + 1 if odd else run(**a)


def first_group(run, a):
    if "(g c)" in a["pattern"] and "g" in a:
        x = a["x"].copy()
        x[:, x.shape[1] // 2 :] = x[:, : x.shape[1] // 2]
        a = {**a, "x": x}
    return run(**a)
