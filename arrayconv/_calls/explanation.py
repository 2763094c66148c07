"""A plan as data to inspect and as a table to read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np

from arrayconv import _accel, config
from arrayconv._arrays.dtype_names import requested_dtype_name
from arrayconv._arrays.dtypes import itemsize
from arrayconv._arrays.operands import operands, traits_like
from arrayconv._arrays.traits import ON_CARDS, Traits, traits_on_card
from arrayconv._autodiff import adjoint
from arrayconv._calls import around
from arrayconv._calls.around import Arrays
from arrayconv._costs import cost_table, gpu
from arrayconv._costs.cards import DEFAULT_CARD
from arrayconv._errors import shown, suggestion
from arrayconv._plan.plan import Plan, plan_bilinear
from arrayconv._plan.rank import Candidate
from arrayconv._problem.axes import integer
from arrayconv._problem.boundary import reads_samples
from arrayconv._problem.spec import Spec

Shape = tuple[int, ...]


class Labelling(NamedTuple):
    """The roles of the labels of a labelled call, and how its arrays are permuted to the one operation's shapes."""

    pattern: str = ""
    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sizes: tuple[tuple[str, Shape], ...] = ()
    moves: tuple[tuple[str, Shape, Shape, str], ...] = ()


UNLABELLED = Labelling()
Gradients = tuple[tuple[str, "Explanation"], ...]


class Pass(NamedTuple):
    """One convolution of a call that is several: along which axes of x, by how many taps, and how."""

    axis: int | Shape | None  # several where one kernel runs along them; None where the call names none
    taps: int
    method: str
    cost_ns: int
    workspace: int
    explanation: Explanation


