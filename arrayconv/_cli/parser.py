"""The parser of the command line: its refusals are one sentence, and name what was probably meant."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from arrayconv._cli.options import must_be_of
from arrayconv._errors import suggestion


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence that ends with a pointer to --help."""

    def error(self, message: str) -> NoReturn:
        """Print a message of argparse's or ours, and leave with status 2."""
        self.exit(2, f"{self.prog}: {message}{'' if message.endswith('?') else '.'} See {self.prog} --help.\n")

    def refuse_unknown(self, words: Sequence[str]) -> None:
        """Leave with status 2 if there are words that no argument took, such as a misspelt option."""
        for word in words:
            if word.startswith("-"):
                name = word.partition("=")[0]
                options = [option for option in self._option_string_actions if option.startswith("--")]
                self.error(f"there is no option {name}.{suggestion(name, options)}".removesuffix("."))
        if words:
            self.error(f"it takes no argument {words[0]!r}")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Raise ArgumentError if a value is not among the choices: argparse's own names no close one before 3.14."""
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, must_be_of(value, action.choices))
