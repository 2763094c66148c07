"""The problems whose memory is measured; the comment says what a row varies. Adding a row measures it everywhere."""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import arrayconv
from tests.cases import numbers

SLOW_NS = 8_000_000  # by the cost model: memory is measured where a method may well be used


@dataclass(frozen=True)
class Problem:
    name: str
    x: tuple[int, ...]
    kernel: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    kernel_dtype: str | None = None
    pattern: str | None = None  # of einconv; convolve where there is none
    non_finite: bool = False  # a NaN among the samples, and magnitudes that must be scaled

    def operands(self):
        """Return x and the kernel, the same for the same row."""
        random = np.random.default_rng(list(self.name.encode()))
        x = numbers(random, self.x, self.dtype)
        kernel = numbers(random, self.kernel, self.kernel_dtype or self.dtype)
        if self.non_finite:
            x = x * x.dtype.type(1e30)
            x[(0,) * x.ndim] = np.nan
        return x, kernel

    def call(self, x, kernel, **options):
        """Return what the row asks for, of arrays of any library."""
        if self.pattern is None:
            return arrayconv.convolve(x, kernel, **self.options, **options)
        return arrayconv.einconv(self.pattern, x, kernel, **self.options, **options)

    def explain(self, x, kernel, **options):
        """Return the plan of such a call."""
        return arrayconv.explain(x, kernel, pattern=self.pattern, **self.options, **options)

    def smallest(self, x, kernel, method):
        """Return the bytes below which a method refuses, as it says itself."""
        try:
            self.explain(x, kernel, method=method, max_workspace=1)
        except ValueError as refusal:
            return int(re.findall(r"needs (\d+) bytes", str(refusal))[-1])
        raise AssertionError(f"{method} runs {self.name} in 1 byte")

    def why_not(self, x, kernel, method):
        """Return why a method is not measured on this row, or None."""
        plan = self.explain(x, kernel)
        row = next(row for row in plan.candidates if row.name == method)
        if row.refusal is None and row.cost_ns > SLOW_NS:
            return f"it would take {row.cost_ns / 1e9:.2f} s by the cost model, above {SLOW_NS / 1e9}"
        return row.refusal


SAME = {"mode": "same"}
UPSAMPLED = {"upsample": 2, "padding": 2}
PROBLEMS = [
    Problem("signal", (600_000,), (65,), SAME),
    Problem("signal-long-kernel", (90_000,), (3_001,), {"mode": "full", "boundary": "wrap"}, "float64"),
    Problem("signal-few-outputs", (200_000,), (199_980,), {"mode": "valid"}),  # as of a kernel's gradient
    Problem("signal-strided", (300_000,), (31,), {"mode": "same", "stride": 300}),
    Problem("signal-steps", (150_000,), (33,), {"mode": "same", "stride": 3, "dilation": 5}, "complex64"),
    Problem("image", (500, 400), (7, 5), {"mode": "same", "boundary": "reflect"}),
    Problem("image-slabs", (900, 700), (5, 5), {"mode": "full", "boundary": "symmetric"}),  # too large to extend whole
    Problem("image-fill", (400, 300), (9, 9), {"mode": "full", "fill_value": 1.5}),
    Problem("image-integers", (300, 250), (9, 9), SAME, "int32"),
    Problem("image-long-integers", (200, 150), (7, 7), {"mode": "same", "boundary": "edge"}, "int64"),
    Problem("image-bytes", (400, 300), (5, 5), SAME, "uint8"),
    Problem("image-mixed", (400, 300), (7, 7), SAME, "int8", "float64"),  # x is cast
    Problem("image-half", (400, 300), (7, 7), SAME, "float16"),  # summed in float32
    Problem("image-complex", (300, 200), (7, 7), {"mode": "same", "boundary": "wrap"}, "complex128"),
    Problem("image-nan", (400, 300), (7, 7), SAME, non_finite=True),  # guarded, then restored
    Problem("image-nan-complex", (300, 200), (5, 5), SAME, "complex64", non_finite=True),
    Problem("image-large-kernel", (200, 200), (61, 61), {"mode": "same", "boundary": "reflect"}),
    Problem("image-strided", (600, 600), (9, 9), {"mode": "same", "stride": 20, "dilation": 2}),
    Problem("batch", (8, 150, 150), (5, 5), {"mode": "same", "axes": (1, 2)}),
    Problem("filters", (1, 100, 100), (8, 7, 7), {"mode": "same", "axes": (1, 2)}),
    Problem("depthwise", (24, 90, 90), (24, 5, 5), {"mode": "same", "axes": (1, 2)}),  # a kernel for every group
    Problem("volume", (40, 50, 60), (3, 3, 3), {"mode": "same", "boundary": "edge"}),
    Problem("volume-float64", (60, 70, 80), (3, 3, 3), {"mode": "full"}, "float64"),
    Problem("channels", (4, 8, 60, 60), (8, 8, 3, 3), pattern="b c h w, o c h w -> b o h w | h w"),
    Problem("channels-last", (4, 60, 60, 8), (3, 3, 8, 8), pattern="b h w c, h w c o -> b h w o | h w"),
    Problem("per-sample", (6, 4, 50, 50), (6, 4, 4, 5, 5), pattern="b c h w, b o c h w -> b o h w | h w"),
    Problem("transposed", (4, 4, 40, 40), (4, 4, 4, 4), UPSAMPLED, pattern="b c h w, o c h w -> b o h w | h w"),
    Problem("mostly-zeros", (4, 90, 90), (1, 1), {"upsample": 3}, pattern="b h w, h w -> b h w | h w"),
]
# Resident memory alone can be seen of other libraries, so the largest rows of each kind say what there is to say.
ELSEWHERE = ("signal", "signal-few-outputs", "image", "image-integers", "image-complex", "depthwise", "channels")
