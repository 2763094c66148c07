"""Wrong values of every argument of every public function: a result, or an error that names both, at once.

The table is built from the signatures, so it covers new functions and arguments; only the required ones are written
down. An error is of a built-in type; `ndimage` and `signal` have SciPy's.
"""

import inspect
import signal as clock
from contextlib import contextmanager

import array_api_strict
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import arrayconv
from arrayconv import config, kernels, ndimage, nn, signal, testing

SECONDS = 5  # of one call, on a busy machine; an absurd size that is not refused takes minutes
LINE, TAPS = np.arange(1.0, 7.0), np.array([1.0, 2.0])
IMAGE, STENCIL = np.arange(20.0).reshape(4, 5), np.ones((2, 2))
SIZES = {1: (8,), 2: (6, 7), 3: (4, 5, 6)}


def difference(x, axis, output, mode, cval, *_more, **_options):
    return ndimage.correlate1d(x, [1, -1], axis, output, mode, cval)


def convolution(name):
    """Return the operands of a function of `nn` or `nn.grad`."""
    count = next((int(digit) for digit in name if digit.isdigit()), 1)
    x, weight = np.ones((1, 2, *SIZES[count])), np.ones((4, 2, *(3,) * count))
    back = np.ones((1, 4, *(n - 2 for n in SIZES[count])))
    if name.endswith("_input"):
        return {"input_size": x.shape, "weight": weight, "grad_output": back}
    if name.endswith("_weight"):
        return {"input": x, "weight_size": weight.shape, "grad_output": back}
    return {"input": x, "weight": weight.swapaxes(0, 1) if "transpose" in name else weight}


def least(function, known):
    """Return the required arguments of a function, as far as `known` has them."""
    return {name: known[name] for name in inspect.signature(function).parameters if name in known}


CORE = {
    "convolve": (arrayconv.convolve, {"x": LINE, "kernel": TAPS}),
    "correlate": (arrayconv.correlate, {"x": LINE, "kernel": TAPS}),
    "explain": (arrayconv.explain, {"x_or_shape": (9,), "kernel_or_shape": (3,)}),
    "lags": (arrayconv.lags, {"n": 5, "k": 2}),
    "einconv": (arrayconv.einconv, {"pattern": "n, n -> n | n", "x": LINE, "kernel": TAPS}),
    "normalized_convolve": (arrayconv.normalized_convolve, {"x": LINE, "kernel": TAPS}),
    "match_template": (arrayconv.match_template, {"image": IMAGE, "template": STENCIL * [1, 2]}),
    "Convolver": (arrayconv.Convolver, {"kernel": TAPS}),
    "Convolver()": (arrayconv.Convolver(TAPS).__call__, {"x": LINE}),
    "Convolver.explain": (arrayconv.Convolver(TAPS).explain, {"x_or_shape": (9,)}),
    "vjp()": (arrayconv.vjp(arrayconv.convolve, LINE, TAPS)[1].__call__, {"dy": np.ones(7)}),
    "testing.reference": (testing.reference, {"function": "convolve", "x": LINE, "kernel": TAPS}),
    "testing.error_bound": (testing.error_bound, {"function": "convolve", "x": LINE, "kernel": TAPS}),
    "testing.check_adjoint": (testing.check_adjoint, {"forward": np.copy, "adjoint": np.copy, "x": TAPS, "y": TAPS}),
}
KERNELS = {
    "window_length": 3,
    "polyorder": 1,
    "size": 3,
    "sigma": 1.0,
    "sigma1": 1.0,
    "sigma2": 2.0,
    "frequency": 0.3,
    "kernel": STENCIL,
}
FILTERS = {"input": IMAGE, "weights": STENCIL, "sigma": 1.0, "size": 3}
FILTERS |= {"derivative": difference, "derivative2": difference}
PLANAR = {"in1": IMAGE, "in2": STENCIL}
FIR = {"b": TAPS, "a": 1, "window_length": 3, "polyorder": 1, "up": 3, "down": 2, "q": 2, "ftype": "fir"}
FIR |= {"input": IMAGE, "hrow": TAPS[:1], "hcol": TAPS[:1]}
SIGNALS = FIR | {"in1": LINE, "in2": TAPS, "h": TAPS, "x": LINE, "in1_len": 5, "in2_len": 2}
PATCHES = {"unfold": {"input": np.ones((1, 2, 4, 4)), "kernel_size": 2}}
PATCHES |= {"fold": {"input": np.ones((1, 8, 9)), "output_size": 4, "kernel_size": 2}}


