"""How a template is scored at every position: its correlation, sums over windows, and what is too flat to be scored.

The public function and its documentation are in `matching`. Convolutions are the core's bound calls.
"""
