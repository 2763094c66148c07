"""Which rows of the tables become tests: every combination, or fewer where calls take long."""

from itertools import product


def crossed(columns, backend, few=1):
    """Names, rows and ids for pytest's parametrize from (name, values) columns.

    Where calls take long, only every `few`-th row of a property that other tests of the same rows show is used.

    Rows of data are tuples that begin with their id. A column called 'dtypes' holds (dtype, dtype) pairs, or rows of
    them under an id; those that the device lacks are left out.
    """
    names = [name for name, _ in columns]
    values = [[value for value in values if _exists(name, value, backend)] for name, values in columns]
    rows = spread(values)[::few] if backend is not None and backend.few else list(product(*values))
    ids = ["-".join(map(_id, row)) for row in rows]
    return ",".join(names), rows if len(names) > 1 else [row[0] for row in rows], ids


def spread(columns):
    """As many rows as the longest column has, in which every value of every column occurs."""
    longest = max(map(len, columns))
    return [tuple(column[(i + i // len(column)) % len(column)] for column in columns) for i in range(longest)]


def _exists(name, value, backend):
    if name != "dtypes" or backend is None:
        return True
    return all(backend.has(dtype) for dtype in value if dtype is not None)


def _id(value):
    if isinstance(value, tuple):
        named = isinstance(value[0], str) and any(not isinstance(entry, (str, type(None))) for entry in value)
        return value[0] if named else "_".join(str(entry) for entry in value if entry is not None)
    return str(value)
