"""The command line: one module per command. The only place that prints, reads flags or exits.

The modules of the commands are imported when a command is called: ``vsim --help`` costs little more than
importing click. What a module of a command has to offer is one :class:`click.Command` named ``command``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

# name -> one line of help; the command itself is `command` in the module vsim.cli.NAME
COMMANDS: Mapping[str, str] = {
    "simulate": "Compare architectures on a workload.",
    "page": "Write a comparison as one HTML page with sliders.",
    "up": "Say how an application comes up, service by service.",
    "layout": "Say what runs where, what shares what, and who reaches whom.",
    "size": "Find how many of which machines meet stated goals.",
    "image": "Look at the layers of images, and at what pulling them takes.",
    "build-model": "Say which steps of a Dockerfile run again after a change.",
    "bench": "Measure this host, rung by rung.",
    "calibrate": "Turn what was measured on a host into a profile of it.",
    "validate": "Predict runs that were measured, and say how far off that is.",
    "samples": "Join the samples of many hosts.",
    "report": "Draw figures, or judge what people say, from results and samples.",
    "show": "Print what made a figure, and make it again.",
    "doctor": "Say what this host can measure, and what would spoil it.",
    "clean": "Remove whatever an interrupted bench left behind.",
    "lecture": "Pack a lecture: slides, notes, figures and numbers.",
    "explain": "Say where a parameter or a result comes from.",
    "schema": "Print the JSON Schema of a file format.",
}


class _LazyGroup(click.Group):
    """A group that knows the names and the help of its commands before it loads any of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"vsim.cli.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if close:
                raise click.UsageError(f"{error.message} Did you mean {close[0]!r}?", ctx) from None
            raise


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vsim", prog_name="vsim")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Simulate and measure bare metal, blades, virtual machines and containers."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code that the design gives to the outcome."""
    from vsim.cli._boundary import run

    raise SystemExit(run(cli, arguments))
