"""What the script 13_digits.py is made of, but for the training itself."""
