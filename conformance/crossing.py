"""Which rows of the tables become tests: every combination, or fewer where calls take long."""

from itertools import product

import pytest


def crossed(columns, backend, few=1):
    """Names, rows and ids for pytest's parametrize from (name, values) columns.

    Where calls take long, only every `few`-th row of a property that other tests of the same rows show is used.

    Rows of data are tuples that begin with their id. A column called 'dtypes' holds (dtype, dtype) pairs, or rows of
    them under an id; rows with one that the device lacks are skipped with that reason.
    """
    names = [name for name, _ in columns]
    rows = list(_selected([values for _, values in columns], names, backend, few))
    ids = ["-".join(map(_id, row)) for row in rows]
    marks = [_marks(names, row, backend) for row in rows]
    parameters = [
        pytest.param(*row, marks=mark) if mark else (row if len(names) > 1 else row[0])
        for row, mark in zip(rows, marks, strict=True)
    ]
    return ",".join(names), parameters, ids


def combinations(columns):
    """How many rows every combination would be."""
    count = 1
    for _, values in columns:
        count *= len(values)
    return count


def _selected(columns, names, backend, few):
    """The rows of the tables that are tests; of dtypes that the device lacks, one each where few rows run."""
    if backend is None or not backend.few:
        return product(*columns)
    existing = [[v for v in values if not _missing(n, v, backend)] for n, values in zip(names, columns, strict=True)]
    if not all(existing):
        return spread(columns)
    rows = spread(existing)[::few]
    if backend.most is not None:
        rows = rows[:: -(-len(rows) // backend.most)]
    lacking = [[v for v in values if _missing(n, v, backend)] for n, values in zip(names, columns, strict=True)]
    return rows + [
        tuple(value if i == j else column[0] for j, column in enumerate(existing))
        for i, values in enumerate(lacking)
        for value in values
    ]


def spread(columns):
    """As many rows as the longest column has, in which every value of every column occurs."""
    longest = max(map(len, columns))
    return [tuple(column[(i + i // len(column)) % len(column)] for column in columns) for i in range(longest)]


def _marks(names, row, backend):
    missing = sorted(
        {dtype for name, value in zip(names, row, strict=True) for dtype in _missing(name, value, backend)}
    )
    if not missing:
        return ()
    return (pytest.mark.skip(reason=f"{backend.name} has no {', '.join(missing)} on {backend.device_name}"),)


def _missing(name, value, backend):
    """The dtypes of a row that the device lacks."""
    if name != "dtypes" or backend is None:
        return []
    return [dtype for dtype in value if dtype is not None and not backend.has(dtype)]


def _id(value):
    if isinstance(value, tuple):
        named = isinstance(value[0], str) and any(not isinstance(entry, (str, type(None))) for entry in value)
        return value[0] if named else "_".join(str(entry) for entry in value if entry is not None)
    return str(value)