def doors():
    """Return every public function with the arguments of a call that works."""
    yield from CORE.items()
    for name in kernels.__all__:
        function = getattr(kernels, name)
        missing = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]
        yield f"kernels.{name}", (function, {name: KERNELS[name] for name in missing})
    for name in ndimage.__all__:
        function = getattr(ndimage, name)
        one_axis = {"weights": TAPS} if name.endswith("1d") else {}
        yield f"ndimage.{name}", (function, least(function, FILTERS | one_axis))
    for name in signal.__all__:
        function = getattr(signal, name)
        yield f"signal.{name}", (function, least(function, PLANAR if name.endswith("e2d") else SIGNALS))
    for module, title in ((nn, "nn"), (nn.grad, "nn.grad")):
        for name in module.__all__:
            yield f"{title}.{name}", (getattr(module, name), PATCHES.get(name) or convolution(name))


DOORS = dict(doors())
WRONG = {
    "2**70": 2**70,
    "-2**70": -(2**70),
    "10**30": 10**30,
    "10**400": 10**400,
    "1e300": 1e300,
    "nan": float("nan"),
    "inf": float("inf"),
    "None": None,
    "text": "a",
    "array": np.array([1, 2]),
    "object": object(),
    "complex": 1j,
    "pair": (2**70, 1),
    "dict": {},
    "0-d numpy": np.array(1),
    "0-d torch": torch.tensor(1),
    "0-d jax": jnp.asarray(1),
    "0-d strict": array_api_strict.asarray(1),
    "0-d float": np.array(1.5),
}
DOCUMENTED = (TypeError, ValueError, OverflowError, MemoryError, NotImplementedError)
SCIPYS = (*DOCUMENTED, RuntimeError, IndexError)
# Where another argument is the one that does not fit any more, or an axis is counted that is not there.
ELSEWHERE = {
    ("explain", "x_or_shape"): "x.ndim",
    ("explain", "kernel_or_shape"): "kernel.ndim",
    ("Convolver.explain", "x_or_shape"): "x.ndim",
}


@contextmanager
def at_once(what):
    """Raise AssertionError where the block takes longer than `SECONDS`: a hang is a failure, not a timeout."""

    def late(*_):
        raise AssertionError(f"{what} took longer than {SECONDS} s")

    before = clock.signal(clock.SIGALRM, late)
    clock.setitimer(clock.ITIMER_REAL, SECONDS, 1)
    try:
        yield
    finally:
        clock.setitimer(clock.ITIMER_REAL, 0)
        clock.signal(clock.SIGALRM, before)


def named(door):
    """Return the function's name in error texts."""
    return door.removesuffix("()").split(".")[0 if door.startswith("Convolver") else -1]


def fault(door, argument, value):
    """Return the fault of one call's outcome, '' for none."""
    function, arguments = DOORS[door]
    kinds = SCIPYS if door.startswith(("ndimage", "signal")) else DOCUMENTED
    try:
        with at_once(f"{door}({argument}=...)"):
            function(**{**arguments, argument: value})
    except kinds as error:
        place = ELSEWHERE.get((door, argument), argument)
        text = str(error)
        if isinstance(error, np.exceptions.AxisError):
            place = "axis"
        if named(door) in text and (place in text or argument in text):
            return ""
        return f"{type(error).__name__} names neither: {text[:150]}" if text else "no text"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:150]}"
    return ""


@pytest.mark.filterwarnings("ignore")  # NumPy's of NaN, which is among the values
@pytest.mark.parametrize("door", DOORS)
def test_wrong_values_are_computed_or_refused_by_name(door):
    function, arguments = DOORS[door]
    before = {name: value.copy() for name, value in arguments.items() if isinstance(value, np.ndarray)}
    faults = {}
    for argument, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        for name, value in WRONG.items():
            faults[f"{argument}={name}"] = fault(door, argument, value)
    assert {call: text for call, text in faults.items() if text} == {}
    for name, value in before.items():
        np.testing.assert_array_equal(arguments[name], value)


