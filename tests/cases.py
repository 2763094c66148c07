"""The case table: named problems of the one operation; the comment says what a row varies.

Adding a row tests it on every algorithm and every library.
"""

from dataclasses import dataclass

import numpy as np

from arrayconv._problem.spec import Axis, Spec


@dataclass(frozen=True)
class Case:
    name: str
    spec: Spec
    dtype: str = "float64"
    fill: complex = 0

    def operands(self, dtype=None):
        """Return x and w, the same for the same case and dtype: floats near 1, integers over their whole range."""
        dtype = np.dtype(dtype or self.dtype)
        return operands(self.spec, dtype, list(self.name.encode()))


def operands(spec, dtype, seed=7):
    """Return x and w of a spec, random numbers of any dtype."""
    random = np.random.default_rng(seed)
    return numbers(random, spec.input_shape, dtype), numbers(random, spec.kernel_shape, dtype)


def numbers(random, shape, dtype):
    """Return random numbers of any dtype."""
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return random.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    values = random.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * random.standard_normal(shape)
    return values.astype(dtype)


def spec(*axes, batch=1, groups=1, channels=1, filters=1, flip=False, conj=False):
    """Return a Spec with defaults for everything but its axes."""
    return Spec(batch, groups, channels, filters, tuple(axes), flip, conj)


def axis(size, taps, outputs=None, **options):
    """Return an Axis; by default every output whose window is inside."""
    bare = Axis(size, taps, 0, **options)
    if outputs is None:
        outputs = (bare.upsampled_size + 2 * bare.before - bare.reach) // bare.stride + 1
    return bare._replace(outputs=outputs)


CASES = [
    Case("one-sample", spec(axis(1, 1))),  # smallest there is
    Case("no-axes", spec(batch=2, groups=2, channels=3, filters=2)),  # a contraction without a convolution
    Case("valid-1d", spec(axis(9, 3))),  # no border
    Case("flip-1d", spec(axis(9, 4), flip=True)),  # convolution
    Case("full-1d", spec(axis(7, 3, before=2))),  # zeros on both sides
    Case("even-kernel", spec(axis(7, 4, 7, before=2), flip=True)),  # 'same' with an even kernel
    Case("asymmetric", spec(axis(7, 3, 6, before=2))),  # more before than after
    Case("cropped", spec(axis(9, 3, 3, before=-2))),  # negative offset: starts inside
    Case("beyond-the-start", spec(axis(4, 3, 4, before=9))),  # windows wholly outside x
    Case("beyond-the-end", spec(axis(4, 3, 5, before=-3))),  # and after its end
    Case("kernel-longer", spec(axis(3, 7, 9, before=6))),  # kernel longer than x
    Case("stride", spec(axis(11, 3, stride=3))),  # a remainder is left over
    Case("dilation", spec(axis(11, 3, dilation=3))),  # gaps between taps
    Case("stride-dilation", spec(axis(13, 3, 5, stride=2, dilation=2, before=1))),
    Case("upsample", spec(axis(5, 3, 11, upsample=2, before=2))),  # transposed convolution
    Case("upsample-shared-factor", spec(axis(5, 4, 7, upsample=4, stride=2, before=1))),  # fewer phases than u
    Case("upsample-dilation", spec(axis(4, 3, 9, upsample=2, dilation=2, before=3))),  # phases without taps
    Case("upsample-one-tap", spec(axis(4, 1, 10, upsample=3))),  # most outputs are zero
    Case("upsample-wrap", spec(axis(4, 5, 12, upsample=3, before=5, boundary="wrap"))),
    Case("edge", spec(axis(5, 3, 9, before=3, boundary="edge"))),
    Case("symmetric", spec(axis(5, 3, 9, before=3, boundary="symmetric"))),
    Case("reflect", spec(axis(5, 3, 9, before=3, boundary="reflect"))),
    Case("wrap", spec(axis(5, 3, 9, before=3, boundary="wrap"))),
    Case("circle", spec(axis(8, 3, 8, before=2, boundary="wrap"), flip=True)),  # no longer than once round
    Case(
        "circle-2d",
        spec(axis(6, 6, 3, before=2, stride=2, boundary="wrap"), axis(9, 3, 7, before=7, dilation=3, boundary="wrap")),
    ),
    Case("symmetric-wide", spec(axis(3, 4, 20, before=11, boundary="symmetric"))),  # wider than the data
    Case("reflect-wide", spec(axis(3, 4, 20, before=11, boundary="reflect"))),
    Case("wrap-wide", spec(axis(3, 4, 20, before=11, boundary="wrap"))),
    Case("reflect-one-sample", spec(axis(1, 3, 4, before=2, boundary="reflect"))),  # nothing to mirror
    Case("fill", spec(axis(5, 3, 9, before=3)), fill=2.5),  # constant other than zero
    Case("fill-upsample", spec(axis(4, 3, 11, before=3, upsample=2)), fill=2.5),  # extended, then upsampled
    Case("channels", spec(axis(7, 3, before=1), batch=2, channels=3, filters=2)),
    Case("filters", spec(axis(7, 3, before=1), filters=4)),  # a filter bank
    Case("groups", spec(axis(7, 3, before=1), batch=2, groups=3, channels=2, filters=2)),
    Case("depthwise", spec(axis(7, 3, before=1), groups=4)),
    Case("full-2d", spec(axis(5, 3, before=2), axis(6, 2, before=1), flip=True)),
    Case(
        "mixed-2d",
        spec(axis(5, 3, 5, before=1, boundary="wrap"), axis(6, 4, 4, before=2, boundary="reflect", stride=2)),
    ),
    Case("fill-and-edge-2d", spec(axis(4, 3, 6, before=2), axis(4, 3, 6, before=2, boundary="edge")), fill=-1.0),
    Case("channels-2d", spec(axis(5, 3, stride=2), axis(6, 3, dilation=2), batch=2, channels=2, filters=3)),
    Case("upsample-2d", spec(axis(3, 3, 6, upsample=2, before=1), axis(3, 2, 5, upsample=2), channels=2)),
    Case("3d", spec(axis(4, 2, 5, before=1), axis(3, 3, 3, before=1, boundary="symmetric"), axis(4, 2, stride=2))),
    Case("4d", spec(axis(3, 2), axis(2, 2, 3, before=1), axis(3, 1), axis(2, 2, 2, before=1, boundary="wrap"))),
    Case("complex", spec(axis(7, 3, before=2), channels=2), dtype="complex128"),
    Case("complex-conj-flip", spec(axis(7, 4, before=2), conj=True, flip=True), dtype="complex128"),
    Case("float32", spec(axis(9, 5, before=2), axis(8, 3)), dtype="float32"),
    Case("complex64", spec(axis(9, 5, before=2)), dtype="complex64"),
    Case("int8", spec(axis(9, 3, before=2), channels=2), dtype="int8"),  # wraps
    Case("uint8", spec(axis(9, 3, 9, before=1, boundary="reflect"), channels=2), dtype="uint8", fill=200),
    Case("uint16-fill", spec(axis(9, 3, before=2)), dtype="uint16", fill=65535),
    Case("int32", spec(axis(9, 3, before=2), axis(5, 2), channels=2), dtype="int32"),
    Case("uint32", spec(axis(9, 3, before=2)), dtype="uint32"),
    Case("int64", spec(axis(9, 5, before=2), channels=2, filters=2), dtype="int64"),  # whole range: four limbs
    Case("uint64", spec(axis(9, 5, before=2)), dtype="uint64"),
]
