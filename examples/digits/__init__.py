"""The network and the picture of the script 13_digits.py."""