def test_every_public_function_is_met():
    public = {
        f"{module.__name__.removeprefix('arrayconv.')}.{name}"
        for module in (kernels, ndimage, signal, nn, nn.grad)
        for name in module.__all__
    }
    assert public <= set(DOORS)
    assert set(arrayconv.__all__) - {"config", "kernels", "vjp"} <= set(DOORS)


CHANNELS, WEIGHT = np.ones((1, 2, 8)), np.ones((4, 2, 3))
LABELS = "n, n -> n | n"
ONE = {  # an option of every door that takes integers, whose value 1 means something
    "convolve-stride": lambda n: arrayconv.convolve(LINE, TAPS, stride=n),
    "correlate-dilation": lambda n: arrayconv.correlate(LINE, TAPS, dilation=n),
    "convolve-axes": lambda n: arrayconv.convolve(IMAGE, TAPS, axes=n),
    "correlate-lags": lambda n: arrayconv.correlate(LINE, TAPS, lags=n),
    "correlate-first-and-last-lag": lambda n: arrayconv.correlate(LINE, TAPS, lags=(0, n)),
    "convolve-max_workspace": lambda n: arrayconv.convolve(LINE, TAPS, max_workspace=n + 2**20),
    "lags-stride": lambda n: arrayconv.lags(5, 2, stride=n),
    "explain-dilation": lambda n: arrayconv.explain(9, 3, dilation=n).output_shape,
    "Convolver-stride": lambda n: arrayconv.Convolver(TAPS, stride=n)(LINE),
    "Convolver-axes": lambda n: arrayconv.Convolver(TAPS, axes=n)(IMAGE),
    "einconv-upsample": lambda n: arrayconv.einconv(LABELS, LINE, TAPS, upsample=n),
    "einconv-padding": lambda n: arrayconv.einconv(LABELS, LINE, TAPS, padding={"n": n}),
    "einconv-size": lambda n: arrayconv.einconv("(g n), n -> g n | n", LINE, TAPS, g=n),
    "nn-padding": lambda n: nn.conv1d(CHANNELS, WEIGHT, padding=n),
    "nn-groups": lambda n: nn.conv1d(CHANNELS, WEIGHT, groups=n),
    "nn-unfold": lambda n: nn.unfold(np.ones((1, 1, 4, 4)), n, n, n, n),
    "signal-up": lambda n: signal.upfirdn(TAPS, LINE, n, n, axis=n - 1),
    "signal-axes": lambda n: signal.fftconvolve(IMAGE, STENCIL[:1], axes=n),
    "signal-lags": lambda n: signal.correlation_lags(n, n),
    "ndimage-axes": lambda n: ndimage.gaussian_filter(IMAGE, 1.0, axes=n),
    "ndimage-order": lambda n: ndimage.gaussian_filter1d(IMAGE, n, axis=n, order=n, radius=n, truncate=n),
    "ndimage-size": lambda n: ndimage.uniform_filter(IMAGE, n + 1, origin=n - 1, cval=n),
    "kernels-axis": lambda n: kernels.sobel(n, n + 1),
    "kernels-sigma": lambda n: kernels.gaussian(n, truncate=n, radius=n, ndim=n, order=n),
    "vjp-wrt": lambda n: arrayconv.vjp(arrayconv.convolve, LINE, TAPS)[1](np.ones(7), wrt=n)[0],
    "testing-dilation": lambda n: testing.reference("convolve", LINE, TAPS, dilation=n).astype(float),
}


@pytest.mark.parametrize("option", ONE)
def test_integers_of_every_library_are_integers(option):
    expected = ONE[option](1)
    for one in (np.array(1), np.int64(1), torch.tensor(1), jnp.asarray(1), array_api_strict.asarray(1)):
        np.testing.assert_array_equal(np.asarray(ONE[option](one)), np.asarray(expected))


