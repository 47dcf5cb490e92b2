"""The single error boundary: every exception becomes a message, a hint and an exit code.

0 done · 1 a stated threshold was missed · 2 bad usage or bad input · 3 the host lacks something · 4 a bug ·
130 interrupted. A traceback reaches the user with ``--debug`` only; a bug leaves it in a crash file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, TextIO

import click

from vsim.errors import HostError, InputError, VsimError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vsim.errors import Place

EXIT_BUG = 4
EXIT_INTERRUPTED = 130
# After how long an interrupt that was lost is sent again: longer than any finalizer takes, and not noticed by anybody.
_AGAIN_S = 0.05
# The disk (or the quota) behind standard output is full, or broken.
_CANT_WRITE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def run(cli: click.Command, arguments: Sequence[str] | None) -> int:
    """Run `cli` with `arguments` (default: those of the process) and return the exit code. Never raises."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_streams()
    try:
        # `kill` should clean up just as Ctrl-C does.
        signal.signal(signal.SIGTERM, _interrupt)
    except (ValueError, OSError):  # not the main thread: signals are somebody else's
        return _outcome(cli, args)
    with _interrupts_kept():
        return _outcome(cli, args)


def _outcome(cli: click.Command, args: list[str]) -> int:
    debug, stdout = "--debug" in args, sys.stdout
    try:
        code = cli.main(args, prog_name="vsim", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return InputError.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as error:
        # Click meets a broken pipe with wrapped streams and exit code 1. Otherwise shell completion ends here.
        return _reader_left() if sys.stdout is not stdout else int(error.code or 0)
    except VsimError as error:
        if debug:
            traceback.print_exc()
        _show(error)
        return error.exit_code
    except RecursionError:
        _say("error: the input is nested too deeply")
        return InputError.exit_code
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _CANT_WRITE:
            _show(HostError(f"can't write: {error.strerror}", hint="make room, or write elsewhere"))
            _silence(sys.stdout)
            return HostError.exit_code
        return _crash(args, debug)
    return code if isinstance(code, int) else 0


def _prepare_streams() -> None:
    """Make sure that there are streams to write to, and that a character that one of them lacks stops nothing."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller: `vsim … >&-`
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _reader_left() -> int:
    """Return the exit code for a reader that went away (`vsim … | head`): not an error."""
    _silence(sys.stdout)
    return 0


def _silence(stream: TextIO) -> None:
    """Let what is still to be written to `stream` go nowhere; Python would complain about it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Interrupt again where Python would forget an interrupt.

    A signal's handler runs between any two instructions of the main thread. In a finalizer, or in what is called when a
    weak reference dies, the exception that it raises is printed as "ignored", and the command would go on.
    """
    before = sys.unraisablehook

    def keep(lost: sys.UnraisableHookArgs) -> None:
        if isinstance(lost.exc_value, KeyboardInterrupt):
            # Not from here: it would be lost in the same place. SIGTERM, since a shell may have SIGINT ignored.
            main = threading.main_thread().ident
            again = threading.Timer(_AGAIN_S, signal.pthread_kill, [main, signal.SIGTERM])
            again.daemon = True
            again.start()
        else:
            before(lost)

    sys.unraisablehook = keep
    try:
        yield
    finally:
        sys.unraisablehook = before


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
    _say(f"error: this is a bug in vsim ({text.strip().splitlines()[-1]})")
    try:
        handle, name = tempfile.mkstemp(prefix="vsim-crash-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"vsim {__version__}, Python {sys.version}\narguments: {args!r}\n\n{text}")
    except OSError as error:
        _say(f"hint: no crash file could be written ({error.strerror}); `vsim --debug …` shows the details")
    else:
        _say(f"hint: the details are in {name}; please report it with that file")
    return EXIT_BUG
