"""A filter along one axis of x as a bound call, for functions that combine several."""

from __future__ import annotations

from typing import Any, NamedTuple

from arrayconv._arrays.dtype_names import dtype_name
from arrayconv._calls import binding, dry_run, prepare
from arrayconv._calls.binding import BoundCall
from arrayconv._calls.prepare import Options
from arrayconv._problem.axes import check_positions
from arrayconv._problem.problem import Problem, paired
from arrayconv._problem.spec import Axis
from arrayconv._runtime.capacity import check_result
from arrayconv._runtime.tracing import planning
from arrayconv._signal.arrays import Form, Pair, Rule, typed

Shape = tuple[int, ...]

_CAST_CALLS = 12  # of array functions, beside the cast
_OPTIONS = Options(accuracy="componentwise")


class BoundLine(NamedTuple):
    """A filter along one axis, bound."""

    call: BoundCall
    form: Form
    label: int

    def __call__(self, x: Any, taps: Any) -> Any:
        y = self.form.result(self.call(*self.form.operands(x, taps)))
        if dry_run.is_active():
            dry_run.note_axes((self.label,))
            self._note_cast(x)
        return y

    def _note_cast(self, x: Any) -> None:
        """Note that x is cast where it is summed in another dtype: the call then runs on arrays, not at addresses.

        The cast is part of its extension, in memory of earlier calls, so that its bytes take next to nothing.
        """
        if dtype_name(x.dtype) != self.call.operands.traits.accumulator:
            dry_run.note_arrays(_CAST_CALLS, 0)


def bind(
    function: str, inputs: Pair, rule: Rule, label: int, axis: Axis, *, flip: bool = True, options: Options = _OPTIONS
) -> BoundLine:
    """Bind a filter of x with taps along the axis `label`; without `flip` the taps are not reversed.

    The taps have one axis, or as many as x: then those that are not filtered broadcast.
    """
    check_positions(function, axis)
    shape = inputs.shapes[0]
    check_result(function, (*shape[:label], axis.outputs, *shape[label + 1 :]), axis.outputs, 4, "Filter fewer samples")
    core = typed(function, inputs, rule)
    prepare.check_fill(function, options.fill_value, core.operands.traits, "cval")
    problem = _problem(function, *inputs.shapes, label, axis, flip)
    return BoundLine(binding.cached_call(function, core.operands, problem, options), core.form, label)


@planning()
def _problem(function: str, x_shape: Shape, taps_shape: Shape, label: int, axis: Axis, flip: bool) -> Problem:
    labels = (label,) if len(taps_shape) == 1 else tuple(range(len(x_shape)))
    return paired(function, x_shape, taps_shape, labels, {label: axis}, flip=flip)
