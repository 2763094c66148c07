"""User settings: which accelerators are allowed, how many threads, how much memory a plan may use, cache sizes.

Settings apply to the context (thread or asynchronous task) that set them. Switching an accelerator off, or changing the
number of threads, changes the speed and the last bits of a result, never its correctness.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from arrayconv._errors import shown, suggestion
from arrayconv._problem.axes import integer, is_iterable
from arrayconv._runtime import caches

__all__ = [
    "ACCELERATORS",
    "DEFAULT_WORKSPACE",
    "SHARE_OF_GPU",
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
    "numpy": "numpy.convolve for short NumPy arrays; torch CPU tensors computed as NumPy arrays, without a copy",
    "native": "the package's own compiled loops for NumPy and JAX arrays, where its build found a C compiler",
    "torch": "torch's convolution and transforms for tensors; its convolution for NumPy arrays, once it is imported",
    "jax": "XLA's convolution for JAX arrays",
    "cuda": "the package's own CUDA kernels for CuPy arrays and torch tensors, compiled by NVRTC when first used",
    "xla_ffi": "the package's own compiled loops for JAX arrays on CPUs, called by XLA",
}
_REMOVED = {"numba": "native"}  # accelerators of earlier versions -> their successors
DEFAULT_WORKSPACE = 1 << 30  # bytes: a soft limit on a plan's workspace, unless a call or `using` sets another
SHARE_OF_GPU = 8  # on a GPU that limit is its memory over this: a constant of the card, so that choices do not vary


class Settings(NamedTuple):
    """The settings of a context; hashable, part of every plan's cache key.

    Attributes
    ----------
    accelerators : frozenset of str
        Names in `ACCELERATORS` that are allowed.
    max_workspace : int
        Bytes a plan may allocate beyond its inputs and output.
    threads : int or None
        Threads of loops and transforms; None for one per core that this process may use.
    capped : bool
        Whether the user set `max_workspace`: only then is it a hard limit.
    dry_run : bool
        Whether calls are planned and noted, and nothing is computed: what `arrayconv.explain` does.

    Examples
    --------
    >>> import arrayconv
    >>> with arrayconv.config.using(threads=1):
    ...     arrayconv.config.current().threads
    1
    """

    accelerators: frozenset[str] = frozenset(ACCELERATORS)
    max_workspace: int = DEFAULT_WORKSPACE
    threads: int | None = None
    capped: bool = False
    dry_run: bool = False


_settings: ContextVar[Settings] = ContextVar("arrayconv.config", default=Settings())


def current() -> Settings:
    """Return the settings of this context.

    Examples
    --------
    >>> import arrayconv
    >>> with arrayconv.config.using(max_workspace=1000):
    ...     arrayconv.config.current().max_workspace
    1000
    """
    return _settings.get()


@contextmanager
def using(
    *,
    accelerators: frozenset[str] | set[str] | None = None,
    max_workspace: int | None = None,
    threads: int | None = None,
) -> Generator[None]:
    """Change settings inside a ``with`` block; None leaves a setting unchanged.

    Parameters
    ----------
    accelerators : set of str, optional
        Names in `ACCELERATORS` that are allowed; with the empty set only standard-only code runs.
    max_workspace : int, optional
        Bytes a plan may allocate beyond its inputs and output, unless the call sets its own limit: the problem is cut
        into pieces that fit, or refused. Without any limit, plans stay within `DEFAULT_WORKSPACE`, on a GPU within its
        memory over `SHARE_OF_GPU`, if some method can, and exceed it otherwise; to lift that, pass a number larger than
        any memory, such as ``sys.maxsize``.
    threads : int, optional
        How many threads this package's loops and its transforms on NumPy arrays may use, the calling one included.
        Loops on tensors run on torch's threads where they can; the others wait for the next loop for half a
        millisecond without sleeping. It never exceeds the number of cores this process may use, which is the default.
        The threads of NumPy's matrix products and of other libraries are set by their own means.

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
    settings = current()
    if accelerators is not None:
        settings = settings._replace(accelerators=_allowed(accelerators))
    if max_workspace is not None:
        settings = settings._replace(max_workspace=_positive("max_workspace", max_workspace, "1 byte"), capped=True)
    if threads is not None:
        settings = settings._replace(threads=_positive("threads", threads, "1"))
    token = _settings.set(settings)
    try:
        yield
    finally:
        _settings.reset(token)


