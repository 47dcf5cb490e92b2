"""What images are built from, and that nothing outside the project's folder is looked at for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.errors import InputError
from vsim.scenario.compose import load_project
from vsim.scenario.compose.builds import ImageBuild, builds_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    for name in ("api/Dockerfile", "web/deploy/Production", "out/Dockerfile"):
        path = (tmp_path if name.startswith("out") else project) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("FROM scratch\n", encoding="ascii")
    (project / "link").symlink_to(tmp_path / "out")
    return project


def builds(folder: Path, build: str) -> dict[str, ImageBuild]:
    (folder / "compose.yaml").write_text(
        f"services:\n  db: {{image: mongo}}\n  app: {{build: {build}}}\n", encoding="utf-8"
    )
    return builds_of(load_project([folder / "compose.yaml"]))


def test_context_dockerfile_stage_and_arguments(folder: Path) -> None:
    assert builds(folder, "./api") == {"app": ImageBuild(folder / "api", folder / "api/Dockerfile")}
    stated = "{context: web, dockerfile: deploy/Production, target: slim, args: {VERSION: 3, TOKEN: }}"
    assert builds(folder, stated) == {
        "app": ImageBuild(folder / "web", folder / "web/deploy/Production", "slim", {"VERSION": "3"})
    }
    assert builds(folder, "{context: api, args: [A=1=2, B]}")["app"].arguments == {"A": "1=2"}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ("../out", "leads out of the folder"),
        ("/etc", "leads out of the folder"),
        ("link", "leads out of the folder"),
        ("{context: api, dockerfile: ../../out/Dockerfile}", "leads out of the folder"),
        ('"https://example.org/app.git"', "is somewhere else, and nothing is fetched"),
        ("nowhere", "there is no folder"),
        ("web", "there is no 'Dockerfile' in the build context"),
        ("{context: api, dockerfile_inline: FROM scratch}", "a Dockerfile within a compose file isn't read"),
    ],
)
def test_refused(folder: Path, build: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        builds(folder, build)
    assert caught.value.place is not None
    assert caught.value.place.line == 3
    assert caught.value.hint
