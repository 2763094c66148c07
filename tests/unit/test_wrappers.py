"""Arrays of more than numbers, or without all of them, are refused by their attributes, in every door."""

import importlib

import numpy as np
import pytest

import arrayconv
from arrayconv import kernels, ndimage, nn, signal
from conformance.meta import bare_namespace

PLAIN = bare_namespace.asarray([[1.0, 2.0], [3.0, 4.0]])


def _with(**attributes):
    """An array of a stand-in library with more attributes: of the type, or of the array alone."""

    class Wrapping(bare_namespace.Array):
        def __init__(self, inner):
            super().__init__(inner)
            self.__dict__.update(attributes)

    return Wrapping(PLAIN._inner)


class Slotted(bare_namespace.Array):
    """A mask that only a property shows."""

    @property
    def mask(self):
        return self._inner > 2


class Broken(bare_namespace.Array):
    @property
    def unit(self):
        raise NotImplementedError("a graph that is yet to run")


REFUSED = {
    "mask": (_with(mask=[True]), TypeError, "a mask"),
    "private-mask": (_with(_mask=[True]), TypeError, "a mask"),
    "property": (Slotted(PLAIN._inner), TypeError, "a mask"),
    "unit": (_with(unit="m"), TypeError, "a unit"),
    "units": (_with(units="m"), TypeError, "a unit"),
    "private-units": (_with(_units="m"), TypeError, "a unit"),
    "broken": (Broken(PLAIN._inner), TypeError, "a unit"),
    "dims": (_with(dims=("x", "y")), TypeError, "names of axes"),
    "nnz": (_with(nnz=3), TypeError, "sparse"),
    "chunks": (_with(chunks=((1, 1), (2,))), NotImplementedError, "in chunks"),
}
BOTH = {
    "convolve": ("x", lambda v: arrayconv.convolve(v, PLAIN)),
    "convolve-kernel": ("kernel", lambda v: arrayconv.convolve(PLAIN, v)),
    "correlate": ("x", lambda v: arrayconv.correlate(v, [[1.0]])),
    "out": ("out", lambda v: arrayconv.convolve(PLAIN, PLAIN, "same", out=v)),
    "list": ("kernel", lambda v: arrayconv.convolve(PLAIN, [[1.0, 2.0], [3.0, v]])),
    "explain": ("x", lambda v: arrayconv.explain(v, PLAIN)),
    "explain-like": ("like", lambda v: arrayconv.explain((5, 5), (2, 2), like=v)),
    "einconv": ("kernel", lambda v: arrayconv.einconv("n h, n h -> n h | h", PLAIN, v)),
    "Convolver": ("kernel", lambda v: arrayconv.Convolver(v)),
    "Convolver-call": ("x", lambda v: arrayconv.Convolver([[1.0, 2.0]])(v)),
    "from_factors": ("terms", lambda v: arrayconv.Convolver.from_factors([(v, v)])),
    "separate": ("kernel", lambda v: kernels.separate(v)),
    "conv2d": ("input", lambda v: nn.conv2d(v, PLAIN)),
    "bias": ("bias", lambda v: nn.conv1d(_three(), _three(), v)),
    "signal.convolve": ("in1", lambda v: signal.convolve(v, PLAIN)),
    "signal.fftconvolve": ("in2", lambda v: signal.fftconvolve(PLAIN, v)),
    "ndimage.sobel": ("input", lambda v: ndimage.sobel(v)),
    "ndimage.convolve": ("weights", lambda v: ndimage.convolve(PLAIN, v)),
}


def _three():
    return bare_namespace.reshape(PLAIN, (1, 2, 2))


@pytest.mark.parametrize("door", BOTH)
@pytest.mark.parametrize("kind", REFUSED)
def test_arrays_that_would_lose_data_are_refused_with_function_argument_and_remedy(kind, door):
    value, error, words = REFUSED[kind]
    argument, call = BOTH[door]
    with pytest.raises(error, match=rf"^\w+: `{argument}` is a .*{words}.*(Pass|Convert|Load)"):
        call(value)


@pytest.mark.parametrize("more", [{}, {"mask": None, "unit": None, "chunks": None}, {"name": "x", "attrs": {}}])
def test_a_type_that_could_carry_something_and_does_not_is_welcome(more):
    assert arrayconv.convolve(_with(**more), PLAIN).shape == (3, 3)


def test_a_method_of_such_a_name_is_an_operation():
    class Operating(bare_namespace.Array):
        def mask(self, where):
            return self

    assert arrayconv.convolve(Operating(PLAIN._inner), PLAIN).shape == (3, 3)


def _marray():
    masked = importlib.import_module("marray").masked_namespace(np)
    return masked.asarray(np.ones((3, 3)), mask=np.eye(3, dtype=bool))


def _torch_masked():
    masked = importlib.import_module("torch.masked")
    torch = importlib.import_module("torch")
    return masked.MaskedTensor(torch.ones(3, 3), torch.eye(3, dtype=torch.bool))


def _torch_units():
    torch = importlib.import_module("torch")
    value = torch.ones(3, 3).as_subclass(type("Metres", (torch.Tensor,), {}))
    value.unit = "m"
    return value


REAL = {
    "marray": _marray,
    "numpy.ma": lambda: np.ma.array(np.ones((3, 3)), mask=np.eye(3)),
    "numpy.ma.masked": lambda: [[1.0, np.ma.masked]],
    "list-of-numpy.ma": lambda: [np.ones(3), np.ma.array(np.ones(3), mask=[0, 1, 0])],
    "torch.masked": _torch_masked,
    "torch-with-a-unit": _torch_units,
    "pint": lambda: importlib.import_module("pint").UnitRegistry().Quantity(np.ones((3, 3)), "m"),
    "list-of-pint": lambda: [[1.0, importlib.import_module("pint").UnitRegistry().Quantity(1.0, "m")]],
    "unyt": lambda: importlib.import_module("unyt").unyt_array(np.ones((3, 3)), "m"),
    "astropy": lambda: np.ones((3, 3)) * importlib.import_module("astropy.units").m,
    "unxt": lambda: importlib.import_module("unxt").Quantity(np.ones((3, 3)), "m"),
    "xarray": lambda: importlib.import_module("xarray").DataArray(np.ones((3, 3))),
    "sparse": lambda: importlib.import_module("sparse").COO(np.eye(3)),
    "blosc2": lambda: importlib.import_module("blosc2").ones((3, 3)),
    "dask-of-numpy.ma": lambda: importlib.import_module("dask.array").ma.masked_equal(np.ones((3, 3)), 2),
}


@pytest.mark.filterwarnings("ignore")  # those of the libraries
@pytest.mark.parametrize("name", REAL)
def test_libraries_whose_meaning_would_be_lost_are_refused(name):
    try:
        value = REAL[name]()
    except ImportError as missing:
        pytest.skip(f"{name} is not installed: {missing}")
    for function in (arrayconv.convolve, arrayconv.correlate, signal.convolve):
        with pytest.raises((TypeError, NotImplementedError), match=rf"^{function.__name__}: `(x|in1)` "):
            function(value, np.ones((2, 2)))
    with pytest.raises((TypeError, NotImplementedError), match=r"^convolve: `kernel` "):
        arrayconv.convolve(np.ones((3, 3)), value)