@dataclass(frozen=True)
class Explanation:
    """What a call would do, without running it.

    Attributes
    ----------
    method : str
        The algorithm that would run; 'passes' or 'separable' for a call of several convolutions, '' for one of none.
    candidates : tuple of Candidate
        Every algorithm: ``name``, ``cost_ns`` (predicted), ``workspace`` (bytes of one piece), ``refusal`` (or None),
        ``measured_ns`` (None if it was not run). Empty for a call of several convolutions: each pass has its own.
    output_shape : tuple of int
        Shape of the result.
    dtype, accumulator : str
        Dtype of the result, and dtype of the sums.
    backend, device : str
        Library and kind of device.
    steps : int
        Pieces the problem is cut into: phases of an upsampled axis, border slabs, blocks.
    workspace : int
        Bytes allocated beyond the operands and the result, by formula; of passes those of the one that needs most,
        without the arrays between them.
    cost_ns : int
        Predicted nanoseconds of a repeated call: of all convolutions, and of what is around them.
    overhead_ns : int
        The latter: Python, and array operations of the function's own.
    macs : int
        Multiply-adds of the definition.
    lowering : str
        The call as the one operation: counts, sizes, stride, dilation, offsets, boundaries.
    costs : str
        Source of the measured constants: 'shipped table', or the user's file and its date.
    measured : bool
        Whether methods were run and timed.
    pattern : str
        The pattern of a labelled call; '' for others, whose three fields below are empty too.
    roles : tuple of (role, labels)
        Roles of the labels: 'batch', 'groups', 'channels' (summed), 'filters', 'convolved', 'summed away'.
    sizes : tuple of (label, sizes)
        One size per label, three for a convolved one: of x, the kernel and the output.
    moves : tuple of (array, shape, shape, way)
        How x and the kernel are permuted to (batch, groups, channels, ...) and (groups, filters, channels, ...), and
        the output from (batch, groups, filters, ...): 'as it is', as a view, a transposed view, or a copy.
    passes : tuple of Pass
        The convolutions of a call that is several, in the order in which they run: ``axis``, ``taps``, ``method``,
        ``cost_ns``, ``workspace``, ``explanation``. Empty for a call of one.
    gradients : tuple of (operand, Explanation)
        The gradients of 'x' and of the 'kernel', where they were requested.
    remarks : tuple of str
        What the function decided before it planned.
    """

    method: str
    candidates: tuple[Candidate, ...]
    output_shape: tuple[int, ...]
    dtype: str
    accumulator: str
    backend: str
    device: str
    steps: int
    workspace: int
    macs: int
    lowering: str
    costs: str
    measured: bool = False
    pattern: str = ""
    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sizes: tuple[tuple[str, Shape], ...] = ()
    moves: tuple[tuple[str, Shape, Shape, str], ...] = ()
    cost_ns: int = 0
    overhead_ns: int = 0
    passes: tuple[Pass, ...] = ()
    gradients: Gradients = ()
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [
            self.lowering,
            *self._labelling(),
            f"  on {self.backend}/{self.device}, {self.dtype} (accumulated in {self.accumulator}), "
            f"{self.macs} multiply-adds, {self.steps} step{'s' * (self.steps != 1)}, "
            f"{_bytes(self.workspace)} of workspace",
            f"  costs: {self.costs}",
            f"  est {duration(self.cost_ns)} for a repeated call, {duration(self.overhead_ns)} of it not to convolve",
            *(f"  remark: {text}" for text in self.remarks),
            *self._rows(),
        ]
        for name, gradient in self.gradients:
            lines.append(f"gradient of {name}")
            lines += [f"  {line}" for line in str(gradient).splitlines()]
        return "\n".join(lines)

    def _rows(self) -> list[str]:
        """Return a line per candidate, or per pass."""
        lines = [_pass_row(number, step) for number, step in enumerate(self.passes)] if not self.candidates else []
        for row in self.candidates:
            if row.refusal is not None:
                lines.append(f"  refused  {row.name:<13} {row.refusal}")
            else:
                word = "chosen" if row.name == self.method else "slower"
                if word == "slower" and row.cost_ns < self.cost_ns - self.overhead_ns:
                    word = "unused"  # faster, but another method was requested
                time = self._measured_time(row)
                lines.append(
                    f"  {word}   {row.name:<13} est {duration(row.cost_ns):>9}   {time}{_bytes(row.workspace):>9}"
                )
        if self.measured and any(row.refusal is None and row.measured_ns is None for row in self.candidates):
            lines.append("  not run: predicted to take over 3 s, or the time for measuring was up")
        return lines

    def _labelling(self) -> list[str]:
        """Return the lines on the roles of the labels."""
        if not self.pattern:
            return []
        sizes = dict(self.sizes)
        lines = [f"  {self.pattern}"]
        for role, labels in self.roles:
            if labels:
                lines.append(f"    {role:<11}  {', '.join(_sized(label, sizes[label]) for label in labels)}")
        return lines + [f"    {name:<11}  {before} -> {after}: {way}" for name, before, after, way in self.moves]

    def _measured_time(self, row: Candidate) -> str:
        """Return the column of measured times, '' if none were requested."""
        if not self.measured:
            return ""
        return f"took {'not run' if row.measured_ns is None else duration(row.measured_ns):>9}   "


def explanation(
    plan: Plan,
    shape: Shape,
    labels: Labelling = UNLABELLED,
    measured: tuple[Candidate, ...] | None = None,
    gradients: Gradients = (),
    overhead_ns: int = 0,
) -> Explanation:
    """Return the explanation of a plan, with the result's shape, the roles of labels, and measured candidates."""
    spec, traits = plan.spec, plan.traits
    return Explanation(
        method=plan.method,
        candidates=plan.candidates if measured is None else measured,
        output_shape=shape,
        dtype=traits.output,
        accumulator=traits.accumulator,
        backend=traits.library,
        device=traits.device,
        steps=plan.partition.num_pieces,
        workspace=plan.candidate.workspace,
        macs=spec.macs,
        lowering=_lowering(spec),
        costs=_source(traits),
        measured=measured is not None,
        pattern=labels.pattern,
        roles=labels.roles,
        sizes=labels.sizes,
        moves=labels.moves,
        cost_ns=plan.candidate.cost_ns + overhead_ns,
        overhead_ns=overhead_ns,
        gradients=gradients,
    )


