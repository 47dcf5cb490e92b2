"""YAML 1.2 text to plain data, with the place of every key and value.

The events come from ruamel.yaml: from its C parser where that is installed (30 times as fast), else from the pure
Python one. What the scalars mean is decided here, by the core schema of YAML 1.2.2 (section 10.3), so that both
parsers give the same: ``22:22`` and ``no`` are strings.

Nothing here recurses over the input, and three limits keep a hostile file from costing more than a second or two: its
depth, its nodes, and its nodes after aliases are expanded.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from vsim.errors import InputError, Place

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_DEPTH", "MAX_NODES", "Node", "Text", "compose"]

MAX_DEPTH = 64
MAX_NODES = 30_000  # keys count as well
MAX_WORD = 1000  # the pure parser takes time in the square of the length of a tag
MAX_DIGITS = 300  # more than a float can hold; int() refuses 4,300 digits with an exception of its own

_CORE = "tag:yaml.org,2002:"
_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAYBE_NUMBER = frozenset("0123456789+-.")
_LONG_TAG = re.compile(rf"!\S{{{MAX_WORD}}}")
_UNPRINTABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Text:
    """A file's text, and where a character of it stands."""

    __slots__ = ("_starts", "file", "text")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._starts: list[int] | None = None

    def place(self, index: int) -> Place:
        """Return the place of the character at `index`, counted from 0; beyond the end is the end."""
        from bisect import bisect_right

        if self._starts is None:
            self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", self.text))]
        starts = self._starts
        index = min(max(index, 0), len(self.text))
        line = bisect_right(starts, index)
        # the end of a file that ends with a newline is the end of its last line, not a line that isn't there
        if line > 1 and starts[line - 1] == len(self.text):
            line -= 1
        start = starts[line - 1]
        end = starts[line] if line < len(starts) else len(self.text)
        shown = self.text[start:end].rstrip("\r\n")
        return Place(self.file, line, min(index - start, len(shown)) + 1, shown)

    def error(self, index: int, message: str, hint: str | None = None) -> InputError:
        """Return the error to raise about the character at `index`."""
        return InputError(message, place=self.place(index), hint=hint)


class Node:
    """A value and where it starts; the parts of a mapping or a list as nodes of their own.

    `size` counts the nodes in it with aliases expanded; `tag` is the local tag that it has, if such are allowed.
    """

    __slots__ = ("children", "index", "keys", "size", "tag", "value")

    def __init__(self, index: int, value: Any, children: dict[Any, Node] | None = None) -> None:
        self.index = index
        self.value = value
        self.children = children  # by key or position
        self.keys: dict[str, int] | None = None  # where the keys of a mapping start
        self.size = 1
        self.tag: str | None = None


def compose(source: Text, tags: Collection[str] = ()) -> Node:
    """Return the only document in `source`, in which values may have the local `tags` (``!reset``).

    Raises InputError with its place for whatever is wrong with it.
    """
    unprintable = _UNPRINTABLE.search(source.text)
    if unprintable:
        code = ord(unprintable.group())
        hint = "is this a binary file?" if code == 0 else "remove it, or write it as an escape in double quotes"
        raise source.error(unprintable.start(), f"the character U+{code:04X} is not allowed in YAML", hint)
    long_tag = _LONG_TAG.search(source.text)
    if long_tag:
        raise source.error(
            long_tag.start(), f"a word of more than {MAX_WORD:,} characters follows the `!`", "shorten it"
        )
    return _Composer(source, tags).run()


def _events(text: str) -> Iterator[Any]:
    """Yield the parser's events: from the C parser if there is one."""
    try:
        from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined,unused-ignore]
    except (ImportError, ValueError):
        from ruamel.yaml import YAML

        yield from YAML(typ="safe", pure=True).parse(text)
        return
    parser = CParser(text)
    while parser.check_event():
        yield parser.get_event()


class _Open:
    """A mapping or a list whose end is still to come."""

    __slots__ = ("anchor", "key", "merges", "node")

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: tuple[str, int, bool] | None = None  # the key that waits for its value, where, and if it merges
        self.merges: list[tuple[int, Node]] = []


