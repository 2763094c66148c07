"""The command line: ``python -m arrayconv COMMAND``.

Exit status: 0 for success, 1 if a command ran and a check failed, 2 if it could not run. Errors are one sentence on
stderr.
`conformance` has one status more, 6: no test ran.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import arrayconv
from arrayconv._cli import backends, conformance, demo, explain, filter, tune
from arrayconv._cli.console import CommandError
from arrayconv._cli.options import Command
from arrayconv._cli.parser import Parser

COMMANDS: tuple[Command, ...] = (
    demo.COMMAND,
    backends.COMMAND,
    filter.COMMAND,
    explain.COMMAND,
    tune.COMMAND,
    conformance.COMMAND,
)

_DESCRIPTION = """\
Convolution for every Python array library.

Start with `python -m arrayconv demo`: edges and a large blur of a photograph on every library
installed here, compared with SciPy, timed, and drawn as a picture."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the program's name; by default those of this process.
    """
    parser = _parser()
    try:
        arguments, unknown = parser.parse_known_args(argv)
        getattr(arguments, "parser", parser).refuse_unknown(unknown)
    except SystemExit as stop:  # argparse has already printed its message
        return stop.code if isinstance(stop.code, int) else 2
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        return arguments.run(arguments)
    except (CommandError, ValueError, TypeError, NotImplementedError, OSError) as error:
        print(f"{parser.prog} {arguments.command}: {_sentence(error, arguments.command)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _sentence(error: Exception, command: str) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error).removeprefix(f"{command}: ")  # the errors of `explain` already name it


def _parser() -> Parser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = Parser(prog="arrayconv", description=_DESCRIPTION, formatter_class=layout)
    parser.add_argument("--version", action="version", version=f"arrayconv {arrayconv.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in COMMANDS:
        subparser = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            epilog=command.epilog,
            formatter_class=layout,
        )
        command.arguments(subparser)
        subparser.set_defaults(run=command.run, parser=subparser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
