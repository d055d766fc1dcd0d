"""``schooltrial completion``: commands and files are completed by the shell."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from types import ModuleType

HELP = 'Print completion for a shell: eval "$(schooltrial completion bash)".'

BASH = """_schooltrial() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{commands}" -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$options" -- "$word") $(compgen -f -- "$word"))
}}
complete -o filenames -F _schooltrial schooltrial
"""
ZSH = "autoload -Uz compinit bashcompinit\ncompinit\nbashcompinit\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    parser.add_argument("shell", choices=["bash", "zsh"])


def run(args: argparse.Namespace) -> int:
    """Print the lines that the shell is to read; zsh reads those of bash."""
    found = options(args.commands)
    cases = "\n".join(f'    {name}) local options="{" ".join(its)}" ;;'
                      for name, its in found.items())  # fmt: skip
    print((ZSH if args.shell == "zsh" else "") + BASH.format(commands=" ".join(found), cases=cases))
    return 0


def options(commands: Sequence[ModuleType]) -> dict[str, list[str]]:
    """Return command → its options, in the order of the help."""
    found: dict[str, list[str]] = {}
    for command in commands:
        one = argparse.ArgumentParser()
        command.add_arguments(one)
        name = command.__name__.rsplit(".", 1)[1]
        found[name] = sorted(set(one._option_string_actions) - {"-h"})
    return found
