"""What a user may set: which accelerators are allowed, how many threads, and how much memory a plan may take.

Settings belong to the context (thread or asynchronous task) that set them. An accelerator turned off, or another number
of threads, changes the speed and the last bits of a result, never its correctness.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from arrayconv._errors import shown
from arrayconv._problem.axes import integer, is_iterable
from arrayconv._runtime import caches
from arrayconv._runtime.tracing import record

__all__ = [
    "ACCELERATORS",
    "DEFAULT_WORKSPACE",
    "CacheInfo",
    "Settings",
    "cache_clear",
    "cache_info",
    "cache_limit",
    "current",
    "using",
]

ACCELERATORS = {
    "scipy": "SciPy's transforms for NumPy arrays",
    "ducc0": "ducc0's transforms for NumPy arrays",
    "numpy": "numpy.convolve for short NumPy arrays; torch's tensors of the CPU computed as NumPy arrays in place",
    "native": "the package's own compiled loops for NumPy and JAX arrays, where its build found a C compiler",
    "torch": "torch's convolution and transforms for its tensors, the former for NumPy arrays too once it is imported",
    "jax": "XLA's convolution for JAX arrays",
    "xla_ffi": "the package's own compiled loops for JAX arrays on CPUs, called by XLA",
}
_GONE = {"numba": "native"}  # names of earlier versions, and what serves in their place
DEFAULT_WORKSPACE = 1 << 30  # bytes: a plan keeps to them where it can, unless a call or `using` says more or less


@record
class Settings(NamedTuple):
    """The settings in force; hashable, part of every plan's key."""

    accelerators: frozenset[str] = frozenset(ACCELERATORS)
    max_workspace: int = DEFAULT_WORKSPACE
    threads: int | None = None  # None for as many as this process may use cores
    capped: bool = False  # whether somebody asked for this max_workspace: only then it is a reason to refuse
    dry_run: bool = False  # whether calls are planned and noted, and nothing is computed: `arrayconv.explain`


_settings: ContextVar[Settings] = ContextVar("arrayconv.config", default=Settings())


def current() -> Settings:
    """Return the settings of this context."""
    return _settings.get()


@contextmanager
def using(
    *,
    accelerators: frozenset[str] | set[str] | None = None,
    max_workspace: int | None = None,
    threads: int | None = None,
) -> Generator[None]:
    """Change settings inside a ``with`` block; what is None stays as it was.

    Parameters
    ----------
    accelerators : set of str, optional
        The allowed ones among `ACCELERATORS`; the empty set leaves the standard-only code.
    max_workspace : int, optional
        Bytes a plan may allocate beyond its inputs and output, where a call does not say: it is cut into pieces that
        fit, or refused. Where nobody says, plans keep to `DEFAULT_WORKSPACE` if any method can, and exceed it
        otherwise; to lift that, pass a number that no machine has, such as ``sys.maxsize``.
    threads : int, optional
        How many threads this package's loops on NumPy and JAX arrays and its transforms on NumPy arrays may use, this
        one among them. There are never more than the process may use cores, so a large number means all of these, which
        is the default. What NumPy's matrix products and other libraries use is for them to set.

    Raises
    ------
    ValueError
        If an accelerator is unknown, or `max_workspace` or `threads` is below 1.
    TypeError
        If `max_workspace` or `threads` is not an integer.

    Examples
    --------
    >>> import arrayconv
    >>> with arrayconv.config.using(accelerators=set(), threads=1):
    ...     y = arrayconv.convolve([1.0, 2.0], [1.0, 1.0])
    """
    now = current()
    if accelerators is not None:
        now = now._replace(accelerators=_allowed(accelerators))
    if max_workspace is not None:
        now = now._replace(max_workspace=_counted("max_workspace", max_workspace, "1 byte"), capped=True)
    if threads is not None:
        now = now._replace(threads=_counted("threads", threads, "1"))
    token = _settings.set(now)
    try:
        yield
    finally:
        _settings.reset(token)


def _allowed(accelerators: Any) -> frozenset[str]:
    """Return a set of accelerators; a string is one name by mistake, not a set of letters."""
    names = None if isinstance(accelerators, (str, bytes)) or not is_iterable(accelerators) else list(accelerators)
    if names is None or any(not isinstance(name, str) for name in names):
        raise TypeError(f"using: `accelerators` must be a set of names. Got {shown(accelerators)}.")
    unknown = sorted(set(names) - set(ACCELERATORS))
    if unknown:
        way_out = "".join(f" {old!r} is gone: use {new!r}." for old, new in _GONE.items() if old in unknown)
        raise ValueError(f"using: `accelerators` must be among {sorted(ACCELERATORS)}. Got {unknown}.{way_out}")
    return frozenset(names)


class CacheInfo(NamedTuple):
    """Bytes that are kept between calls, roughly: by what they are for, and the most they may be together."""

    calls: int  # calls that were made before, so that the same on other arrays need no planning
    plans: int  # plans and parts of such, and the tables that compiled loops read
    constants: int  # what methods prepared of the kernels of all `Convolver`s: spectra, factors
    scratch: int  # memory for what does not outlive a call, of all threads
    limit: int

    @property
    def total(self) -> int:
        """All of them together."""
        return self.calls + self.plans + self.constants + self.scratch


def cache_info() -> CacheInfo:
    """Return what is kept between calls, in bytes, in this process.

    Programs that JAX or torch compiled are theirs, and not counted: `jax.clear_caches` frees JAX's.

    Examples
    --------
    >>> import arrayconv
    >>> y = arrayconv.convolve([1.0, 2.0], [1.0, 1.0])
    >>> info = arrayconv.config.cache_info()
    >>> 0 < info.total <= info.limit
    True
    """
    return CacheInfo(**caches.totals(), limit=caches.limit())


def cache_clear() -> None:
    """Forget what is kept between calls: later ones are planned again, with the same results."""
    caches.clear()


def cache_limit(size: int) -> None:
    """Set the most bytes that are kept between calls in this process, 256 MiB at first, and keep to it at once.

    What has been kept for longest goes first, of the kind that takes most. What was kept last stays, even where it
    alone takes more: a `Convolver`'s spectrum of a large image for one.

    Parameters
    ----------
    size : int
        Bytes; 0 keeps as good as nothing.

    Raises
    ------
    ValueError
        If `size` is negative.
    TypeError
        If `size` is not an integer.
    """
    size = integer("cache_limit", "size", size)
    if size < 0:
        raise ValueError(f"cache_limit: `size` must be at least 0 bytes. Got {size}.")
    caches.set_limit(size)


def _counted(argument: str, value: Any, least: str) -> int:
    """Return a whole number of at least 1, as int."""
    count = integer("using", argument, value)
    if count < 1:
        raise ValueError(f"using: `{argument}` must be at least {least}. Got {count}.")
    return count
