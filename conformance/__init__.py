"""The conformance suite: see README.md. Its modules import each other relatively, so that it runs in a wheel too."""
