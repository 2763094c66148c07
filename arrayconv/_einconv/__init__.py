"""Labelled calls, for `einconv` and for `explain`: from a pattern and sizes to the one operation.

All of it is text and integers. The public functions are in `einconv` and `convolution`.
"""
