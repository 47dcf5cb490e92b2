"""Whatever is wrong with a compose file is one InputError: at its place, in plain words, with a hint."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from vsim.calibration.catalogue import load_compose
from vsim.errors import InputError

BASE = """\
services:
  web:
    image: nginx
    ports: ["8080:80"]
    volumes: ["data:/data"]
    networks: [front]
    depends_on: [db]
    deploy: {resources: {limits: {cpus: "0.5", memory: 512m}}}
    healthcheck: {test: [CMD, curl, localhost], interval: 10s}
    environment: {A: "1"}
  db:
    image: postgres
    ports: ["5432:5432"]
volumes:
  data:
networks:
  front:
"""


def refused(path: Path) -> InputError:
    before = time.process_time()
    with pytest.raises(InputError) as caught:
        load_compose(path)
    assert time.process_time() - before < 2
    return caught.value


def check(error: InputError, under: str, message: str, hint: str) -> None:
    place = error.place
    assert place is not None
    assert place.text is not None
    assert place.column is not None
    assert message in error.message
    assert hint in (error.hint or "")
    assert place.text[place.column - 1 :].startswith(under)


# what is changed in BASE, the part of the file under the caret, the message, the hint
CHANGES = [
    # -- YAML and the schema
    ("image: nginx", "image: nginx: x", ": x", "this is not YAML", "colon"),
    ("    image: nginx", "\timage: nginx", "\t", "a tab can't indent YAML", "use spaces"),
    ("image: nginx", "image: nginx\n    image: x", "image: x", "the key 'image' is there twice", "line 3"),
    ("image: nginx", "imge: nginx", "imge", "unknown key 'imge' in `web`", "did you mean 'image'?"),
    ("image: nginx", "image: [nginx]", "[nginx]", "`image` must be text, not a list", "write text"),
    ("image: nginx", "image: 5", "5", "`image` must be text, not 5", "put it in quotes"),
    ("services:", "servces:", "servces", "unknown key 'servces' at the top level", "did you mean 'services'?"),
    ("services:", "version: 3\nservices:", "3", "`version` must be text, not 3", "put it in quotes"),
    ("  web:", "  we b:", "we b", "'we b' can't be a name", "letters"),
    ("[db]", "{db: {condition: healthy}}", "healthy", "`condition` can't be 'healthy'", "service_healthy"),
    ("[db]", "{db: {}}", "{}", "the key 'condition' is missing in `db`", "add `condition:`"),
    ("[db]", "db", "db", "`depends_on` must be a list or a mapping of keys and values, not 'db'", "write"),
    ('["8080:80"]', '"8080:80"', '"8080:80"', "`ports` must be a list, not '8080:80'", "write a list"),
    ("interval: 10s", "intervall: 10s", "intervall", "unknown key 'intervall'", "did you mean 'interval'?"),
    ("interval: 10s", "interval: 10", "10", "`interval` must be text, not 10", "put it in quotes"),
    # -- references
    ("[db]", "[dbb]", "dbb", "'web' depends on the unknown service 'dbb'", "did you mean 'db'?"),
    ("[db]", "[web]", "web", "in a circle: web → web", "remove one"),
    (
        "image: postgres",
        "image: postgres\n    depends_on: [web]",
        "web]",
        "services depend on each other in a circle: web → db → web",
        "remove one",
    ),
    ("[front]", "[frnt]", "frnt", "the network 'frnt' is not defined at the top level", "did you mean 'front'?"),
    ("data:/data", "dta:/data", '"dta', "the volume 'dta' is not defined at the top level", "did you mean 'data'?"),
    ("image: nginx", "image: nginx\n    secrets: [key]", "key", "the secret 'key' is not defined", "add `key:`"),
    ("image: nginx", "image: nginx\n    network_mode: host", "network_mode", "exclude each other", "remove one"),
    ("    image: nginx\n", "", "web", "'web' has neither `image` nor `build`", "add `image:`"),
    # -- values
    ('"5432:5432"', '"8080:5432"', '"8080', "'db' publishes port 8080/tcp of the host, which 'web' has", "8081:5432"),
    ('"8080:80"', '"8080:80:80:80"', '"8080', "is not an address", "127.0.0.1"),
    ('"8080:80"', '"80800:80"', '"80800', "'80800' is not a port", "ports are 0 to 65535"),
    ('"8080:80"', '"x:80"', '"x', "'x' is not a port", "HOST:CONTAINER"),
    ('"8080:80"', '"8080-8082:80-81"', '"8080', "8080-8082 are 3 ports, 80-81 are 2", "equally long"),
    ('"8080:80"', '"8080:80/tpc"', '"8080', "'tpc' is not a protocol", "tcp, udp"),
    ("512m", "512q", "512q", "'512q' is not a size", "`512m`"),
    ("512m", "-1m", "-1m", "'-1m' is not a size", "`512m`"),
    ("512m", "99999999p", "99999999p", "a size can't be '99999999p'", "`512m`"),
    ('"0.5"', '"half"', '"half"', "'half' is not a number", "`0.5`"),
    ("interval: 10s", 'interval: "10 s"', '"10 s"', "'10 s' is not a time", "`30s`"),
    ("[CMD, curl, localhost]", "[curl, localhost]", "[curl", "begins with CMD, CMD-SHELL or NONE", "CMD"),
    ("data:/data", "data:/data:ro:x", '"data', "has too many colons", "NAME:/path"),
    ("data:/data", ":/data", '":/data', "has nothing on one side of a colon", "NAME:/path"),
    ('["data:/data"]', '["data:/x", "./y:/x"]', '"./y', "'web' mounts two things at '/x'", "remove one"),
    (
        "image: nginx",
        "image: nginx\n    mem_limit: 1g",
        "1g",
        "`mem_limit` and `deploy.resources.limits.memory`",
        "one",
    ),
    ("image: nginx", "image: nginx\n    privileged: maybe", "maybe", "neither true nor false", "`true`"),
    (
        "image: postgres",
        "image: postgres\n    scale: 2\n    container_name: xy",
        "xy",
        "2 replicas can't all",
        "remove",
    ),
    # -- variables
    ("image: nginx", "image: $", "$", "'$' is not a variable", "`$$`"),
    ("image: nginx", 'image: "${A"', '"${A', "isn't closed with `}`", "`${NAME}`"),
    ("image: nginx", 'image: "${1}"', '"${1}', "is not a variable", "`${NAME}`"),
    ("image: nginx", 'image: "${A:?say which}"', '"${A', "the variable A is required: say which", ".env"),
    ("image: nginx", "image: " + "${A:-" * 40 + "}" * 40, "${A", "nested more than 16 levels", "fewer"),
    # -- extends, include, env_file
    ("image: nginx", "extends: db2", "db2", "`extends` names the unknown service 'db2'", "did you mean 'db'?"),
    ("image: nginx", "extends: web", "web", "`extends` in a circle: web → web", "break the circle"),
    ("image: nginx", "extends: {service: a, file: ../x.yaml}", "../x", "leads out of the folder", "copy it there"),
    ("image: nginx", "extends: {service: a, file: /x.yaml}", "/x", "is not a path within the folder", "relative"),
    ("image: nginx", "extends: {service: a, file: x.yaml}", "", "there is no such file", ""),
    ("services:", "include: [../x.yaml]\nservices:", "../x", "leads out of the folder", "copy it there"),
    ("services:", "include: ['https://x/y.yaml']\nservices:", "'https", "nothing is fetched", "copy it"),
    ("services:", "include: [compose.yaml]\nservices:", "compose", "`include` in a circle", "break the circle"),
    ("image: nginx", "image: nginx\n    env_file: ../x", "../x", "leads out of the folder", "copy it there"),
    ("image: nginx", "image: nginx\n    env_file: x.env", "x.env", "there is no file", "relative"),
    # -- annotations
    ("image: nginx", "image: nginx\n    x-vsim: {memmory: 1 MiB}", "memmory", "unknown key 'memmory'", "did you mean"),
    ("image: nginx", "image: nginx\n    x-vsim: {memory: 1 MiBs}", "1 MiBs", "is not a unit", "did you mean 'MiB'?"),
    ("image: nginx", "image: nginx\n    x-vsim: {slo: 1 s}", "slo", "without requests nothing can be late", "request"),
    ("image: nginx", "image: nginx\n    x-vsim: {replicas: 2}", "replicas", "unknown key", "deploy: {replicas: 3}"),
    ("image: nginx", "image: nginx\n    x-vsim: {run: {}}", "run", "unknown key", "the `x-vsim` of the file"),
    ("image: nginx", "image: nginx\n    x-vsim: 5", "5", "must be a mapping", "the keys here are"),
    (
        "image: nginx",
        "image: nginx\n    x-vsim: {request: {user: 1 ms}, arrivals: {kind: trace, trace: /etc/passwd}}",
        "/etc",
        "an annotation can't name a trace",
        "scenario file",
    ),
    ("services:", "x-vsim: {run: {duration: never}}\nservices:", "never", "'never' is not a time", "`200 ms`"),
]


@pytest.mark.parametrize(("old", "new", "under", "message", "hint"), CHANGES)
def test_change(tmp_path: Path, old: str, new: str, under: str, message: str, hint: str) -> None:
    assert old in BASE
    path = tmp_path / "compose.yaml"
    path.write_text(BASE.replace(old, new, 1), encoding="utf-8")
    error = refused(path)
    if under:
        check(error, under, message, hint)
    else:
        assert message in error.message


def test_base_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(BASE, encoding="utf-8")
    assert len(load_compose(path).workload.services) == 2


PASTED = """\
services:
  frontend:
    image: node
