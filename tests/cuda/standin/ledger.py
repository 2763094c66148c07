"""What the calls so far would have cost on a GPU: launches, bytes, transfers, memory."""

from collections import Counter


class Ledger:
    """A count of launches, of the bytes that they read and write, and of the memory allocated."""

    def __init__(self):
        self.live = 0  # bytes of arrays that exist
        self.reset()

    def reset(self):
        """Start counting anew; arrays that exist stay counted as memory."""
        self.launches = Counter()  # name -> number
        self.bytes = Counter()  # name -> read and written
        self.transfers = Counter()  # between host and device, by what is transferred
        self.peak = self.live

    def launch(self, name, read=0, written=0, times=1):
        """Count `times` launches that read and write so many bytes together."""
        self.launches[name] += times
        self.bytes[name] += read + written

    def allocate(self, nbytes):
        self.live += nbytes
        self.peak = max(self.peak, self.live)

    def free(self, nbytes):
        self.live -= nbytes

    @property
    def num_launches(self):
        return self.launches.total()

    def images(self, nbytes):
        """Return the bytes read and written as multiples of an image's."""
        return self.bytes.total() / nbytes


LEDGER = Ledger()
