"""A whole call as one call of torch's convolution on the caller's tensors, and torch's own backward of it.

torch does not multiply the zeros beyond the ends, so a kernel with a non-finite tap is left to `torch_conv`.
"""

from __future__ import annotations

import sys
from cmath import isfinite
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from arrayconv._accel.native import loader
from arrayconv._accel.torch.calls import Call, call, function, is_transposed, transposed_call
from arrayconv._accel.torch.torch_conv import in_batches, makes_columns, torch_conv
from arrayconv._arrays.tensors import memory
from arrayconv._arrays.traits import Traits
from arrayconv._ops.contain import by_one_pass
from arrayconv._problem.layout import Permutation
from arrayconv._problem.problem import Problem
from arrayconv._problem.spec import Axis, Spec

_BACKWARD_NS, _TRANSPOSED_NS = 8_000, 15_000  # of torch's backward beside its products
_ONE_DOT = 1 << 12  # numbers up to which one dot product says whether all are finite


class Whole(NamedTuple):
    """torch's function for a whole call, and the shapes of its operands and of the caller's result."""

    call: Call
    function: Callable[..., Any]
    shapes: tuple[Any, Any, Any]  # of x, the kernel and the result, as the caller has them
    result: tuple[int, ...]  # the shape of torch's result
    run_backward: Callable[..., Any]  # torch's function of both gradients
    backward_arguments: tuple[Any, ...]  # between the operands and which gradients are requested
    shapes_differ: bool  # whether torch's operands or result have other shapes than the caller's
    finite: Callable[[int, int, int], int] | None  # (address, count, itemsize), of compiled code
    itemsize: int

    def __call__(self, x: Any, kernel: Any, bias: Any) -> Any:
        """Return torch's result, which torch differentiates; None where torch's is another."""
        if not self.supports(kernel):
            return None
        if not self.shapes_differ:
            return self.function(x, kernel, bias, *self.call.arguments)
        x, kernel = self._shaped(x, kernel)
        return self.function(x, kernel, bias, *self.call.arguments).reshape(self.shapes[2])

    def backward(self, requested: Any, x: Any, kernel: Any, dy: Any) -> tuple[Any, Any] | None:
        """Return the gradients of x and the kernel; None where torch's may be others, as in `__call__`."""
        if not (self.supports(kernel) and self.supports(dy)):
            return None
        torch_call, (x_shape, kernel_shape, shape) = self.call, self.shapes
        x, kernel = self._shaped(x, kernel)
        if shape != self.result:
            dy = dy.reshape(self.result)
        mask = [requested[0], requested[1], False]
        dx, dkernel, _ = self.run_backward(dy, x, kernel, None, *self.backward_arguments, mask)
        if dx is not None and x_shape != torch_call.x_shape:
            dx = dx.reshape(x_shape)
        if dkernel is not None and kernel_shape != torch_call.w_shape:
            dkernel = dkernel.reshape(kernel_shape)
        return dx, dkernel

    def gradient(self, requested: tuple[bool, bool], x: Any, kernel: Any, dy: Any) -> Any:
        """Return one gradient of operands in torch's shapes; only the shape of its own operand is read.

        None where torch's may be another.
        """
        if not self.supports(kernel if requested[0] else dy):
            return None
        return self.run_backward(dy, x, kernel, None, *self.backward_arguments, [*requested, False])[requested[1]]

    def _shaped(self, x: Any, kernel: Any) -> tuple[Any, Any]:
        """Return the operands in torch's shapes."""
        torch_call, (x_shape, kernel_shape, _) = self.call, self.shapes
        if x_shape != torch_call.x_shape:
            x = x.reshape(torch_call.x_shape)
        if kernel_shape != torch_call.w_shape:
            kernel = kernel.reshape(torch_call.w_shape)
        return x, kernel

    def supports(self, factors: Any) -> bool:
        """Whether torch's result is ours: it multiplies no zeros beyond the ends by factors that are not finite."""
        if not self.call.reaches:
            return True
        if self.finite is not None and factors.is_contiguous():
            return self.finite(factors.data_ptr(), factors.numel(), self.itemsize) == 1
        factors = memory(factors.detach())
        if factors.size <= _ONE_DOT or not factors.flags.c_contiguous:
            return bool(by_one_pass(factors, False, "numpy"))
        return isfinite(np.add.reduce(factors.reshape(-1)))  # half the time of np.sum


def of_problem(problem: Problem, shapes: tuple[Any, Any], traits: Traits) -> Whole | None:
    """Return the whole call of a problem on tensors of the accumulator's dtype; None if it takes other steps."""
    spec, layout = problem.spec, problem.layout
    if torch_conv.why_not(spec, traits) or in_batches(spec, traits) or not spec.outputs or not spec.terms:
        return None
    if not is_transposed(spec) and any(axis.upsample != 1 or _extends(axis) for axis in spec.axes):
        return None
    # A layer with stride 1 is a plain problem by a flipped kernel: torch's transposed call reads the kernel as it is.
    torch_call = (transposed_call(spec) if spec.flip else None) or call(spec)
    if torch_call.zeros or torch_call.crops or torch_call.samples != tuple(slice(0, n) for n in spec.input_size):
        return None
    if layout.x.reorders or layout.y.reorders or not _is_torchs(spec, layout.kernel, torch_call):
        return None
    result = spec.batch, spec.groups * spec.filters, *spec.output_size
    run_backward = sys.modules["torch"].ops.aten.convolution_backward.default
    run, rest = function(torch_call), _backward_arguments(torch_call)
    torchs_shapes, callers = (torch_call.x_shape, torch_call.w_shape, result), (*shapes, problem.shape)
    differ = torchs_shapes != callers
    finite = loader.finite(traits)
    return Whole(torch_call, run, callers, result, run_backward, rest, differ, finite, traits.itemsize)


def _backward_arguments(torch_call: Call) -> tuple[Any, ...]:
    if torch_call.transposed:
        strides, widths, extras, groups, dilations = torch_call.arguments
        return strides, widths, dilations, True, extras, groups
    strides, widths, dilations, groups = torch_call.arguments
    return strides, widths, dilations, False, (0,) * len(strides), groups


def _extends(axis: Axis) -> bool:
    """Whether an axis is extended by other samples than zeros."""
    return axis.boundary != "constant" and axis.leaves_data


def _is_torchs(spec: Spec, kernel: Permutation, torch_call: Call) -> bool:
    """Whether the caller's kernel has torch's axes and direction."""
    if spec.flip != torch_call.transposed or spec.conj:
        return False
    if not torch_call.transposed:
        return not kernel.reorders
    split = (spec.groups, spec.channels, spec.filters, *spec.kernel_size)
    return kernel.split == split and kernel.order == (0, 2, 1, *range(3, len(split)))


def costs(spec: Spec, traits: Traits) -> tuple[int, int]:
    """Return the expected nanoseconds of torch's result, and of both gradients by torch's backward."""
    forward = torch_conv.cost(spec, traits)
    if is_transposed(spec) and not makes_columns(spec, traits):  # both gradients are plain convolutions
        return forward, 4 * forward // 3
    return forward, 2 * forward + (_TRANSPOSED_NS if is_transposed(spec) else _BACKWARD_NS)
