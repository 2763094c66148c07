"""Developers' tools beside the tests.

gpu_check  checks a machine with a GPU: python -m tools.gpu_check --out DIR
parity     runs SciPy's own tests on our functions: python tools/parity.py
parts      runs the parts of `make test` and sums them up
"""
