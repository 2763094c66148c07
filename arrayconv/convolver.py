"""The front door for one kernel and many arrays: `Convolver`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from importlib import import_module
from math import prod
from typing import TYPE_CHECKING, Any, Literal, overload

from arrayconv import _accel, config
from arrayconv._arrays import operands as admission
from arrayconv._arrays.chunks import is_lazy
from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import identify
from arrayconv._arrays.libraries import library_row
from arrayconv._arrays.namespace import on_device
from arrayconv._arrays.operands import Operands, traits_like
from arrayconv._arrays.traits import Traits
from arrayconv._calls import dry_run, prepare, tape
from arrayconv._calls.binding import BoundCall
from arrayconv._calls.explanation import shape_argument
from arrayconv._convolver import fused, passes
from arrayconv._convolver.chain import FactorRequest, labels
from arrayconv._convolver.entry import bound_entry
from arrayconv._convolver.factor_plan import FactorPlan, plan_factors
from arrayconv._convolver.kernel import FUNCTION, Kernel, parse_kernel
from arrayconv._convolver.options import Options, parse_options, parse_separable, rebuilt
from arrayconv._convolver.run import run_entry
from arrayconv._convolver.store import CacheEntry, Store, key_of
from arrayconv._convolver.terms import parse_terms
from arrayconv._errors import flag
from arrayconv._problem import positional
from arrayconv._problem.axes import Mode, convolved_axes
from arrayconv._problem.problem import Problem
from arrayconv._runtime.tracing import is_compiling, is_traced, shape_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from arrayconv._calls.chunked import ChunkedCall
    from arrayconv._convolver.explanation import ConvolverExplanation
    from arrayconv._stream.stream import Stream
    from arrayconv.typing import Accuracy, ArrayLike, ArrayT, Boundaries, Method, NumPyLike

__all__ = ["Convolver"]

_CHUNKED = "arrayconv._convolver.chunked"  # of Dask arrays alone: other arrays need not import it


class Convolver:
    """Convolve many arrays with one kernel: its options, plans, spectra and factors are cached between calls.

    ``Convolver(kernel, mode, ...)(x)`` is ``arrayconv.convolve(x, kernel, mode, ...)`` with the same error bound, exact
    for integers. With ``correlate=True`` it is `arrayconv.correlate`: a keyword and not a second class, because
    nothing but the orientation of the kernel differs, and `from_factors` has it too.

    Parameters
    ----------
    kernel : array, shape (..., k_1, ..., k_d)
        Of any supported library; nested lists become an array like each x. It is copied: later changes of it affect no
        call. Only a kernel that requires a torch gradient, or is traced or transformed, is not copied but read at every
        call, so that gradients and an optimizer's steps reach it; nothing made of its values is cached then.
    mode : {'full', 'same', 'valid'}, optional
        Which outputs: n + k_eff - 1, n or n - k_eff + 1 per axis, relative to x, k_eff = dilation*(k - 1) + 1. 'full'
        by default.
    correlate : bool
        Correlate: the kernel is not reversed, and conjugated.
    axes : int or sequence of int, optional
        The convolved axes of x. With ``kernel.ndim == x.ndim``, kernel axis j pairs with axis j of x and the axes not
        named broadcast both ways; otherwise kernel axis i pairs with ``axes[i]``. None names all.
    boundary : str or one per axis
        How x is extended beyond its ends, by `numpy.pad`'s names: 'constant', 'edge', 'symmetric', 'reflect', 'wrap'.
    fill_value : number
        The constant of 'constant'.
    stride, dilation : int or one per axis
        Step between outputs; distance between taps, in samples.
    lags : int, (first, last) or one of these per axis, optional
        Compute only these lags of a correlation, ends included: an int L means -L..L. Excludes a mode and a stride, and
        needs ``correlate=True``.
    separable : {'auto', True, False}
        Whether the kernel may be run as passes along one axis each, where it is a sum of products of one factor per
        axis. 'auto' reads its values once, here, and runs passes where they are predicted to be quicker; True requires
        them, by `method`; False runs the kernel whole. The sum may differ from the kernel by 2 eps of the
        accumulator per axis longer than one tap, relative to the largest tap; with ``accuracy='componentwise'`` only
        a single product is allowed, with that limit for every tap and room for all roundings in the bound. Integer
        kernels are factored exactly, into one product.
    method : str
        'auto' runs the method that is predicted to be the fastest; a name, such as 'direct', 'im2col' or 'fft', forces
        it. `arrayconv.explain` lists them all.
    accuracy : {'normwise', 'componentwise'}
        How the rounding error must be bounded; 'componentwise' keeps 'auto' off the FFT.
    dtype : dtype, optional
        Wider dtype for the sums and the result.
    max_workspace : int, optional
        Bytes a call may allocate beyond its operands and result; what is cached between calls is not counted.

    Raises
    ------
    TypeError
        If the kernel is of a dtype without a convolution (bool, object), no array, or a Dask array.
    ValueError
        If an option is unknown or contradicts another; if ``separable=True`` and the kernel is no sum of products to
        that tolerance, with the difference measured. What depends on x is raised by the call.

    See Also
    --------
    arrayconv.kernels.separate : the factors themselves.

    Notes
    -----
    It caches the plans of the last 16 kinds of x (shape, dtype, library) and what their methods prepared of the kernel,
    within the bound of `arrayconv.config.cache_limit`; `nbytes` is their size, `clear` evicts them. It is safe to call
    from several threads. A call that is traced or differentiated runs its passes one by one, or the kernel whole.
    `arrayconv.vjp` gives the gradient of x. Finding factors costs O(r * prod(k)) for r terms, at most 8.

    Examples
    --------
    >>> import arrayconv
    >>> blur = arrayconv.Convolver([1, 2, 1], "same", boundary="edge")
    >>> blur([0, 0, 4, 0, 0])
    array([0, 4, 8, 4, 0])
    >>> blur([1, 1, 1, 1])
    array([4, 4, 4, 4])
    """

    def __init__(
        self,
        kernel: ArrayLike,
        mode: Mode | None = None,
        *,
        correlate: bool = False,
        axes: Sequence[int] | int | None = None,
        boundary: Boundaries = "constant",
        fill_value: complex = 0,
        stride: int | Sequence[int] = 1,
        dilation: int | Sequence[int] = 1,
        lags: Any = None,
        separable: Literal["auto"] | bool = "auto",
        method: Method = "auto",
        accuracy: Accuracy = "normwise",
        dtype: Any = None,
        max_workspace: int | None = None,
    ) -> None:
        separable = parse_separable(separable)
        numbers = (mode, correlate, axes, boundary, fill_value, stride, dilation, lags)
        keywords = Options(*numbers, separable, method, accuracy, dtype, max_workspace)
        self._set(parse_kernel(kernel, separable), keywords)

    @classmethod
    def from_factors(cls, terms: Sequence[Sequence[Any]], mode: Mode | None = None, **options: Any) -> Convolver:
        """Return a Convolver whose kernel is a sum of products, run as passes with these factors as they are.

        Parameters
        ----------
        terms : sequence of tuples of arrays, shapes (k_1,), ..., (k_d,)
            For each term one factor per axis of the kernel, all of one library, dtype and device, or all lists of
            numbers: what `arrayconv.kernels.separate` returns. Factors that require a gradient are not copied.
        mode : {'full', 'same', 'valid'}, optional
            Which outputs: n + k_eff - 1, n or n - k_eff + 1 per axis; 'full' by default.
        **options
            The keywords of `Convolver` but `separable`: `boundary`, `stride`, `method` and so on.

        Returns
        -------
        Convolver
            Its error is that of its passes, one after the other: magnitudes between them depend on how factors are
            scaled.

        Raises
        ------
        TypeError
            If the factors are of several libraries, dtypes or devices, or `separable` is passed.
        ValueError
            If the sizes of factors differ between terms, or an option is unknown.

        Examples
        --------
        >>> import arrayconv
        >>> smooth = arrayconv.Convolver.from_factors([([1, 2, 1], [1, 0, -1])], "valid")
        >>> smooth([[0, 1, 5], [0, 1, 5], [0, 1, 5]])
        array([[20]])
        """
        if "separable" in options:
            raise TypeError(f"{FUNCTION}: from_factors takes no `separable`: its factors are always run as passes.")
        convolver = cls.__new__(cls)
        convolver._set(parse_terms(terms), Options(mode, **options), terms)
        return convolver

    def _set(self, kernel: Kernel, keywords: Options, terms: Any = None) -> None:
        self._geometry, self._options = parse_options(keywords, len(kernel.shape))
        self._kernel, self._keywords, self._store = kernel, keywords, Store()
        lists = () if terms is None or kernel.factors else [[[*factor] for factor in term] for term in terms]
        self._of_chunks: Convolver | None = None  # of Dask arrays
        self._origin = (kernel.factors or lists) if kernel.separability.from_factors else kernel.array

    @overload
    def __call__(self, x: NumPyLike, *, out: Any = None) -> NDArray[Any]: ...
    @overload
    def __call__(self, x: ArrayT, *, out: Any = None) -> ArrayT: ...
    def __call__(self, x: Any, *, out: Any = None) -> Any:
        """Return the convolution of x with the kernel.

        Parameters
        ----------
        x : array, shape (..., n_1, ..., n_d)
            Of the kernel's library and device; nested lists become a NumPy array.
        out : array, optional
            Where to write: the result's exact shape, dtype and device. May overlap `x`.

        Returns
        -------
        array
            Of the library and device of `x`. Like kinds promote by the Array API standard; an integer with a float
            takes the float's dtype. Integers are exact and wrap. `out` itself where there is one.

        Raises
        ------
        TypeError
            If the operands are of two libraries or devices, or of a dtype without a convolution (bool, object).
        ValueError
            If sizes contradict each other, or `max_workspace` is too small for any piece.
        NotImplementedError
            If a forced `method` cannot run the problem (the text says why).
        """
        key = key_of(x, self._kernel.separability.separation is not None)
        entry = None if key is None else self._store.find(key)
        recording = not is_compiling() and tape.is_recording()
        if entry is not None and out is not None and (recording or not entry.writes_in_place(x, out)):
            entry = None
        if entry is None and is_lazy(identify(FUNCTION, "x", x)):
            operands, call, _ = self._chunked(x)
            return call(operands.x, operands.kernel, out=out)
        if entry is None:
            entry, operands = self._validate(x, out, key)
        elif entry.call is not None and not recording:
            return self._bound(entry, entry.call, x, out)
        elif entry.fused is not None:
            return entry.fused(x)
        else:
            operands = entry.operands._replace(x=x)
        if not recording:
            return self._compute(entry, operands, out)
        with tape.recording() as steps:
            y = self._compute(entry, operands, out)
        terms = 1 if entry.plan.chain is None else entry.plan.chain.terms
        tape.note((operands.x,), lambda: passes.pullback(tuple(steps), terms), convolves=True)
        return y

    def explain(self, x_or_shape: Any, *, like: Any = None, derivatives: bool = False) -> ConvolverExplanation:
        """Say what a call would do, without doing it.

        Parameters
        ----------
        x_or_shape : array, or tuple of int
            The argument of the call, or its shape (an int for one axis).
        like : array, namespace or str, optional
            Whose library, device and dtype to plan for, where `x_or_shape` is a shape; the kernel's by default.
        derivatives : bool
            Whether to explain the gradient of x too.

        Returns
        -------
        ConvolverExplanation
            Method, candidates, workspace and cost of the whole kernel, and whether it would be run as passes:
            ``passes``, ``rank``, ``cost_ns``, and in ``separable`` the reason why not. ``str()`` of it is a table.

        Raises
        ------
        TypeError
            If the operands are of two libraries or devices, or of a dtype without a convolution (bool, object).
        ValueError
            If sizes contradict each other, or `max_workspace` is too small for any piece.
        NotImplementedError
            If a forced `method` cannot run the problem (the text says why).

        Examples
        --------
        >>> import arrayconv
        >>> blur = arrayconv.Convolver(arrayconv.kernels.gaussian(4.0), "same")
        >>> [(step.axis, step.taps) for step in blur.explain((512, 512)).passes]
        [(0, 33), (1, 33)]
        """
        if isinstance(x_or_shape, (int, tuple)):
            shape = shape_argument(FUNCTION, "x_or_shape", x_or_shape)
            traits = traits_like(FUNCTION, self._kernel.array if like is None else like, self._keywords.dtype)
            x_dtype = traits.output
        elif is_lazy(identify(FUNCTION, "x_or_shape", x_or_shape)):
            return import_module(_CHUNKED).explained(*self._chunked(x_or_shape), x_or_shape)
        else:
            names = ("x_or_shape", "kernel")
            operands = admission.operands(FUNCTION, x_or_shape, self._kernel.array, self._keywords.dtype, names)
            shape, traits, x_dtype = shape_of(operands.x), operands.traits, fused.x_dtype(operands)
        fill = self._options.fill_value
        derivatives = flag(FUNCTION, "derivatives", derivatives)
        prepare.check_fill(FUNCTION, fill, traits)
        problem = self._problem(shape)
        plan = self._plan(problem, traits, shape, 0, "" if derivatives else x_dtype)
        options = self._options if plan.chain is None else self._options._replace(method="auto")
        whole = plan.plan or prepare.plan(FUNCTION, problem, traits, options)
        axes = labels(len(shape), self.shape, self._geometry.axes)
        explained = import_module("arrayconv._convolver.explanation").explained  # importing it takes milliseconds
        return explained(plan, whole, problem, fill, axes, shape, derivatives)

    def stream(self, axis: int = -1, *, max_latency: int | None = None) -> Stream:
        """Return a stream: the convolution of one array that arrives in chunks along `axis`.

        Parameters
        ----------
        axis : int
            The axis of x along which chunks follow one another, one of those that the kernel runs along.
        max_latency : int, optional
            How many samples beyond the last one that it reads an output may wait for: 0 for direct methods, 63 for
            blocks of up to 64 samples; None, the default, for the least predicted time.

        Returns
        -------
        Stream
            Joined, its results are those of a call, to the bit if ``stream.method`` is direct and the call's.

        Raises
        ------
        TypeError, ValueError, NotImplementedError
            For `lags`, factors and ``separable=True``; the first push raises what depends on x, and for 'wrap'.

        Examples
        --------
        >>> import arrayconv
        >>> stream = arrayconv.Convolver([1, 10, 100]).stream()
        >>> [stream.push([1, 2]), stream.push([3]), stream.flush()]
        [array([ 1, 12]), array([123]), array([230, 300])]
        """
        options = self._geometry, self._options, self._keywords.dtype, axis, max_latency
        create = import_module("arrayconv._stream.stream").create  # importing it takes milliseconds
        return create(self._kernel[:3], self._kernel.separability, options, self._keywords.separable is True)

    def clear(self) -> None:
        """Evict what earlier calls cached: plans, spectra, factors. The kernel stays."""
        self._store.evict_all()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the kernel."""
        return self._kernel.shape

    @property
    def dtype(self) -> Any:
        """Dtype of the kernel; of nested lists, the one that NumPy gives them."""
        return self._kernel.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that are cached between calls, without the kernel; views count like copies."""
        return self._store.nbytes

    def __repr__(self) -> str:
        kind = "factors of" * self._kernel.separability.from_factors or "kernel"
        return f"Convolver(<{kind} {self.shape} {dtype_name(self.dtype)}>{self._keywords})"

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuilt, (type(self), self._origin, self._kernel.separability.from_factors, self._keywords._asdict())

    @float_errors_ignored
    def _validate(self, x: Any, out: Any, key: Hashable) -> tuple[CacheEntry, Operands]:
        """Validate a call; return the cache entry of its kind, made now for the first call."""
        operands = admission.operands(FUNCTION, x, self._kernel.array, self._keywords.dtype)
        prepare.check_fill(FUNCTION, self._options.fill_value, operands.traits)
        shape = shape_of(operands.x)
        problem, x_dtype = self._problem(shape), fused.x_dtype(operands)
        if out is None:
            prepare.check_size(FUNCTION, problem, operands.traits)
        extra = 0
        if out is not None:
            writable = prepare.check_out(FUNCTION, out, operands, problem)
            if not writable or self._plan(problem, operands.traits, shape, 0, x_dtype).chain is not None:
                extra = prod(problem.shape) * itemsize(operands.traits.output)
        if self._kernel.needs_autodiff or operands.traits.traced:
            return self._entry(operands, problem, shape, extra), operands
        if key is None or extra:
            queue = library_row(operands.traits.backend).queue(operands.device)
            key = operands.traits, queue, shape, x_dtype, out is None, extra, config.current(), _accel.state()
        entry = self._store.find(key)
        if entry is None:
            entry = self._entry(operands, problem, shape, extra)
            factors = [factor for row in entry.factors for factor in row]
            traced = is_traced(operands.traits.backend, entry.operands.kernel, *factors)  # as all made inside jax.jit
            if not (traced or dry_run.is_active()):
                self._store.add(key, entry)
        return entry, operands._replace(kernel=entry.operands.kernel)

    def _entry(self, operands: Operands, problem: Problem, shape: tuple[int, ...], extra: int) -> CacheEntry:
        plan = self._plan(problem, operands.traits, shape, extra, fused.x_dtype(operands))
        return bound_entry(self._kernel, self._options, operands, problem, plan, is_copied=extra > 0)

    def _chunked(self, x: Any) -> tuple[Operands, ChunkedCall, Convolver]:
        """Return the operands of a call on a Dask array, the call, and the convolver of its chunks."""
        operands = admission.operands(FUNCTION, x, self._kernel.array, self._keywords.dtype)
        prepare.check_fill(FUNCTION, self._options.fill_value, operands.traits)
        chunked = import_module(_CHUNKED)
        of_chunks = self._of_chunks
        if of_chunks is None:
            from_factors = self._kernel.separability.from_factors
            of_chunks = self._of_chunks = chunked.of_chunks(type(self), self._origin, from_factors, self._keywords)
        space = convolved_axes(FUNCTION, len(shape_of(x)), len(self.shape), self._geometry.axes)
        call = chunked.bind(of_chunks, operands, self._problem(shape_of(x)), self._options, space)
        return operands, call, of_chunks

    def _problem(self, shape: tuple[int, ...]) -> Problem:
        return positional.problem(FUNCTION, shape, self.shape, self._geometry)

    def _plan(self, problem: Problem, traits: Traits, shape: tuple[int, ...], extra: int, x_dtype: str) -> FactorPlan:
        required = self._keywords.separable is True
        request = FactorRequest(shape, self._geometry.axes, self._options, required, extra, x_dtype)
        return plan_factors(problem, traits, self._kernel.separability, request)

    def _bound(self, entry: CacheEntry, call: BoundCall, x: Any, out: Any) -> Any:
        """Run a bound call with what is cached of the kernel."""
        cached = entry.constants[0]
        constants = dict(cached)
        y = call(x, entry.operands.kernel, out=out, constants=constants)
        if len(constants) > len(cached):
            cached.update(constants)
            self._store.trim()
        return y

    @float_errors_ignored
    def _compute(self, entry: CacheEntry, operands: Operands, out: Any) -> Any:
        """Run a call, and cache what it prepared of the kernel unless that belongs to a trace."""
        constants = [dict(each) for each in entry.constants]
        with on_device(operands.xp, operands.device):
            y = run_entry(entry, operands, out, constants)
        if self._kernel.needs_autodiff or operands.traits.traced or is_traced(operands.traits.backend, y):
            return y
        for cached, now in zip(entry.constants, constants, strict=True):
            if len(now) > len(cached):
                cached.update(now)
                self._store.trim()
        return y