FEW = np.ones((1, 1, 4))
LARGE = {  # sizes below 2**63 that no machine holds
    "mode-dilation": (lambda n: arrayconv.convolve(LINE, TAPS, dilation=n), "dilation"),
    "lags": (lambda n: arrayconv.correlate(LINE, TAPS, lags=n), "lags"),
    "Convolver-lags": (lambda n: arrayconv.Convolver(TAPS, correlate=True, lags=n)(LINE), "lags"),
    "lags-n": (lambda n: arrayconv.lags(n, 2), "n"),
    "einconv-padding": (lambda n: arrayconv.einconv(LABELS, LINE, TAPS, padding=n), "padding"),
    "nn-padding": (lambda n: nn.conv1d(FEW, FEW, padding=n, boundary="reflect"), "padding"),
    "nn-output_padding": (lambda n: nn.conv_transpose1d(FEW, FEW, stride=n), "stride"),
    "nn-unfold": (lambda n: nn.unfold(FEW, (1,), padding=n), "padding"),
    "nn-unfold-strided": (lambda n: nn.unfold(FEW, (1,), padding=n, stride=n), "padding"),
    "nn-fold": (lambda n: nn.fold(FEW[:, :, :1], (n,), (1,), stride=n), "output_size"),
    "nn-grad": (lambda n: nn.grad.conv1d_input((1, 1, n), FEW, FEW, stride=n), "stride"),
    "signal-up": (lambda n: signal.upfirdn(TAPS, LINE, n), "`up`"),
    "signal-lags": (lambda n: signal.correlation_lags(n, 2), "in1_len"),
    "ndimage-sigma": (lambda n: ndimage.gaussian_filter(IMAGE, n), "sigma"),
    "ndimage-truncate": (lambda n: ndimage.gaussian_laplace(IMAGE, 1.0, truncate=n), "truncate"),
    "ndimage-radius": (lambda n: ndimage.gaussian_filter1d(LINE, 1.0, radius=n), "radius"),
    "ndimage-order": (lambda n: ndimage.gaussian_filter(IMAGE, 1.0, order=n), "order"),
    "ndimage-size": (lambda n: ndimage.uniform_filter1d(LINE, n), "size"),
    "ndimage-magnitude": (lambda n: ndimage.gaussian_gradient_magnitude(IMAGE, float(n)), "sigma"),
    "kernels-box": (lambda n: kernels.box(n, 1), "size"),
    "kernels-volume": (lambda n: kernels.box(round(n ** (1 / 3)), 3), "size"),
    "kernels-sigma": (lambda n: kernels.gaussian(n), "sigma"),
    "kernels-radius": (lambda n: kernels.log(1.0, radius=n, ndim=1), "radius"),
    "kernels-dog": (lambda n: kernels.dog(1.0, n), "sigma2"),
    "kernels-gabor": (lambda n: kernels.gabor(1 / n), "frequency"),
    "kernels-ndim": (lambda n: kernels.laplacian(round(np.log2(n))), "ndim"),
    "testing-dilation": (lambda n: testing.reference("convolve", LINE, TAPS, dilation=n), "dilation"),
}


@pytest.mark.parametrize("call", LARGE)
@pytest.mark.parametrize("number", [10**12, 10**15], ids=["10**12", "10**15"])
def test_sizes_that_fit_no_memory_are_refused_at_once(call, number):
    run, argument = LARGE[call]
    with at_once(call), pytest.raises((MemoryError, ValueError), match=rf"^\w+: (?=.*Got ).*`?{argument}`?"):
        run(number)


def test_positions_beyond_64_bits_are_refused():
    with pytest.raises(
        OverflowError, match=r"^convolve: samples must be counted in 64 bits\. Got .*`dilation` 4611686"
    ):
        arrayconv.convolve(LINE, np.ones(5), "same", dilation=2**62)


FLAGS = {
    "flip": lambda value: arrayconv.einconv(LABELS, LINE, TAPS, flip=value),
    "conj": lambda value: arrayconv.einconv(LABELS, LINE, TAPS, conj=value),
    "correlate": lambda value: arrayconv.Convolver(TAPS, correlate=value)(LINE),
    "diagonal": lambda value: kernels.laplacian(diagonal=value),
    "separable": lambda value: arrayconv.Convolver(STENCIL, separable=value)(IMAGE),
}


