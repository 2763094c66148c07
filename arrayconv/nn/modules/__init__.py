"""torch.nn's convolution layers, computed by arrayconv: parameters, initialisation and state dicts are torch's own.

``from arrayconv.nn import modules as nn`` and ``nn.Conv2d(3, 8, 5)``: each class is a subclass of torch.nn's of that
name and takes its arguments in its order, so a state dict of either loads into the other. Keyword-only after torch's:

* `boundary`: how the input is extended, in `numpy.pad`'s names, one or one per axis, in place of `padding_mode`.
* `fill_value`: the constant of boundary 'constant'.
* `method`, `accuracy`, `max_workspace`: how it is computed.

`padding` is whatever `arrayconv.nn.conv2d` takes: 'same' with any stride, 'full', pairs. `padding_mode` may also be
'symmetric', or one name per axis, and extends by any number of samples. A transposed convolution has no boundary: its
input is extended by zeros. This module imports torch; `arrayconv.nn` does not.
"""

from __future__ import annotations

from arrayconv.nn.modules.convolutions import Conv1d, Conv2d, Conv3d
from arrayconv.nn.modules.transposed import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]
