"""Derivatives for array libraries without autograd: `vjp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar, overload

from arrayconv._arrays.dtype_names import checked_dtype_name
from arrayconv._arrays.dtypes import holds, kind
from arrayconv._arrays.float_errors import float_errors_ignored
from arrayconv._arrays.identify import device_of, identify
from arrayconv._arrays.namespace import namespace_of, on_device
from arrayconv._calls import tape
from arrayconv._calls.tape import Step
from arrayconv._problem.axes import integer
from arrayconv._runtime.tracing import shape_of

__all__ = ["Pullback", "vjp"]

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False, repr=False)
class Pullback(Generic[_Result]):
    """The function that `vjp` returns besides the result: call it on the result's gradient.

    A type checker knows it by the type of the result, such as ``Pullback[torch.Tensor]``.

    Attributes
    ----------
    arguments : tuple of arrays
        The arrays of the call, in its order; the pullback returns their gradients.
    shape : tuple of int
        Shape of the result, and of its gradient.

    Examples
    --------
    >>> import numpy as np, arrayconv
    >>> y, pullback = arrayconv.vjp(arrayconv.correlate, np.ones(3), np.array([1., 10.]), "valid")
    >>> pullback.shape
    (2,)
    >>> pullback(y, wrt=1)
    (array([22., 22.]),)
    """

    arguments: tuple[Any, ...]
    shape: tuple[int, ...]
    _dtype: str
    _library: str
    _steps: tuple[Step, ...]
    _slots: tuple[int, ...]  # of each argument: its index among the steps' operands

    @overload
    def __call__(self, dy: _Result, wrt: None = None) -> tuple[_Result | Any, ...]: ...  # None for integers
    @overload
    def __call__(self, dy: _Result, wrt: Sequence[int] | int) -> tuple[_Result, ...]: ...
    @float_errors_ignored
    def __call__(self, dy: Any, wrt: Sequence[int] | int | None = None) -> tuple[Any, ...]:
        """Return the gradients of the call's arrays from that of its result.

        Parameters
        ----------
        dy : array
            Gradient of the result: of its shape, library and device.
        wrt : int or sequence of int, optional
            Arrays of the call, by position, whose gradients to compute; all by default.

        Returns
        -------
        tuple of arrays
            One per array of the call, or per entry of `wrt`, each of its array's shape and dtype; None for integers.

        Raises
        ------
        ValueError
            If `dy` has another shape than the result, or `wrt` names no array of the call.
        TypeError
            If `dy` is of another library or device, of a dtype the result's does not hold, or `wrt` names integers.
        """
        self._check(dy)
        positions = self._positions(wrt)
        requested = {self._slots[position] for position in positions}
        gradients: list[Any] = []
        with on_device(namespace_of(self._library, dy), device_of(dy)):
            for step in reversed(self._steps):
                first = len(self._slots) - len(gradients) - len(step.operands)
                dy, of_step = step.pullback(dy, [first + number in requested for number in range(len(step.operands))])
                gradients = [*of_step, *gradients]
        returned = range(len(self.arguments)) if wrt is None else positions
        return tuple(gradients[self._slots[position]] for position in returned)

    def _check(self, dy: Any) -> None:
        library = identify("vjp", "dy", dy)
        if library != self._library or device_of(dy) != device_of(self.arguments[0]):
            expected = f"{self._library} on {device_of(self.arguments[0])}"
            got = f"{library} on {device_of(dy)}" if library else type(dy).__name__
            raise TypeError(f"vjp: `dy` must be an array like the result, {expected}. Got {got}. Convert it first.")
        if shape_of(dy) != self.shape:
            raise ValueError(f"vjp: `dy` must have the shape of the result, {self.shape}. Got {shape_of(dy)}.")
        name = checked_dtype_name("vjp", "dy", dy.dtype)
        if not holds(self._dtype, kind(name)):
            raise TypeError(f"vjp: `dy` must be of a kind that the result's dtype {self._dtype} holds. Got {name}.")

    def _positions(self, wrt: Sequence[int] | int | None) -> list[int]:
        names = [kind(checked_dtype_name("vjp", "wrt", array.dtype)) for array in self.arguments]
        if wrt is None:
            return [position for position, name in enumerate(names) if name != "integer"]
        positions = [integer("vjp", "wrt", position) for position in (wrt if isinstance(wrt, Sequence) else (wrt,))]
        for position in positions:
            if not 0 <= position < len(names):
                raise ValueError(f"vjp: `wrt` must be below {len(names)}, the number of arrays of the call. Got {wrt}.")
            if names[position] == "integer":
                raise TypeError(
                    f"vjp: `wrt` must name arrays of real or complex dtype. Got {position}, whose dtype is "
                    f"{self.arguments[position].dtype}: integers have no derivative. Cast that array to a float first."
                )
        return positions


def vjp(
    function: Callable[_Parameters, _Result], *args: _Parameters.args, **options: _Parameters.kwargs
) -> tuple[_Result, Pullback[_Result]]:
    """Convolve, and return the result and its pullback (vector-Jacobian product), on any array library.

    ``y, pullback = vjp(function, *args, **options)`` calls ``function(*args, **options)``. If `dy` is a loss' gradient
    with respect to y, ``pullback(dy)`` returns its gradients with respect to the arrays among the arguments.

    Parameters
    ----------
    function : callable
        `arrayconv.convolve`, `correlate`, `einconv`, a `Convolver`, or a convolution of `arrayconv.nn`.
    *args, **options
        Its arguments. Its operands must be arrays; `out` is not supported.

    Returns
    -------
    y : array
        The result.
    pullback : Pullback
        ``pullback(dy, wrt=None)`` returns one gradient per array of the call, in its order: x, the kernel and, if
        there is one, the bias. A `Convolver` has one array, x.

    Raises
    ------
    TypeError
        If `function` is not one convolution of its arguments, or its result is integer.

    See Also
    --------
    arrayconv.testing.check_adjoint : the identity that both gradients satisfy.

    Notes
    -----
    The gradient of x is the convolution with stride and upsampling exchanged and the kernel flipped, folded back where
    the boundary extended x; that of the kernel correlates x with `dy`. Each is planned like any call and costs about as
    much as the call itself. For complex data they are adjoints, ``<f(x), y> = <x, pullback(y)>``, as in torch; JAX's
    own `vjp` does not conjugate. torch tensors and JAX arrays work too, and there the pullback's results can be
    differentiated again.

    Examples
    --------
    >>> import numpy as np, arrayconv
    >>> y, pullback = arrayconv.vjp(arrayconv.correlate, np.array([1., 2., 3.]), np.array([1., 10.]), "valid")
    >>> y
    array([21., 32.])
    >>> pullback(np.ones(2))
    (array([ 1., 11., 10.]), array([3., 5.]))
    """
    if not callable(function):
        raise TypeError(f"vjp: `function` must be a function of arrayconv. Got {type(function).__name__}.")
    name = getattr(function, "__name__", repr(function))
    if options.get("out") is not None:
        raise TypeError(f"vjp: {name} must return its result. Got out={type(options['out']).__name__}. Leave it out.")
    with tape.recording() as steps:
        y: Any = function(*args, **options)
    arguments, slots = _arguments(name, steps, (*args, *options.values()))
    dtype = checked_dtype_name("vjp", name, y.dtype)
    if kind(dtype) == "integer":
        raise TypeError(f"vjp: {name} of integers has no derivative. Got a result of dtype {dtype}. Cast to a float.")
    return y, Pullback(arguments, shape_of(y), dtype, identify("vjp", name, y), tuple(steps), slots)


def _arguments(name: str, steps: Sequence[Step], passed: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """Return the arrays of the call in its order, and their indices among the steps' operands.

    Raises TypeError unless the steps are one convolution of exactly these arrays.
    """
    operands = [operand for step in steps for operand in step.operands]
    arguments: list[Any] = []
    slots: list[int] = []
    for value in passed:
        free = (slot for slot, operand in enumerate(operands) if operand is value and slot not in slots)
        slot = next(free, None)
        if slot is not None:
            arguments.append(value)
            slots.append(slot)
    convolutions = sum(step.convolves for step in steps)
    if convolutions != 1 or len(arguments) != len(operands):
        raise TypeError(
            f"vjp: `function` must be one convolution of its own arguments: arrayconv.convolve, correlate, "
            f"einconv, or one of arrayconv.nn. Got {name}, which ran {convolutions} convolutions on {len(operands)} "
            f"arrays, {len(arguments)} of them among its arguments."
        )
    return tuple(arguments), tuple(slots)
