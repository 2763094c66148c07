"""What the front door `ndimage` is made of: arguments, result dtypes, and filters as passes of the one operation."""