def gradients(
    function: str,
    plan: Plan,
    fill: complex,
    shapes: tuple[Shape, Shape],
    arrays: Arrays = Arrays(),  # noqa: B008, immutable
) -> Gradients:
    """Describe the plans of both gradients of a planned convolution whose operands have these shapes.

    `arrays` are operations around the convolution and its gradient.
    """
    if plan.traits.exact:
        raise TypeError(
            f"{function}: integers have no derivative. Got a result of dtype {plan.traits.output}. Cast to a float, or "
            f"leave derivatives=False."
        )
    task = adjoint.bilinear_task(plan.task, fill)
    of_x, of_kernel = plan_bilinear(adjoint.task_of_x(task)), plan_bilinear(adjoint.task_of_kernel(task))
    casts = around.gradient_ns(plan.traits, _casts(plan)) + around.arrays_ns(plan.traits, arrays)
    folds = around.arrays_ns(plan.traits, _folds(plan)) if casts else 0
    return (
        ("x", explanation(of_x, shapes[0], overhead_ns=casts + folds)),
        ("kernel", explanation(of_kernel, shapes[1], overhead_ns=casts)),
    )


def _casts(plan: Plan) -> Arrays:
    """Return the casts of x, y and their gradients, where sums are formed in another dtype; XLA joins them."""
    spec, traits = plan.spec, plan.traits
    if traits.accumulator == traits.output or traits.traced:
        return Arrays()
    return Arrays(4, 2 * (itemsize(traits.output) + traits.itemsize) * spec.outputs)


def _folds(plan: Plan) -> Arrays:
    """Return the copies that fold the gradient of x from extended axes onto its samples."""
    spec = plan.spec
    folded = [axis for axis in spec.axes if axis.leaves_data and reads_samples(axis.boundary)]
    return Arrays(4 * len(folded), len(folded) * plan.traits.itemsize * prod(spec.input_shape))


def by_method(described: Explanation, candidate: Candidate) -> Explanation:
    """Return the explanation of a convolution that another method than the plan's runs."""
    return replace(
        described,
        method=candidate.name,
        candidates=(candidate, *described.candidates),
        steps=1,
        workspace=candidate.workspace,
        cost_ns=candidate.cost_ns,
    )


def pass_of(taps: int, axis: int | Shape | None, described: Explanation) -> Pass:
    """Return a pass, described."""
    return Pass(axis, taps, described.method, described.cost_ns, described.workspace, described)


def chain(
    function: str, shape: Shape, dtype: str, traits: Traits, passes: tuple[Pass, ...], overhead_ns: int
) -> Explanation:
    """Describe a call of several convolutions, or of none, whose result has the given shape and dtype."""
    each = [step.explanation for step in passes]
    count = f"{len(passes)} pass{'es' * (len(passes) != 1)}" if passes else "nothing is convolved"
    return Explanation(
        method="passes" if passes else "",
        candidates=(),
        output_shape=shape,
        dtype=dtype,
        accumulator=each[-1].accumulator if each else traits.accumulator,
        backend=traits.library,
        device=traits.device,
        steps=sum(step.steps for step in each),
        workspace=max((step.workspace for step in each), default=0),
        macs=sum(step.macs for step in each),
        lowering=f"{function} -> {_times(shape)}: {count}",
        costs=_source(traits),
        cost_ns=sum(step.cost_ns for step in each) + overhead_ns,
        overhead_ns=overhead_ns,
        passes=passes,
    )


def call_inputs(
    function: str, x: Any, kernel: Any, dtype: Any, like: Any, card: str | None = None
) -> tuple[tuple[Shape, Shape], Traits]:
    """Return the shapes of both operands, which are arrays or shapes, and the traits of a call on them."""
    shapes = shape_argument(function, "x_or_shape", x), shape_argument(function, "kernel_or_shape", kernel)
    if card is None:
        traits = _traits(function, x, kernel, dtype, like)
    else:
        traits = _on_card(function, (x, kernel), dtype, like, card)
    _accel.probe(traits, config.current().accelerators)
    return shapes, traits


def _on_card(function: str, operands: tuple[Any, Any], dtype: Any, like: Any, card: Any) -> Traits:
    """Return the traits of a call on arrays of these shapes on a GPU by its name."""
    if any(not _is_shape(value) for value in operands):
        raise TypeError(f"{function}: `card` is for shapes, and arrays are on their own device. Got card={card!r}.")
    library = "cupy" if like is None else like
    if not isinstance(library, str) or library not in ON_CARDS:
        raise ValueError(f"{function}: `like` must be of {', '.join(ON_CARDS)} with `card`. Got {shown(like)}.")
    if not isinstance(card, str) or gpu.row(card) is None:
        cards = cost_table.ceilings()
        meant = suggestion(card, cards) if isinstance(card, str) else ""
        raise ValueError(f"{function}: `card` must be of {', '.join(cards)}. Got {shown(card)}.{meant}")
    name = "float64" if dtype is None else requested_dtype_name(function, dtype)
    return traits_on_card(library, name, card)