def _allowed(accelerators: Any) -> frozenset[str]:
    """Return a frozenset of accelerator names; raises for a single string, which is no set of letters."""
    names = None if isinstance(accelerators, (str, bytes)) or not is_iterable(accelerators) else list(accelerators)
    if names is None or any(not isinstance(name, str) for name in names):
        raise TypeError(f"using: `accelerators` must be a set of names. Got {shown(accelerators)}.")
    unknown = sorted(set(names) - set(ACCELERATORS))
    if unknown:
        way_out = "".join(f" {old!r} was removed: use {new!r}." for old, new in _REMOVED.items() if old in unknown)
        way_out = way_out or next(filter(None, (suggestion(name, ACCELERATORS) for name in unknown)), "")
        raise ValueError(f"using: `accelerators` must be among {sorted(ACCELERATORS)}. Got {unknown}.{way_out}")
    return frozenset(names)


class CacheInfo(NamedTuple):
    """Bytes that are cached between calls, roughly, by kind, and the limit on their sum.

    Attributes
    ----------
    calls : int
        Bound calls: the same call on other arrays needs no planning.
    plans : int
        Plans and parts of plans, and the tables that compiled loops read.
    constants : int
        What methods prepared from the kernels of all `Convolver` objects: spectra, factors.
    scratch : int
        Scratch memory of all threads.
    limit : int
        What `cache_limit` set.
    total : int
        The sum of the first four.

    Examples
    --------
    >>> import arrayconv
    >>> info = arrayconv.config.cache_info()
    >>> info.total == info.calls + info.plans + info.constants + info.scratch
    True
    """

    calls: int
    plans: int
    constants: int
    scratch: int
    limit: int

    @property
    def total(self) -> int:
        """The sum of all kinds."""
        return self.calls + self.plans + self.constants + self.scratch


def cache_info() -> CacheInfo:
    """Return how many bytes this process caches between calls.

    Programs that JAX or torch compiled belong to them and are not counted: `jax.clear_caches` frees JAX's.

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
    """Drop everything cached between calls: later calls are planned again, with the same results.

    Examples
    --------
    >>> import arrayconv
    >>> y = arrayconv.convolve([1.0, 2.0], [1.0, 1.0])
    >>> arrayconv.config.cache_clear()
    >>> arrayconv.config.cache_info().calls
    0
    """
    caches.clear()


def cache_limit(size: int) -> None:
    """Set how many bytes this process may cache between calls (256 MiB by default), and enforce it at once.

    The oldest entries are evicted first, from the largest cache. The newest entry stays, even if it alone exceeds the
    limit: a `Convolver`'s spectrum of a large image, for example.

    Parameters
    ----------
    size : int
        Bytes; 0 caches almost nothing.

    Raises
    ------
    ValueError
        If `size` is negative.
    TypeError
        If `size` is not an integer.

    Examples
    --------
    >>> import arrayconv
    >>> limit = arrayconv.config.cache_info().limit
    >>> arrayconv.config.cache_limit(64 << 20)
    >>> arrayconv.config.cache_info().limit
    67108864
    >>> arrayconv.config.cache_limit(limit)
    """
    size = integer("cache_limit", "size", size)
    if size < 0:
        raise ValueError(f"cache_limit: `size` must be at least 0 bytes. Got {size}.")
    caches.set_limit(size)


def _positive(argument: str, value: Any, least: str) -> int:
    """Return an integer of at least 1, as int."""
    count = integer("using", argument, value)
    if count < 1:
        raise ValueError(f"using: `{argument}` must be at least {least}. Got {count}.")
    return count
