"""Wildcards, by the tables of Go's path/filepath and of moby/patternmatcher; and that none takes long."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsim.scenario.dockerfile.patterns import BadPattern, Pattern

# pattern, text, whether it fits: from Go's path/filepath/match_test.go
GO = [
    ("abc", "abc", True),
    ("*", "abc", True),
    ("*c", "abc", True),
    ("a*", "a", True),
    ("a*", "abc", True),
    ("a*", "ab/c", False),
    ("a*/b", "abc/b", True),
    ("a*/b", "a/c/b", False),
    ("a*b*c*d*e*/f", "axbxcxdxe/f", True),
    ("a*b*c*d*e*/f", "axbxcxdxexxx/f", True),
    ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", False),
    ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("a*b?c*x", "abxbbxdbxebxczzy", False),
    ("ab[c]", "abc", True),
    ("ab[b-d]", "abc", True),
    ("ab[e-g]", "abc", False),
    ("ab[^c]", "abc", False),
    ("ab[^b-d]", "abc", False),
    ("ab[^e-g]", "abc", True),
    ("a\\*b", "a*b", True),
    ("a\\*b", "ab", False),
    ("a?b", "a☺b", True),
    ("a[^a]b", "a☺b", True),
    ("a???b", "a☺b", False),
    ("[a-ζ]*", "α", True),
    ("*[a-ζ]", "A", False),
    ("a?b", "a/b", False),
    ("a*b", "a/b", False),
    ("[\\]a]", "]", True),
    ("[\\-]", "-", True),
    ("[x\\-]", "x", True),
    ("[x\\-]", "-", True),
    ("[x\\-]", "z", False),
    ("[\\-x]", "x", True),
    ("[\\-x]", "a", False),
    ("*x", "xxx", True),
]
# from moby/patternmatcher's tests: whether the path itself fits
IGNORE = [
    ("**", "file", True),
    ("**", "file/", True),
    ("**/*", "dir/file", True),
    ("**/file", "dir/file", True),
    ("**/file", "dir/dir/file", True),
    ("**/file", "file", True),
    ("**/dir2/*", "dir/dir2/file", True),
    ("**/dir2/*", "dir/dir2/dir2/file", True),
    ("**/dir2/**", "dir/dir2/dir2/file", True),
    ("dir/**", "dir/file", True),
    ("dir/**", "dir/dir2/file", True),
    ("dir/**", "file", False),
    ("**/foo/bar", "foo/bar", True),
    ("**/foo/bar", "dir/foo/bar", True),
    ("abc/**", "abc/def/ghi", True),
    ("**/.foo", ".foo", True),
    ("**/.foo", "bar.foo", False),
    ("a**b", "a/x/b", True),
    ("a(b)c/def", "a(b)c/def", True),
    ("a.|)$(}+{bc", "a.|)$(}+{bc", True),
    ("*.go", "x.go", True),
    ("*.go", "a/x.go", False),
]
BAD = ["[", "a[", "[a", "[^", "[^bc", "a\\", "[-]", "[x-]", "[-x]", "[a-b-c]", "[]a]", "[\\"]


@pytest.mark.parametrize(("pattern", "text", "fits"), GO)
def test_paths_match_as_gos_do(pattern: str, text: str, fits: bool) -> None:
    assert Pattern.of_path(pattern).matches(text) is fits


@pytest.mark.parametrize(("pattern", "text", "fits"), IGNORE)
def test_ignore_patterns_match_as_mobys_do(pattern: str, text: str, fits: bool) -> None:
    assert Pattern.of_ignore(pattern).matches(text) is fits


@pytest.mark.parametrize("pattern", BAD)
def test_what_go_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        Pattern.of_path(pattern)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pattern=st.text("ab*?", max_size=8), text=st.text("ab", max_size=8))
def test_both_ways_to_match_agree_with_pythons_fnmatch(pattern: str, text: str) -> None:
    made = Pattern.of_path(pattern)
    expected = fnmatch.fnmatchcase(text, pattern)
    assert made.matches(text) is expected
    # the way that is taken when there are many stars
    assert (len(text) in made._ends(text)) is expected


@pytest.mark.parametrize("pattern", ["*a" * 400 + "*b", "**/" * 300 + "b", "**a" * 300 + "b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    made = Pattern.of_ignore(pattern)
    begin = time.process_time()
    assert not made.matches("a" * 200)
    assert not made.matches("a/" * 200)
    assert time.process_time() - begin < 2
