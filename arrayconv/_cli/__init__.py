"""The commands of `python -m arrayconv`, one file each; never imported by `import arrayconv`.

A command is a `Command`: its help texts, its arguments, and ``run(arguments) -> exit status``. Optional packages
are imported inside the command that needs them, through `console.import_optional`.
"""