def _is_shape(value: Any) -> bool:
    return isinstance(value, (tuple, int, np.integer))


def _traits(function: str, x: Any, kernel: Any, dtype: Any, like: Any) -> Traits:
    arrays = [value for value in (x, kernel) if not _is_shape(value)]
    if len(arrays) == 2:
        return operands(function, x, kernel, dtype).traits
    if not arrays or like is not None:
        return traits_like(function, like, dtype)
    argument = "kernel_or_shape" if arrays[0] is kernel else "x_or_shape"
    return traits_like(function, arrays[0], dtype, argument)


def shape_argument(function: str, argument: str, value: Any) -> Shape:
    """Return the shape of an array or list, or that given by an int or a tuple of ints."""
    if _is_shape(value):
        shape = tuple(integer(function, argument, entry) for entry in (value if isinstance(value, tuple) else (value,)))
        if any(size < 0 for size in shape):
            raise ValueError(f"{function}: `{argument}` must have sizes of at least 0. Got {shape}.")
        return shape
    if isinstance(value, list):
        return tuple(np.shape(value))
    if not hasattr(value, "shape"):
        raise TypeError(f"{function}: `{argument}` must be an array, an int or a tuple of ints. Got {shown(value)}.")
    return tuple(value.shape)


def _source(traits: Traits) -> str:
    """Return the source of the constants; of a GPU also the card whose ceilings they are."""
    source = cost_table.active_table().source
    if not traits.on_gpu:
        return source
    name = traits.card or "an unknown card"
    return f"{source}, {name}" if gpu.row(traits.card) else f"{source}, {name} as {DEFAULT_CARD}"


def _lowering(spec: Spec) -> str:
    counts = f"batch {spec.batch}, groups {spec.groups}, channels {spec.channels}, filters {spec.filters}"
    parts = [f"{len(spec.axes)}-d  x {_times(spec.input_size)} * kernel {_times(spec.kernel_size)}"]
    parts[0] += (
        f" -> {_times(spec.output_size)}  ({counts}){', kernel flipped' * spec.flip}{', conjugated' * spec.conj}"
    )
    for number, axis in enumerate(spec.axes):
        lo, hi = axis.span(0, axis.outputs)
        outside = (max(0, -lo), max(0, hi - axis.upsampled_size))
        facts = [f"stride {axis.stride}"] * (axis.stride > 1) + [f"dilation {axis.dilation}"] * (axis.dilation > 1)
        facts += [f"upsample {axis.upsample}"] * (axis.upsample > 1)
        facts += [f"reads {outside[0]} before and {outside[1]} after by {axis.boundary}"] * any(outside)
        if facts:
            parts.append(f"  axis {number}: {', '.join(facts)}")
    return "\n".join(parts)


def _sized(label: str, sizes: Shape) -> str:
    if len(sizes) == 1:
        return f"{label}={sizes[0]}"
    return f"{label} {sizes[0]} * {sizes[1]} -> {sizes[2]}"


def _times(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes)) or "scalar"


def _pass_row(number: int, step: Pass) -> str:
    axes = "" if step.axis is None else f"axis {step.axis}" if isinstance(step.axis, int) else f"axes {step.axis}"
    numbers = f"est {duration(step.cost_ns):>9}   {_bytes(step.workspace):>9}"
    facts = ", ".join(filter(None, (axes, f"{step.taps} taps")))
    return f"  pass {number + 1:<2}  {step.method:<13} {numbers}   {facts}"


def _bytes(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.3g} {unit}"
        count /= 1024  # pyright: ignore[reportAssignmentType]
    return f"{count:.3g} GiB"


def duration(nanoseconds: int) -> str:
    """Return a time with its unit, to three digits."""
    for limit, unit in ((10**3, "ns"), (10**6, "us"), (10**9, "ms")):
        if nanoseconds < limit:
            return f"{nanoseconds * 1000 / limit:.3g} {unit}"
    return f"{nanoseconds / 10**9:.3g} s"