@pytest.mark.parametrize("flag", FLAGS)
def test_only_bools_are_bools(flag):
    for value in (True, False):
        np.testing.assert_array_equal(FLAGS[flag](np.bool_(value)), FLAGS[flag](value))
    for value in (1, 0, "a", "", np.array([1, 2]), np.array(True), [], None, 0.0, torch.tensor(True)):
        with pytest.raises((TypeError, ValueError), match=rf"^\w+: `{flag}` must be .*True.*False.* Got "):
            FLAGS[flag](value)


SPELLED = ["f4", "<f4", ">f4", "=f4", "single", "float32", np.float32, np.dtype("f4"), np.dtype(">f4"),
           torch.float32, jnp.float32, array_api_strict.float32]  # fmt: skip
NARROW = LINE.astype("f4"), TAPS.astype("f4")
TYPED = {
    "convolve": lambda dtype: arrayconv.convolve(*NARROW, dtype=dtype).dtype.name,
    "correlate": lambda dtype: arrayconv.correlate(*NARROW, dtype=dtype).dtype.name,
    "einconv": lambda dtype: arrayconv.einconv(LABELS, *NARROW, dtype=dtype).dtype.name,
    "explain": lambda dtype: arrayconv.explain(9, 3, dtype=dtype).dtype,
    "Convolver": lambda dtype: arrayconv.Convolver(NARROW[1], dtype=dtype)(NARROW[0]).dtype.name,
    "nn": lambda dtype: nn.conv1d(CHANNELS.astype("f4"), WEIGHT.astype("f4"), dtype=dtype).dtype.name,
    "kernels": lambda dtype: kernels.gaussian(1.0, dtype=dtype).dtype.name,
    "kernels-torch": lambda dtype: str(kernels.gaussian(1.0, dtype=dtype, xp=torch).dtype).removeprefix("torch."),
    "error_bound": lambda dtype: "float32" if testing.error_bound("convolve", *NARROW, dtype=dtype).max() else "",
    "ndimage": lambda dtype: ndimage.gaussian_filter(IMAGE, 1.0, output=dtype).dtype.name,
}


@pytest.mark.parametrize("door", TYPED)
def test_a_dtype_may_be_spelled_in_every_way(door):
    for dtype in SPELLED:
        assert TYPED[door](dtype) == "float32", dtype
    if door != "error_bound":
        for dtype, name in ((float, "float64"), ("double", "float64"), ("d", "float64"), (complex, "complex128")):
            if (door, name) != ("ndimage", "complex128"):
                assert TYPED[door](dtype) == name
    for wrong in ("a", "f3", "S4", "datetime64", "object", "float128", object, 5, ["f4", "f8"], "i4,i4", bool):
        if (door, wrong) != ("ndimage", bool):
            with pytest.raises((TypeError, RuntimeError), match=r"^\w+: .*(dtype|output)"):
                TYPED[door](wrong)


@pytest.mark.parametrize("output", [">f8", ">i2", np.dtype(">f4"), "<f8"])
def test_output_has_the_requested_byte_order(output):
    assert ndimage.gaussian_filter(IMAGE, 1.0, output=output).dtype == np.dtype(output)
    expected = ndimage.gaussian_filter(IMAGE, 1.0, output=np.dtype(output).newbyteorder("="))
    np.testing.assert_array_equal(ndimage.gaussian_filter(IMAGE, 1.0, output=output), expected)
    if not np.dtype(output).isnative:
        with pytest.raises(TypeError, match=r"^sobel: `output` must be in the machine's byte order"):
            ndimage.sobel(torch.ones(3, 3), output=output)


@pytest.mark.parametrize("xp", ["a", "", "os", 5, object(), np.ones(2), len])
def test_an_object_that_is_no_namespace_is_named(xp):
    with pytest.raises((TypeError, ValueError), match=r"^explain: `like` must be "):
        arrayconv.explain(5, 3, like="a" if isinstance(xp, (int, np.ndarray)) else xp)
    with pytest.raises((TypeError, ValueError), match=r"^box: `xp` must be "):
        kernels.box(3, xp=xp)


@pytest.mark.parametrize("accelerators", ["scipy", 5, [1], {"a"}, b"scipy"])
def test_accelerators_are_a_set_of_names(accelerators):
    with (
        pytest.raises((TypeError, ValueError), match=r"^using: `accelerators` must be "),
        config.using(accelerators=accelerators),
    ):
        pass
