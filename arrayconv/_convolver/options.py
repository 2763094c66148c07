"""The options of a `Convolver`: what does not depend on x is checked when it is built."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from arrayconv._arrays.dtype_names import requested_dtype_name
from arrayconv._calls import prepare
from arrayconv._convolver.kernel import FUNCTION
from arrayconv._errors import check_option, flag, shown
from arrayconv._problem import positional
from arrayconv._problem.axes import MODES, boundary_per_axis, is_sequence, lag_windows, positive_per_axis
from arrayconv._problem.positional import Geometry


class Options(NamedTuple):
    """The keywords of `Convolver`, as given."""

    mode: Any = None
    correlate: Any = False
    axes: Any = None
    boundary: Any = "constant"
    fill_value: Any = 0
    stride: Any = 1
    dilation: Any = 1
    lags: Any = None
    separable: Any = "auto"
    method: Any = "auto"
    accuracy: Any = "normwise"
    dtype: Any = None
    max_workspace: Any = None

    def __str__(self) -> str:
        changed = ((name, value) for name, value in self._asdict().items() if value != self._field_defaults[name])
        return "".join(f", {name}={value!r}" for name, value in changed)


def parse_separable(value: Any) -> Any:
    """Return 'auto' or a bool, or raise ValueError."""
    if isinstance(value, str) and value == "auto":
        return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ValueError(f"{FUNCTION}: `separable` must be one of 'auto', True, False. Got {shown(value)}.")


def parse_options(keywords: Options, kernel_ndim: int) -> tuple[Geometry, prepare.Options]:
    """Return the options as every call takes them; raises what is wrong with them whatever x is."""
    if keywords.lags is not None and not keywords.correlate:
        raise ValueError(
            f"{FUNCTION}: `lags` are those of a correlation. Got lags={keywords.lags!r}. Add correlate=True."
        )
    numbers = (keywords.mode, keywords.axes, keywords.boundary, keywords.stride, keywords.dilation, keywords.lags)
    geometry = positional.correlated(FUNCTION, *numbers)._replace(
        correlates=flag(FUNCTION, "correlate", keywords.correlate)
    )
    check_option(FUNCTION, "mode", geometry.mode, MODES)
    count = kernel_ndim if geometry.axes is None else len(geometry.axes) if is_sequence(geometry.axes) else 1
    positive_per_axis(FUNCTION, "stride", geometry.stride, count)
    positive_per_axis(FUNCTION, "dilation", geometry.dilation, count)
    boundary_per_axis(FUNCTION, geometry.boundary, count)
    if geometry.lags is not None:
        lag_windows(FUNCTION, geometry.lags, count)
    if keywords.dtype is not None:
        requested_dtype_name(FUNCTION, keywords.dtype)
    return geometry, prepare.options(
        FUNCTION, keywords.method, keywords.accuracy, keywords.max_workspace, keywords.fill_value
    )


def rebuilt(cls: Any, origin: Any, from_factors: bool, options: dict[str, Any]) -> Any:
    """Return a Convolver again, from a copy or a pickle."""
    if not from_factors:
        return cls(origin, **options)
    return cls.from_factors(origin, **{name: value for name, value in options.items() if name != "separable"})