class _Composer:
    def __init__(self, source: Text, tags: Collection[str]) -> None:
        self.source = source
        self.tags = tags
        self.anchors: dict[str, Node | None] = {}  # None: not complete yet
        self.open: list[_Open] = []
        self.root: Node | None = None
        self.nodes = 0

    def run(self) -> Node:
        from ruamel.yaml import events
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        handlers: dict[type, Callable[[Any], None]] = {
            events.ScalarEvent: self.scalar,
            events.AliasEvent: self.alias,
            events.MappingStartEvent: self.start_mapping,
            events.SequenceStartEvent: self.start_list,
            events.MappingEndEvent: self.end,
            events.SequenceEndEvent: self.end,
            events.DocumentStartEvent: self.start_document,
        }
        try:
            for event in _events(self.source.text):
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        except MarkedYAMLError as error:
            raise self.syntax_error(error) from None
        except YAMLError as error:
            raise self.source.error(0, f"this is not YAML: {str(error).splitlines()[0]}", _ANY_SYNTAX_HINT) from None
        except InputError:
            raise
        except (ValueError, IndexError, AssertionError, AttributeError, TypeError, KeyError) as error:
            # The pure parser stumbles over some broken texts (a `%YAML` without a number, an unfinished escape).
            raise self.source.error(0, f"this is not YAML: {error}", _ANY_SYNTAX_HINT) from None
        if self.root is None:
            raise self.source.error(0, "the file is empty", "it has to hold a mapping of keys and values")
        return self.root

    # -- events --------------------------------------------------------------------------------------------------

    def start_document(self, event: Any) -> None:
        if self.root is not None:
            self.fail(event, "a second document starts here", "a file holds one document: remove the `---`")

    def scalar(self, event: Any) -> None:
        index = event.start_mark.index
        value = _resolve(self, event)
        if self.open and self.open[-1].node.keys is not None and self.open[-1].key is None:
            self.take_key(event, index, value)
            return
        node = Node(index, value)
        node.tag = event.tag if event.tag in self.tags else None
        self.add(node)
        if event.anchor:
            self.anchors[event.anchor] = node

    def alias(self, event: Any) -> None:
        index = event.start_mark.index
        name = event.anchor
        if name not in self.anchors:
            name = name[:40]
            self.fail(event, f"the alias *{name} has no anchor &{name} before it", f"write &{name} before the value")
        target = self.anchors[name]
        if target is None:
            self.fail(event, f"the alias *{name[:40]} stands inside the value that it names", "break the cycle")
        if self.open and self.open[-1].node.keys is not None and self.open[-1].key is None:
            self.take_key(event, index, target.value)
            return
        self.add(target, index)

    def start_mapping(self, event: Any) -> None:
        node = self.start(event, {}, "map")
        node.keys = {}

    def start_list(self, event: Any) -> None:
        self.start(event, [], "seq")

    def start(self, event: Any, value: Any, kind: str) -> Node:
        if self.open and self.open[-1].node.keys is not None and self.open[-1].key is None:
            self.fail(event, "a key can't be a list or a mapping", "a key is a plain word; quote it if it has [ or {")
        if len(self.open) == MAX_DEPTH:
            self.fail(event, f"this is nested more than {MAX_DEPTH} levels deep", "a valid file needs far fewer levels")
        tag = event.tag
        if tag and tag not in ("!", _CORE + kind) and tag not in self.tags:
            self.unknown_tag(event, tag)
        node = Node(event.start_mark.index, value, {})
        node.tag = tag if tag in self.tags else None
        if event.anchor:
            self.anchors[event.anchor] = None
        self.open.append(_Open(node, event.anchor))
        return node

    def end(self, event: Any) -> None:
        closed = self.open.pop()
        if closed.merges:
            self.merge(closed)
        self.add(closed.node)
        if closed.anchor:
            self.anchors[closed.anchor] = closed.node

    def count(self, index: int, nodes: int, expanded: bool = False) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            hint = "the aliases in it multiply it; write less" if expanded else "split it into several files"
            raise self.source.error(index, f"the file holds more than {MAX_NODES:,} keys and values", hint)

    # -- building ------------------------------------------------------------------------------------------------

    def take_key(self, event: Any, index: int, value: Any) -> None:
        self.count(index, 1)
        parent = self.open[-1]
        if not isinstance(value, str):
            shown = str(value).lower() if isinstance(value, bool) else "nothing" if value is None else str(value)[:40]
            self.fail(event, f"a key must be text, not {shown}", "put it in quotes")
        keys = parent.node.keys
        assert keys is not None
        merges = value == "<<" and not getattr(event, "style", None)
        if value in keys:
            first = self.source.place(keys[value])
            self.fail(
                event, f"the key {value[:60]!r} is there twice", f"the first one is in line {first.line}; remove one"
            )
        if not merges:
            keys[value] = index
        parent.key = (value, index, merges)

    def add(self, node: Node, index: int | None = None) -> None:
        """Put a complete node into what is open. `index` is where it stands when it is an alias."""
        self.count(node.index if index is None else index, 1 if index is None else node.size, index is not None)
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if index is not None:
            # same value, but an error in it is shown where the alias is used
            copy = Node(index, node.value, node.children)
            copy.keys, copy.size, copy.tag = node.keys, node.size, node.tag
            node = copy
        children = parent.node.children
        assert children is not None
        if parent.node.keys is None:
            children[len(parent.node.value)] = node
            parent.node.value.append(node.value)
        else:
            assert parent.key is not None
            key, key_index, merges = parent.key
            parent.key = None
            if merges:
                parent.merges.append((key_index, node))
            else:
                children[key] = node
                parent.node.value[key] = node.value
        parent.node.size += node.size

    def merge(self, closed: _Open) -> None:
        """Carry out `<<: *other`: keys that the mapping doesn't have itself come from the other ones, in order."""
        target = closed.node
        assert target.keys is not None
        assert target.children is not None
        for index, node in closed.merges:
            sources = list((node.children or {}).values()) if isinstance(node.value, list) else [node]
            for source in sources:
                if source.keys is None or source.children is None:
                    raise self.source.error(index, "`<<` merges mappings only", "give it an alias of a mapping")
                for key, child in source.children.items():
                    if key not in target.value:
                        target.value[key] = child.value
                        target.children[key] = child
                        target.keys[key] = source.keys[key]

    # -- errors --------------------------------------------------------------------------------------------------

    def fail(self, event: Any, message: str, hint: str | None = None) -> NoReturn:
        raise self.source.error(event.start_mark.index, message, hint)

    def unknown_tag(self, event: Any, tag: str) -> NoReturn:
        shown = tag.replace(_CORE, "!!")[:60]
        self.fail(event, f"the tag {shown} is not known here", "write plain values: text, numbers, lists and mappings")

    def syntax_error(self, error: Any) -> InputError:
        mark = error.problem_mark or error.context_mark
        index = mark.index if mark is not None else len(self.source.text)
        text = self.source.text
        line = self.source.place(index)
        before = (line.text or "")[: (line.column or 1) - 1]
        if text[index : index + 1] == "\t" or (before and not before.strip() and "\t" in before):
            return self.source.error(index, "a tab can't indent YAML", "use spaces")
        problem = " ".join(str(error.problem or error.context or "syntax error").split())
        hint = next((hint for part, hint in _SYNTAX_HINTS if part in problem), _ANY_SYNTAX_HINT)
        return self.source.error(index, f"this is not YAML: {problem[:200]}", hint)


