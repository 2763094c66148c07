"""What users call instead of ours: `PEERS`, one row each; and the function that ours imitates.

A builder takes (row, arrays, hosts): arrays as {name: array of the library}, hosts as {name: NumPy array}. It returns
a Contender, or raises `Unsuitable` with the reason. A peer whose package can't be imported is left out.
"""

from importlib import import_module
from typing import NamedTuple

from benchmarks.peers import Unsuitable, require

__all__ = ["PEERS", "Peer", "Unsuitable", "build", "module", "of", "require"]


class Peer(NamedTuple):
    """A family of functions that compete on arrays of one library."""

    name: str
    library: str
    builder: str  # a function of the module of that library
    package: str  # the distribution whose version a report names
    imported: str = ""  # the module that must be importable
    is_imitated: bool = False


PEERS = (
    Peer("SciPy", "numpy", "scipy_function", "scipy", "scipy", is_imitated=True),
    Peer("astropy", "numpy", "astropy_means", "astropy", "astropy"),
    Peer("SciPy, chunks at once", "numpy", "scipy_at_once", "scipy", "scipy"),
    Peer("torch on views", "numpy", "torch_on_views", "torch", "torch"),
    Peer("NumPy", "numpy", "numpy_function", "numpy", "numpy"),
    Peer("OpenCV", "numpy", "opencv", "opencv-python-headless", "cv2"),
    Peer("scikit-image", "numpy", "scikit_image", "scikit-image", "skimage"),
    Peer("torch.nn", "torch", "torch_function", "torch", "torch", is_imitated=True),
    Peer("SciPy, SCIPY_ARRAY_API=1", "torch", "scipy_function", "scipy", "scipy", is_imitated=True),
    Peer("torch's convolutions", "torch", "convolutions", "torch", "torch"),
    Peer("kornia", "torch", "kornia", "kornia", "kornia"),
    Peer("torchaudio", "torch", "torchaudio", "torchaudio", "torchaudio"),
    Peer("SciPy, SCIPY_ARRAY_API=1", "jax", "scipy_function", "scipy", "scipy", is_imitated=True),
    Peer("jax.scipy.signal", "jax", "jax_signal", "jax", "jax"),
    Peer("jax.lax.conv", "jax", "convolutions", "jax", "jax"),
    Peer("dm-pix", "jax", "dm_pix", "dm-pix", "dm_pix"),
)


def of(library):
    """Return the peers of a library."""
    return [peer for peer in PEERS if peer.library == library]


def build(peer, row, arrays, hosts):
    """Return the contender of a peer for a row; Unsuitable if there is none."""
    try:
        import_module(peer.imported)
    except (ImportError, OSError) as error:  # a compiled part built for another version can't be loaded
        raise Unsuitable("it cannot be imported") from error
    builder = getattr(import_module(f"benchmarks.doors.peers.{peer.library}"), peer.builder)
    return builder(row, arrays, hosts)
