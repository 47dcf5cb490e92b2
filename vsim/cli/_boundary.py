"""The single error boundary: every exception becomes a message, a hint and an exit code.

0 done · 1 a stated threshold was missed · 2 bad usage or bad input · 3 the host lacks something · 4 a bug ·
130 interrupted. A traceback reaches the user with ``--debug`` only; a bug leaves it in a crash file.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING

import click

from vsim.errors import InputError, VsimError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vsim.errors import Place

EXIT_BUG = 4
EXIT_INTERRUPTED = 130


def run(cli: click.Command, arguments: Sequence[str] | None) -> int:
    """Run `cli` with `arguments` (default: those of the process) and return the exit code. Never raises."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in args
    # `kill` should clean up just as Ctrl-C does.
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = cli.main(args, prog_name="vsim", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return 2
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`vsim … | head`): not an error. Nothing more can be written, not even at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except VsimError as error:
        if debug:
            traceback.print_exc()
        _show(error)
        return error.exit_code
    except RecursionError:
        _say("error: the input is nested too deeply")
        return InputError.exit_code
    except Exception:
        return _crash(args, debug)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code if isinstance(code, int) else 0


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def _show(error: VsimError) -> None:
    place = error.place if isinstance(error, InputError) else None
    prefix = click.style("error:", fg="red", bold=True)
    _say(f"{place}: {prefix} {error.message}" if place else f"{prefix} {error.message}")
    if place is not None and place.text is not None:
        _show_line(place)
    if error.hint:
        _say(f"{click.style('hint:', fg='cyan', bold=True)} {error.hint}")


def _show_line(place: Place) -> None:
    """Print the line with a caret under the column; a long line is cut to the part around the caret."""
    assert place.text is not None
    column = (place.column or 1) - 1
    line = place.text.rstrip("\r\n")
    start = max(0, column - 60)
    # Tabs and control characters would move the caret away from its column, or the cursor elsewhere.
    shown = "".join(c if c.isprintable() else " " for c in line[start : start + 100])
    number = str(place.line or "")
    _say(f"  {number} | {shown}")
    if place.column is not None:
        _say(f"  {' ' * len(number)} | {' ' * (column - start)}{click.style('^', fg='red', bold=True)}")


def _crash(args: list[str], debug: bool) -> int:
    """Write the traceback to a crash file, tell where it is, and return the exit code of a bug."""
    import tempfile

    from vsim import __version__

    text = traceback.format_exc()
    if debug:
        _say(text)
        return EXIT_BUG
    with tempfile.NamedTemporaryFile("w", prefix="vsim-crash-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(f"vsim {__version__}, Python {sys.version}\narguments: {args!r}\n\n{text}")
    _say(f"error: this is a bug in vsim ({text.strip().splitlines()[-1]})")
    _say(f"hint: the details are in {file.name}; please report it with that file")
    return EXIT_BUG
