"""The build context: what .dockerignore leaves out, what a COPY takes, and that nothing outside is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.errors import InputError
from vsim.scenario.dockerfile.context import Context, Ignored


def folder(base: Path, *files: str, ignore: str | None = None) -> Path:
    base.mkdir(exist_ok=True)
    for name in files:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    if ignore is not None:
        (base / ".dockerignore").write_text(ignore, encoding="utf-8")
    return base


def test_files_and_their_sizes(tmp_path: Path) -> None:
    context = Context(folder(tmp_path / "c", "a", "src/bb", "src/deep/ccc"))
    assert context.files == {"a": 1, "src/bb": 6, "src/deep/ccc": 12}
    assert context.bytes == 19


# after https://docs.docker.com/build/concepts/context/#dockerignore-files
@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ("", {"README.md", "README-secret.md", "temp", "tempa", "a/temp", "a/b/temp", "a/x.go", "x.go"}),
        ("# comment\n*/temp*", {"README.md", "README-secret.md", "temp", "tempa", "a/b/temp", "a/x.go", "x.go"}),
        ("*/*/temp*", {"README.md", "README-secret.md", "temp", "tempa", "a/temp", "a/x.go", "x.go"}),
        ("temp?", {"README.md", "README-secret.md", "temp", "a/temp", "a/b/temp", "a/x.go", "x.go"}),
        ("**/*.go", {"README.md", "README-secret.md", "temp", "tempa", "a/temp", "a/b/temp"}),
        ("*.md\n!README.md", {"README.md", "temp", "tempa", "a/temp", "a/b/temp", "a/x.go", "x.go"}),
        ("*.md\n!README*.md\nREADME-secret.md", {"README.md", "temp", "tempa", "a/temp", "a/b/temp", "a/x.go", "x.go"}),
        (
            "*.md\nREADME-secret.md\n!README*.md",
            {"README.md", "README-secret.md", "temp", "tempa", "a/temp", "a/b/temp", "a/x.go", "x.go"},
        ),
        ("a", {"README.md", "README-secret.md", "temp", "tempa", "x.go"}),
        ("/a/\n!a/b", {"README.md", "README-secret.md", "temp", "tempa", "x.go", "a/b/temp"}),
        ("*\n!x.go", {"x.go"}),
        (".", {"README.md", "README-secret.md", "temp", "tempa", "a/temp", "a/b/temp", "a/x.go", "x.go"}),
    ],
)
def test_the_documentations_examples(rules: str, left: set[str], tmp_path: Path) -> None:
    everything = ("README.md", "README-secret.md", "temp", "tempa", "a/temp", "a/b/temp", "a/x.go", "x.go")
    context = Context(folder(tmp_path / "c", *everything, ignore=rules))
    assert set(context.files) - {".dockerignore"} == left


def test_buildkit_takes_the_dockerfiles_own_rules(tmp_path: Path) -> None:
    base = folder(tmp_path / "c", "a", "b", "Dockerfile", ignore="a\n")
    (base / "Dockerfile.dockerignore").write_text("b\n", encoding="utf-8")
    assert "b" not in Context(base, dockerfile=base / "Dockerfile").files
    assert "a" not in Context(base).files


@pytest.mark.parametrize(
    ("rules", "line", "column", "message"),
    [("a\n[b\n", 2, 1, "`[` isn't closed"), ("!\n", 1, 1, "needs a pattern"), ("x" * 1001, 1, 1, "longer than 1,000")],
)
def test_bad_rules_are_refused_where_they_stand(rules: str, line: int, column: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Ignored.read(".dockerignore", rules)
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column) == (line, column)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        (".", {"a.txt", "b.txt", "src/c.txt", "src/deep/d.txt"}),
        ("a.txt", {"a.txt"}),
        ("src", {"src/c.txt", "src/deep/d.txt"}),
        ("*.txt", {"a.txt", "b.txt"}),
        ("s*", {"src/c.txt", "src/deep/d.txt"}),
        ("src/*", {"src/c.txt", "src/deep/d.txt"}),
        ("src/*.txt", {"src/c.txt"}),
        ("[ab].txt", {"a.txt", "b.txt"}),
        ("none", set()),
    ],
)
def test_what_a_copy_takes(source: str, taken: set[str], tmp_path: Path) -> None:
    context = Context(folder(tmp_path / "c", "a.txt", "b.txt", "src/c.txt", "src/deep/d.txt"))
    assert set(context.matching(source)) == taken


@pytest.mark.parametrize(
    ("source", "change", "touched"),
    [
        (".", "a.txt", True),
        (".", "new", True),
        (".", "a.log", False),  # ignored
        (".", "", True),
        ("a.txt", "a.txt", True),
        ("a.txt", "b.txt", False),
        ("src", "src/new.py", True),
        ("src", "srcs/new.py", False),
        ("src/deep", "src", True),  # a change of the folder that it lies in
        ("src/*.py", "src/new.py", True),
        ("src/*.py", "src/deep/new.py", False),
        ("*.txt", "", True),
        ("src/c.txt", "other", False),
    ],
)
def test_whether_a_change_touches_a_copy(source: str, change: str, touched: bool, tmp_path: Path) -> None:
    context = Context(folder(tmp_path / "c", "a.txt", "b.txt", "src/c.txt", "src/deep/d.txt", ignore="*.log\n"))
    assert context.touches(source, change) is touched


def test_a_change_is_named_from_the_context_or_from_where_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = Context(folder(tmp_path / "c", "src/a"))
    monkeypatch.chdir(tmp_path)
    for given in ("src/a", "c/src/a", "./src/a", str(tmp_path / "c" / "src" / "a")):
        assert context.relative(given) == "src/a"
    assert context.relative("c") == ""
    assert context.relative("not/there/yet") == "not/there/yet"
    for outside in ("..", "../x", "/etc/passwd", str(tmp_path)):
        with pytest.raises(InputError, match="lies outside the build context"):
            context.relative(outside)


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = folder(tmp_path / "secret", "key", "more/keys")
    base = folder(tmp_path / "c", "a")
    (base / "folder").symlink_to(secret)
    (base / "file").symlink_to(secret / "key")
    (base / "loop").symlink_to(base)
    context = Context(base)
    assert set(context.files) == {"a", "folder", "file", "loop"}
    assert context.matching("folder/key") == []
    (base / ".dockerignore").symlink_to(secret / "key")
    with pytest.raises(InputError, match="isn't a plain file"):
        Context(base)


def test_a_context_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="isn't a folder"):
        Context(tmp_path / "none")
