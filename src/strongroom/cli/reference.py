"""`docs/reference/command-line.md`, written from the commands themselves (`make docs`)."""

from collections.abc import Iterator

import click

_HEAD = """\
# Command line

Written from the commands themselves by `make docs`; change the texts there. Exit status: 0 done, 1 the answer is no (a
doubt found by `check`, access denied in `explain`), 2 it could not be done, with one line on standard error that says
why.
"""


def reference(group: click.Group, name: str) -> str:
    """The page for `group`, called `name`."""
    parts = [_HEAD]
    for path, command in _commands(group, name):
        arguments = [each for each in command.params if isinstance(each, click.Argument)]
        usage = " ".join([path, *(each.make_metavar(click.Context(command)) for each in arguments)])
        parts.append(f"## `{usage}`\n\n{_text(command.help)}\n")
        rows = [_row(option) for option in command.params if isinstance(option, click.Option)]
        if rows:
            parts.append("\n".join(["| option | meaning |", "| --- | --- |", *rows]) + "\n")
    return "\n".join(parts)


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name in sorted(group.commands):
        command = group.commands[name]
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


def _row(option: click.Option) -> str:
    metavar = "" if option.is_flag else f" {option.metavar or 'VALUE'}"
    default = ""
    if option.show_default:
        shown = option.show_default if isinstance(option.show_default, str) else option.default
        default = f" Default: {shown}."
    required = " Required." if option.required else ""
    names = ", ".join(f"`{name}{metavar}`" for name in option.opts)
    return f"| {names} | {_text(option.help)}{required}{default} |"


def _text(help_text: str | None) -> str:
    paragraphs = (help_text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("|", "\\|")


if __name__ == "__main__":
    from strongroom.cli.main import cli

    click.echo(reference(cli, "strongroom"), nl=False)