backend:
  image: node
db:
  image: mongo
"""


def test_services_pasted_at_the_top_level(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(PASTED, encoding="utf-8")
    error = refused(path)
    assert str(error) == (
        f"{path}:4:1: `backend:` and `db:` at the top level: they are services, and services stand under `services:`"
    )
    assert error.hint == "move them below the line `services:`, indented by two spaces"
    path.write_text("web:\n  image: node\n", encoding="utf-8")
    error = refused(path)
    assert str(error) == (f"{path}:1:1: `web:` at the top level: it is a service, and services stand under `services:`")
    assert error.hint == "move it below a line `services:`, indented by two spaces"


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("services: {base: {image: secret}}\n", encoding="utf-8")
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "base.yaml").symlink_to(outside)
    path = folder / "compose.yaml"
    path.write_text("services: {web: {extends: {file: base.yaml, service: base}}}\n", encoding="utf-8")
    check(refused(path), "base.yaml", "leads out of the folder", "copy it there")
    (folder / ".env").symlink_to(outside)
    path.write_text("services: {web: {image: nginx}}\n", encoding="utf-8")
    assert refused(path).message == "this file lies outside the folder"


def test_extends_in_a_circle_over_two_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("services: {a: {extends: {file: b.yaml, service: b}}}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("services: {b: {extends: {file: a.yaml, service: a}}}\n", encoding="utf-8")
    error = refused(tmp_path / "a.yaml")
    assert error.message == "`extends` in a circle: a → b → a"
    assert error.place is not None
    assert error.place.file.endswith("a.yaml")


def test_include_in_a_circle_over_two_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("include: [b.yaml]\nservices: {a: {image: x}}\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("include: [a.yaml]\nservices: {b: {image: x}}\n", encoding="utf-8")
    assert refused(tmp_path / "a.yaml").message == "`include` in a circle: a.yaml → b.yaml → a.yaml"


def test_a_bomb_of_variables(tmp_path: Path) -> None:
    lines = ["A0=" + "x" * 1000, *(f"A{i}=" + f"$A{i - 1}" * 10 for i in range(1, 12))]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    path = tmp_path / "compose.yaml"
    path.write_text("services: {web: {image: $A11}}\n", encoding="utf-8")
    error = refused(path)
    assert error.message == "variables make this longer than 1 MiB"
    assert error.place is not None
    assert error.place.file.endswith(".env")


def test_a_bomb_of_uses(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=" + "x" * 10_000, encoding="utf-8")
    path = tmp_path / "compose.yaml"
    path.write_text("services: {web: {image: x, command: [" + "$A, " * 1000 + "]}}\n", encoding="utf-8")
    assert refused(path).message == "variables make this longer than 1 MiB"


def test_a_bomb_of_aliases(tmp_path: Path) -> None:
    lines = ["x-a: &a0 [x, x]", *(f"x-b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9))]
    path = tmp_path / "compose.yaml"
    path.write_text("\n".join([*lines, "services: {web: {image: x}}"]), encoding="utf-8")
    assert "more than 30,000 keys and values" in refused(path).message


def test_more_files_than_anybody_includes(tmp_path: Path) -> None:
    for i in range(150):
        (tmp_path / f"{i}.yaml").write_text(f"services: {{s{i}: {{image: x}}}}\n", encoding="utf-8")
    names = ", ".join(f"{i}.yaml" for i in range(150))
    path = tmp_path / "compose.yaml"
    path.write_text(f"include: [{names}]\nservices: {{web: {{image: x}}}}\n", encoding="utf-8")
    assert refused(path).message == "more than 100 files"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- a\n", "a compose file is a mapping of keys and values"),
        ("services:\n", "`services` must be a mapping of keys and values, not nothing"),
        ("services: {}\n", "there are no services in this file"),
        ("name: x\n", "there are no services in this file"),
        ("services: {a: }\n", "`a` must be a mapping of keys and values, not nothing"),
        ("name: My App\nservices: {a: {image: x}}\n", "'My App' can't be a project's name"),
        ("services: {a: {image: x, profiles: [p]}}\n", "no service is active"),
        ("services: {a: {image: x, deploy: {replicas: 0}}}\n", "no service has a replica"),
        ("services: {a: {image: x, deploy: {replicas: -1}}}\n", "-1 can't be used here"),
    ],
)
def test_nothing_to_run(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(text, encoding="utf-8")
    error = refused(path)
    assert message in error.message
    assert error.hint


def test_a_pipe_nobody_writes_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "base.yaml")
    path = tmp_path / "compose.yaml"
    path.write_text("services: {web: {extends: {file: base.yaml, service: base}}}\n", encoding="utf-8")
    assert refused(path).message
