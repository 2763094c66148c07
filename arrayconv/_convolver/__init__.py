"""What a `Convolver` is made of: its kernel, passes along one axis each, and what it keeps between calls."""
