"""Words of a Dockerfile: quotes, escapes, and variables as its builder replaces them.

The rules are those of the Dockerfile reference, "Environment replacement"
(https://docs.docker.com/reference/dockerfile/#environment-replacement): ``$name`` and ``${name}`` with ``:-``, ``:+``,
``:?`` (and without the colon), ``#``, ``##``, ``%``, ``%%`` for prefixes and suffixes and ``/``, ``//`` to replace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vsim.scenario.dockerfile.patterns import BadPattern, Pattern

__all__ = ["Bad", "expand", "shown", "split_quoted"]

# What a variable may grow to: a hundred nested definitions would double it a hundred times.
_MOST = 65_536
_DEEPEST = 50
_SPECIAL = "@*#?-$!0"


class Bad(ValueError):  # noqa: N818 - reads as what it is: `raise Bad(...)`
    """What is wrong with a word; `at` is where in it, counted from 0."""

    def __init__(self, message: str, at: int = 0, hint: str | None = None) -> None:
        super().__init__(message)
        self.at = at
        self.hint = hint


def split_quoted(text: str, escape: str) -> list[tuple[int, str]]:
    """Return the words of `text`, quotes and escapes kept, with where each begins; a quote may hold spaces."""
    words: list[tuple[int, str]] = []
    begin: int | None = None
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        if begin is None:
            if char.isspace():
                at += 1
                continue
            begin = at
        if quote:
            if char == quote:
                quote = ""
            elif char == escape and quote != "'":
                at += 1
        elif char.isspace():
            words.append((begin, text[begin:at]))
            begin = None
        elif char in "'\"":
            quote = char
        elif char == escape:
            at += 1
        at += 1
    if begin is not None:
        words.append((begin, text[begin:]))
    return words


def expand(word: str, variables: Mapping[str, str], escape: str, *, unset: Callable[[str], None] | None = None) -> str:
    """Return `word` without its quotes and escapes, its variables replaced; one that isn't set is empty.

    `unset` is told the name of every variable that isn't set and has no default. Raises Bad for a quote or brace that
    isn't closed, an unknown kind of substitution, and a `${name:?message}` whose variable isn't set.
    """
    reader = _Reader(word, variables, escape, unset)
    return reader.until(None)


def shown(command: str, variables: Mapping[str, str], escape: str) -> str:
    """Return a command as BuildKit's output has it: variables that are set replaced, quotes kept.

    What can't be read as words is left as it is, as it is the shell's.
    """
    try:
        return _Reader(command, variables, escape, None, verbatim=True).until(None)
    except Bad:
        return command


class _Reader:
    def __init__(
        self,
        word: str,
        variables: Mapping[str, str],
        escape: str,
        unset: Callable[[str], None] | None,
        *,
        verbatim: bool = False,
    ) -> None:
        self._word = word
        self._at = 0
        self._variables = variables
        self._escape = escape
        self._unset = unset
        self._verbatim = verbatim  # quotes stay, and variables that aren't set
        self._depth = 0
        self._size = 0

    def until(self, stop: str | None, *, raw: bool = False) -> str:
        """Return what comes before `stop`, or all; `raw` keeps escapes, for a pattern."""
        begin = self._at
        parts: list[str] = []
        while self._at < len(self._word):
            char = self._word[self._at]
            if char == stop:
                self._at += 1
                return "".join(parts)
            if char == "'":
                parts.append(self._single())
            elif char == '"':
                parts.append(self._double())
            elif char == "$":
                parts.append(self._grown(self._dollar()))
            elif char == self._escape:
                self._at += 1
                if raw:
                    parts.append(char)
                parts.append(self._word[self._at : self._at + 1])
                self._at += 1
            else:
                parts.append(char)
                self._at += 1
        if stop is not None:
            raise Bad(f"`{stop}` is missing", begin, "a `${` ends with `}`")
        return "".join(parts)

    def _single(self) -> str:
        end = self._word.find("'", self._at + 1)
        if end < 0:
            raise Bad("this quote isn't closed", self._at, "add a `'`, or escape it")
        text = self._word[self._at + 1 : end]
        self._at = end + 1
        return f"'{text}'" if self._verbatim else text

    def _double(self) -> str:
        begin = self._at
        self._at += 1
        parts: list[str] = []
        while self._at < len(self._word):
            char = self._word[self._at]
            if char == '"':
                self._at += 1
                text = "".join(parts)
                return f'"{text}"' if self._verbatim else text
            if char == "$":
                parts.append(self._grown(self._dollar()))
                continue
            following = self._word[self._at + 1 : self._at + 2]
            if char == self._escape and following and following in f'"${self._escape}':
                self._at += 1
                char = following
            parts.append(char)
            self._at += 1
        raise Bad("this quote isn't closed", begin, 'add a `"`, or escape it')

    def _dollar(self) -> str:
        begin = self._at
        self._at += 1
        if self._word[self._at : self._at + 1] != "{":
            name = self._name()
            return self._value(name, f"${name}") if name else "$"
        self._at += 1
        name = self._name()
        if not name:
            raise Bad("a variable's name is missing", begin, "write `${NAME}`")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Bad("substitutions are nested too deeply", begin, "one default inside another is enough")
        value = self._braced(name, begin)
        self._depth -= 1
        return value

    def _braced(self, name: str, begin: int) -> str:
        kind = self._word[self._at : self._at + 1]
        self._at += 1
        if kind == "}":
            return self._value(name, f"${{{name}}}")
        given = self._variables.get(name)
        if kind == "/":
            return self._replaced(given or "", begin)
        if kind in ("#", "%") and kind:
            longest = self._word[self._at : self._at + 1] == kind
            self._at += longest
            pattern = Pattern.of_text(self.until("}", raw=True))
            return (pattern.without_prefix if kind == "#" else pattern.without_suffix)(given or "", longest=longest)
        missing = given is None
        if kind == ":":
            kind = self._word[self._at : self._at + 1]
            self._at += 1
            missing = not given
        if not kind:
            raise Bad("`}` is missing", begin, "a `${` ends with `}`")
        if kind not in "-+?":
            raise Bad(
                f"{self._word[begin : self._at]!r} is not a substitution that there is",
                begin,
                "there are ${NAME}, ${NAME:-default}, ${NAME:+set}, ${NAME:?message}, ${NAME#prefix}, ${NAME%suffix} "
                "and ${NAME/from/to}",
            )
        word = self.until("}")
        if kind == "-":
            return word if missing else given or ""
        if kind == "+":
            return "" if missing else word
        if missing:
            raise Bad(f"{name}: {word or 'it has to be set'}", begin, f"give it: --build-arg {name}=…")
        return given or ""

    def _replaced(self, value: str, begin: int) -> str:
        everywhere = self._word[self._at : self._at + 1] == "/"
        self._at += everywhere
        try:
            pattern = Pattern.of_text(self.until("/", raw=True))
        except Bad as bad:
            if bad.args[0] != "`/` is missing":
                raise
            raise Bad("`/` is missing", begin, "write ${NAME/from/to}") from None
        try:
            return pattern.replaced(value, self.until("}", raw=True), everywhere=everywhere)
        except BadPattern as bad:
            raise Bad(str(bad), begin, "use a shorter pattern, or a pattern without `*`") from None

    def _value(self, name: str, reference: str) -> str:
        value = self._variables.get(name)
        if value is None and self._verbatim:
            return reference
        if value is None:
            if self._unset is not None and name not in _SPECIAL and not name.isdigit():
                self._unset(name)
            return ""
        return value

    def _grown(self, text: str) -> str:
        self._size += len(text)
        if self._size > _MOST:
            raise Bad(f"the variables in it make more than {_MOST:,} characters", 0, "is a variable defined by itself?")
        return text

    def _name(self) -> str:
        begin = self._at
        char = self._word[begin : begin + 1]
        if char and char in _SPECIAL and not char.isdigit():
            self._at += 1
        elif char.isdigit():
            while self._word[self._at : self._at + 1].isdigit():
                self._at += 1
        else:
            while (char := self._word[self._at : self._at + 1]) and (char.isalnum() or char == "_"):
                self._at += 1
        return self._word[begin : self._at]
