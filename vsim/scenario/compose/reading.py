"""Compose files to one tree: variables, `extends`, `include`, and several files on top of each other.

Nothing outside the folder of the first file is opened, and nothing is fetched. A path that leads out of it, by `..`,
as an absolute path or through a symbolic link, is refused where it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from vsim.errors import InputError, Place
from vsim.scenario.compose.environment import read_environment
from vsim.scenario.compose.interpolation import Variables, interpolate
from vsim.scenario.compose.merging import canonical, merge, settled
from vsim.scenario.compose.parts import Part, read_part
from vsim.scenario.compose.schema import check_schema
from vsim.scenario.compose.units import boolean, text_of
from vsim.scenario.validation import did_you_mean, listed, shown

__all__ = ["Reader", "find_file"]

# Of one project, with all that it includes and extends.
MAX_FILES = 100
_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_SECTIONS = ("services", "networks", "volumes", "secrets", "configs", "models")
_REMOTE = ("http://", "https://", "git://", "ssh://", "oci://", "git@", "github.com/")


def find_file(path: Path) -> Path:
    """Return `path`, or the compose file in it if it is a folder. Raises InputError when there is none."""
    if not path.is_dir():
        return path
    found = next((path / name for name in _NAMES if (path / name).is_file()), None)
    if found is None:
        raise InputError(
            "there is no compose file in this folder", place=Place(str(path)), hint=f"it is called {listed(_NAMES)}"
        )
    return found


class Reader:
    """Reads the files of one project, each at most once for each set of variables.

    `environment` are the variables of the shell, which come before those of a `.env` file.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._root = folder.resolve()
        self._given = environment
        self._count = 0
        self._documents: dict[tuple[Path, Path], Part] = {}
        self._extended: dict[tuple[Path, str], Part] = {}
        self.unset: dict[str, None] = {}

    def variables(self) -> Mapping[str, str]:
        """Return the shell's variables on top of those in the project's `.env`, if there is one."""
        path = self.folder / ".env"
        if not path.exists():
            return self._given
        if not self._is_inside(path):
            raise InputError("this file lies outside the folder", place=Place(str(path)), hint="copy it there")
        return {**read_environment(path, self._given), **self._given}

    def read(self, paths: Sequence[Path], variables: Mapping[str, str]) -> Part:
        """Return the files at `paths`, the later ones on top, with what they include and extend."""
        return self._model(paths, self.folder, variables, ())

    def _model(
        self, paths: Sequence[Path], folder: Path, variables: Mapping[str, str], including: tuple[Path, ...]
    ) -> Part:
        whole: Part | None = None
        for path in paths:
            document = self._document(path, folder, variables)
            part = self._with_extends(document, variables)
            part = self._with_includes(part, variables, (*including, path.resolve()))
            whole = part if whole is None else merge(whole, part)
            assert whole is not None
        assert whole is not None
        found = settled(whole)
        assert found is not None
        return found

    def _document(self, path: Path, folder: Path, variables: Mapping[str, str]) -> Part:
        """Return one file: variables replaced, checked against the schema, short forms written out."""
        key = (path.resolve(), folder)
        if key not in self._documents:
            self._count += 1
            if self._count > MAX_FILES:
                raise InputError(f"more than {MAX_FILES} files", place=Place(str(path)), hint="include fewer")
            used = Variables(variables)
            document = interpolate(read_part(path, folder), used)
            self.unset |= used.unset
            found = settled(document)
            assert found is not None
            check_schema(found)
            self._documents[key] = canonical(document)
        return self._documents[key]

    # -- extends -------------------------------------------------------------------------------------------------

    def _with_extends(self, document: Part, variables: Mapping[str, str]) -> Part:
        services = document.get("services")
        if services is None:
            return document
        found = {name: self._extend(document, name, variables, ()) for name in services.mapping}
        return document.like({**document.mapping, "services": services.like(found)})

    def _extend(
        self, document: Part, name: str, variables: Mapping[str, str], above: tuple[tuple[Path, str], ...]
    ) -> Part:
        """Return the service `name` of `document` on top of what it extends."""
        services = document.get("services")
        assert services is not None
        service = services.mapping[name]
        extends = service.get("extends")
        if extends is None:
            return service
        me = (document.source.path.resolve(), name)
        if me in above:
            names = " → ".join([*(each for _, each in above[above.index(me) :]), name])
            raise extends.error(f"`extends` in a circle: {names}", "break the circle")
        if me in self._extended:
            return self._extended[me]
        given = extends.get("service") if isinstance(extends.value, dict) else extends
        assert given is not None
        base_name, other = str(given.value), extends.get("file")
        base_document = document
        if other is not None:
            path = self._inside(other)
            base_document = self._document(path, path.parent, variables)
        known = base_document.get("services")
        if known is None or base_name not in known.mapping:
            where = f" in {text_of(other)}" if other is not None else ""
            hint = did_you_mean(base_name, known.mapping if known else ()) or "name one that is there"
            raise given.error(f"`extends` names the unknown service {shown(base_name)}{where}", hint)
        base = settled(self._extend(base_document, base_name, variables, (*above, me)))
        own = service.like({key: part for key, part in service.mapping.items() if key != "extends"})
        assert base is not None
        made = merge(base, own)
        assert made is not None
        self._extended[me] = made
        return made

    # -- include -------------------------------------------------------------------------------------------------

    def _with_includes(self, part: Part, variables: Mapping[str, str], including: tuple[Path, ...]) -> Part:
        include = part.get("include")
        if include is None:
            return part
        merged = {key: child for key, child in part.mapping.items() if key != "include"}
        for entry in include.entries:
            included = self._included(entry, variables, including)
            for section in _SECTIONS:
                theirs = included.get(section)
                if theirs is None:
                    continue
                mine = merged.get(section)
                merged[section] = theirs if mine is None else _imported(section, mine, theirs)
        return part.like(merged)

    def _included(self, entry: Part, variables: Mapping[str, str], including: tuple[Path, ...]) -> Part:
        named = entry.get("path") if isinstance(entry.value, dict) else entry
        if named is None:
            raise entry.error("the key 'path' is missing in this `include`", "add `path:`")
        paths = [self._inside(one) for one in _each(named)]
        if not paths:
            raise named.error("`path` must not be empty", "name a compose file")
        for path in paths:
            if path.resolve() in including:
                names = " → ".join(each.name for each in (*including[including.index(path.resolve()) :], path))
                raise named.error(f"`include` in a circle: {names}", "break the circle")
        directory = entry.get("project_directory")
        folder = paths[0].parent if directory is None else self._inside(directory)
        files = entry.get("env_file")
        if files is not None:
            for one in _each(files):
                variables = {**read_environment(self._existing(one), variables), **variables}
        elif (folder / ".env").is_file() and folder.resolve() != self._root and self._is_inside(folder / ".env"):
            variables = {**read_environment(folder / ".env", variables), **variables}
        return self._model(paths, folder, variables, including)

    # -- files ---------------------------------------------------------------------------------------------------

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._root)

    def _inside(self, part: Part) -> Path:
        """Return the path that a file names, which lies in the project's folder whatever links lead there."""
        text = str(part.value)
        if text.startswith(_REMOTE):
            raise part.error(f"{shown(text)} is somewhere else, and nothing is fetched", "copy it to this folder")
        if "\0" in text or len(text) > 4000 or not text.strip():
            raise part.error(f"{shown(text)} is not a path", "name a file in this folder")
        path = Path(text)
        if path.is_absolute() or text.startswith("~"):
            raise part.error(f"{shown(text)} is not a path within the folder", "name it relative to this file")
        path = part.source.folder / path
        try:
            inside = self._is_inside(path)
        except (OSError, RuntimeError, ValueError):
            raise part.error(f"{shown(text)} can't be followed", "does a link lead to itself?") from None
        if not inside:
            raise part.error(
                f"{shown(text)} leads out of the folder of the compose file",
                "nothing outside of it is read: copy it there",
            )
        return path

    def _existing(self, part: Part) -> Path:
        path = self._inside(part)
        if not path.is_file():
            raise part.error(f"there is no file {str(path)!r}", "a path is relative to the file that names it")
        return path

    def check_environment_files(self, service: Part, variables: Mapping[str, str]) -> None:
        """Read the files that a service names under `env_file`, for what is wrong with them: the model uses none."""
        files = service.get("env_file")
        for entry in files.entries if files is not None else ():
            named = entry.get("path") if isinstance(entry.value, dict) else entry
            assert named is not None
            path = self._inside(named)
            if not boolean(entry.get("required"), True) and not path.exists():
                continue
            read_environment(self._existing(named), variables)


def _each(part: Part) -> Iterable[Part]:
    return part.entries if isinstance(part.value, list) else [part]


def _imported(section: str, mine: Part, theirs: Part) -> Part:
    """Return both files' section. Raises InputError where they say different things about one name."""
    found = dict(mine.mapping)
    for name, part in theirs.mapping.items():
        if name in found and found[name].plain() != part.plain():
            raise found[name].error(
                f"`{name}` under `{section}` is also in {part.source.path.name}, which this file includes, and differs",
                "give one of them another name, or extend it",
                key=True,
            )
        found[name] = part
    return mine.like(found)