_ANY_SYNTAX_HINT = "put a text in quotes if it has one of : # [ ] { } , & * ! | > ' \" % @ ` in it"
_SYNTAX_HINTS = (
    (
        "mapping values are not allowed",
        "is the line above indented rightly? quote a text that has a colon in it",
    ),
    ("<document start>", "a key needs a colon and a space after it, and the keys of a mapping the same column"),
    ("expected alphabetic", "`&` and `*` start an anchor and an alias: put a text that starts with one in quotes"),
    ("expected '-' indicator", "the entries of a list start in the same column"),
    ("indicator", "`|` and `>` start a block of text: put a text that starts with one in quotes"),
    ("a comment or a line break", "`|` and `>` start a block of text: put a text that starts with one in quotes"),
    ("node content", "a value is missing, or there is a bracket or a comma too many"),
    ("are not allowed here", "the entries of a list start in the same column, and a text with a dash in quotes"),
    ("could not find expected ':'", "a key needs a colon and a space after it"),
    ("expected ':'", "a key needs a colon and a space after it"),
    ("cannot start any token", "put the text in quotes"),
    ("',' or '", "a bracket isn't closed, or a comma is missing"),
    ("expected <block end>", "lines that belong together start in the same column"),
    ("expected key", "lines that belong together start in the same column"),
    ("end of stream", "a quotation mark isn't closed"),
    ("hexdecimal", "in double quotes a backslash starts an escape; use single quotes"),
    ("escape", "in double quotes a backslash starts an escape; use single quotes"),
)


def _resolve(composer: _Composer, event: Any) -> Any:
    """Return what a scalar means in the core schema of YAML 1.2."""
    value: str = event.value
    tag = event.tag
    if tag and tag != "!" and tag not in composer.tags:
        if not tag.startswith(_CORE):
            composer.unknown_tag(event, tag)
        return _tagged(composer, event, value, tag.removeprefix(_CORE))
    if event.style or tag == "!":
        return value
    if value == "" or value[0] not in _MAYBE_NUMBER:
        if _NULL.fullmatch(value):
            return None
        if _BOOL.fullmatch(value):
            return value[0] in "tT"
        return value
    if _INT.fullmatch(value):
        return _integer(composer, event, value)
    if _FLOAT.fullmatch(value):
        return float(value)
    if _INFINITE.fullmatch(value):
        return float(value.replace(".", "", 1))
    return value


def _tagged(composer: _Composer, event: Any, value: str, kind: str) -> Any:
    if kind == "str":
        return value
    if kind == "int" and _INT.fullmatch(value):
        return _integer(composer, event, value)
    if kind == "float" and (_FLOAT.fullmatch(value) or _INFINITE.fullmatch(value)):
        return float(value) if _FLOAT.fullmatch(value) else float(value.replace(".", "", 1))
    if kind == "bool" and _BOOL.fullmatch(value):
        return value[0] in "tT"
    if kind == "null" and _NULL.fullmatch(value):
        return None
    if kind in ("int", "float", "bool", "null"):
        composer.fail(event, f"{value[:40]!r} is not of the type !!{kind}", "remove the tag")
    return composer.unknown_tag(event, _CORE + kind)


def _integer(composer: _Composer, event: Any, value: str) -> int:
    if len(value) > MAX_DIGITS:
        composer.fail(event, f"a number of {len(value):,} digits is too long", f"at most {MAX_DIGITS} digits are read")
    if value[:2] in ("0x", "0o"):
        return int(value, 0)
    return int(value)
