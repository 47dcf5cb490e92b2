"""Variables in a Dockerfile, by the examples of the Dockerfile reference and the tests of BuildKit's shell lexer."""

from __future__ import annotations

import contextlib
import time

import pytest

from vsim.scenario.dockerfile.words import Bad, expand, shown, split_quoted

VARIABLES = {"HOME": "/home/me", "EMPTY": "", "VERSION": "v1.2.3", "PATHS": "a/b/c", "x": "X"}


@pytest.mark.parametrize(
    ("word", "becomes"),
    [
        ("hello", "hello"),
        ("he'llo'", "hello"),
        ('he"llo"', "hello"),
        ("he\\'llo", "he'llo"),
        ("'he\\'", "he\\"),
        ('"a\\"b"', 'a"b'),
        ('"a\\b"', "a\\b"),
        ("$HOME", "/home/me"),
        ("${HOME}", "/home/me"),
        ("'$HOME'", "$HOME"),
        ('"$HOME"', "/home/me"),
        ("\\$HOME", "$HOME"),
        ("$HOME/x", "/home/me/x"),
        ("a$", "a$"),
        ("$.", "$."),
        ("$NONE.", "."),
        ("${NONE:-def}", "def"),
        ("${NONE:-$HOME}", "/home/me"),
        ("${NONE:-${NONE:-x}}", "x"),
        ("${EMPTY:-def}", "def"),
        ("${EMPTY-def}", ""),
        ("${NONE-def}", "def"),
        ("${HOME:+set}", "set"),
        ("${EMPTY:+set}", ""),
        ("${EMPTY+set}", "set"),
        ("${NONE+set}", ""),
        ("${HOME:?no}", "/home/me"),
        ("${EMPTY?no}", ""),
        # Dockerfile reference: ${variable#pattern}, ${variable%pattern}, ${variable/pattern/replacement}
        ("${VERSION#v}", "1.2.3"),
        ("${VERSION%.*}", "v1.2"),
        ("${VERSION%%.*}", "v1"),
        ("${PATHS#*/}", "b/c"),
        ("${PATHS##*/}", "c"),
        ("${PATHS/b/X}", "a/X/c"),
        ("${PATHS//\\//-}", "a-b-c"),
        ("${VERSION/?/X}", "X1.2.3"),
        ("${NONE#v}", ""),
        ("1${x}2", "1X2"),
        ("$1", ""),
    ],
)
def test_words_become_what_a_builder_makes_of_them(word: str, becomes: str) -> None:
    assert expand(word, VARIABLES, "\\") == becomes


def test_the_escape_character_can_be_another_one() -> None:
    assert expand("`$HOME\\x", VARIABLES, "`") == "$HOME\\x"


def test_what_is_not_set_is_told() -> None:
    missing: list[str] = []
    expand("$NONE ${OTHER:-x} ${HOME}", VARIABLES, "\\", unset=missing.append)
    assert missing == ["NONE"]


@pytest.mark.parametrize(
    ("word", "message", "at"),
    [
        ("a'b", "this quote isn't closed", 1),
        ('a"b$HOME', "this quote isn't closed", 1),
        ("x${HOME", "`}` is missing", 1),
        ("${HOME:-a", "`}` is missing", 8),
        ("${}", "a variable's name is missing", 0),
        ("${:-x}", "a variable's name is missing", 0),
        ("${HOME!x}", "'${HOME!' is not a substitution", 0),
        ("${HOME:}", "'${HOME:}' is not a substitution", 0),
        ("${NONE:?give it}", "NONE: give it", 0),
        ("${EMPTY:?}", "EMPTY: it has to be set", 0),
        ("${PATHS/b}", "`/` is missing", 0),
    ],
)
def test_what_cannot_be_read_is_refused(word: str, message: str, at: int) -> None:
    with pytest.raises(Bad) as caught:
        expand(word, VARIABLES, "\\")
    assert message in str(caught.value)
    assert caught.value.at == at
    assert caught.value.hint


def test_words_are_split_outside_quotes() -> None:
    assert split_quoted("a 'b c'  d\\ e", "\\") == [(0, "a"), (2, "'b c'"), (9, "d\\ e")]
    assert split_quoted('x="1 2" y', "\\") == [(0, 'x="1 2"'), (8, "y")]


@pytest.mark.parametrize(
    "word",
    [
        "${A:-" * 5000 + "}" * 5000,
        "$BIG" * 1000,
        "${BIG//*a*b*c*/x}",
        "${BIG%%*a*a*a*a*a*a*a*a*b}",
    ],
)
def test_hostile_words_end_soon(word: str) -> None:
    begin = time.process_time()
    with contextlib.suppress(Bad):
        expand(word, {"BIG": "a" * 20_000}, "\\")
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("command", "becomes"),
    [
        ("make $VERSION", "make v1.2.3"),
        ("make ${VERSION} $NONE ${NONE}", "make v1.2.3 $NONE ${NONE}"),
        ("echo '$VERSION' \"$VERSION\"", "echo '$VERSION' \"v1.2.3\""),
        ("echo 'open", "echo 'open"),
    ],
)
def test_commands_as_buildkit_shows_them(command: str, becomes: str) -> None:
    assert shown(command, VARIABLES, "\\") == becomes
