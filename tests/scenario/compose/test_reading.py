"""What a compose file says is what is read: short and long forms, variables, merging, extends, include, profiles.

The expected values are worked out by hand from the Compose Specification.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from vsim.errors import InputError
from vsim.scenario.compose import ComposeProject, load_project
from vsim.scenario.compose.project import Port


def project(tmp_path: Path, text: str, *, environment: dict[str, str] | None = None, **files: str) -> ComposeProject:
    """Return the project of this text, with other files beside it (`base_yaml` is base.yaml, `_env` is .env)."""
    for name, content in files.items():
        path = tmp_path / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    path = tmp_path / "compose.yaml"
    path.write_text(text, encoding="utf-8")
    return load_project([path], environment=environment)


def image(tmp_path: Path, value: str, *, environment: dict[str, str] | None = None, **files: str) -> str | None:
    return (
        project(tmp_path, f"services: {{a: {{image: '{value}'}}}}", environment=environment, **files)
        .services["a"]
        .image
    )


# -- ports, mounts -----------------------------------------------------------------------------------------------------

PORTS = [
    ('"3000"', [(None, None, 3000, "tcp", None)]),
    ("3000", [(None, None, 3000, "tcp", None)]),
    (
        '"3000-3002"',
        [(None, None, 3000, "tcp", None), (None, None, 3001, "tcp", None), (None, None, 3002, "tcp", None)],
    ),
    ('"8000:80"', [(8000, None, 80, "tcp", None)]),
    # YAML 1.2: not 1,342 in base 60
    ("22:22", [(22, None, 22, "tcp", None)]),
    ('"9090-9091:8080-8081"', [(9090, None, 8080, "tcp", None), (9091, None, 8081, "tcp", None)]),
    ('"8000-9000:80"', [(8000, 9000, 80, "tcp", None)]),
    ('"127.0.0.1:8001:8001"', [(8001, None, 8001, "tcp", "127.0.0.1")]),
    ('"127.0.0.1::5000"', [(None, None, 5000, "tcp", "127.0.0.1")]),
    ('"[::1]:6001:6001"', [(6001, None, 6001, "tcp", "::1")]),
    ('"6060:6060/udp"', [(6060, None, 6060, "udp", None)]),
    ("{target: 80, published: 8080, protocol: udp}", [(8080, None, 80, "udp", None)]),
    ('{target: 80, published: "8080-8090"}', [(8080, 8090, 80, "tcp", None)]),
    ("{target: 80, host_ip: 127.0.0.1, published: '1'}", [(1, None, 80, "tcp", "127.0.0.1")]),
]


@pytest.mark.parametrize(("text", "expected"), PORTS)
def test_ports(tmp_path: Path, text: str, expected: list[tuple[object, ...]]) -> None:
    ports = project(tmp_path, f"services: {{a: {{image: x, ports: [{text}]}}}}").services["a"].ports
    assert [(p.published, p.published_last, p.target, p.protocol, p.host_ip) for p in ports] == expected


MOUNTS = [
    ("/data", ("volume", "/data", None, False)),
    ("data:/data", ("volume", "/data", "data", False)),
    ("data:/data:ro", ("volume", "/data", "data", True)),
    ("./src:/src", ("bind", "/src", "./src", False)),
    (".:/src:cached", ("bind", "/src", ".", False)),
    ("~/x:/x:ro,z", ("bind", "/x", "~/x", True)),
    ("/etc/x/:/etc/x/", ("bind", "/etc/x", "/etc/x/", False)),
    ("'C:\\x:/x'", ("bind", "/x", "C:\\x", False)),
    ("{type: bind, source: /a, target: /b, read_only: true}", ("bind", "/b", "/a", True)),
    ("{type: volume, source: data, target: /b}", ("volume", "/b", "data", False)),
    ("{type: tmpfs, target: /b}", ("tmpfs", "/b", None, False)),
]


@pytest.mark.parametrize(("text", "expected"), MOUNTS)
def test_mounts(tmp_path: Path, text: str, expected: tuple[object, ...]) -> None:
    text = text if text.startswith(("{", "'")) else f'"{text}"'
    (mount,) = (
        project(tmp_path, f"services: {{a: {{image: x, volumes: [{text}]}}}}\nvolumes: {{data: }}").services["a"].mounts
    )
    assert (mount.kind, mount.target, mount.source, mount.read_only) == expected


def test_devices(tmp_path: Path) -> None:
    text = 'services: {a: {image: x, devices: ["/dev/a", "/dev/a:/dev/b", "/dev/a:/dev/b:r", {source: /dev/c}]}}'
    devices = project(tmp_path, text).services["a"].devices
    assert [(d.source, d.target, d.permissions) for d in devices] == [
        ("/dev/a", "/dev/a", "rwm"),
        ("/dev/a", "/dev/b", "rwm"),
        ("/dev/a", "/dev/b", "r"),
        ("/dev/c", "/dev/c", "rwm"),
    ]


# -- numbers -----------------------------------------------------------------------------------------------------------

SIZES = [("512m", 2**29), ("1g", 2**30), ("1gb", 2**30), ("1GiB", 2**30), ("1.5k", 1536), ("300b", 300), ('"7"', 7)]


@pytest.mark.parametrize(("text", "expected"), SIZES)
def test_sizes_are_powers_of_1024(tmp_path: Path, text: str, expected: float) -> None:
    service = project(tmp_path, f"services: {{a: {{image: x, mem_limit: {text}}}}}").services["a"]
    assert service.resources.memory_limit_bytes == expected


TIMES = [("30s", 30), ("1m30s", 90), ("1h", 3600), ("500ms", 0.5), ("1.5s", 1.5), ("100us", 1e-4), ("1d", 86400)]


@pytest.mark.parametrize(("text", "expected"), TIMES)
def test_times(tmp_path: Path, text: str, expected: float) -> None:
    text = f"services: {{a: {{image: x, healthcheck: {{test: x, interval: {text}}}}}}}"
    healthcheck = project(tmp_path, text).services["a"].healthcheck
    assert healthcheck is not None
    assert healthcheck.interval_s == pytest.approx(expected, rel=1e-12)


CPUS = [
    ("cpus: 0.5", 0.5),
    ('cpus: "2"', 2),
    ("cpu_quota: 50000", 0.5),
    ("cpu_quota: 50000, cpu_period: 25000", 2),
    ("cpu_count: 3", 3),
    ("deploy: {resources: {limits: {cpus: '0.25'}}}", 0.25),
    ("cpus: 0", None),
]


@pytest.mark.parametrize(("text", "expected"), CPUS)
def test_processors(tmp_path: Path, text: str, expected: float | None) -> None:
    service = project(tmp_path, f"services: {{a: {{image: x, {text}}}}}").services["a"]
    assert service.resources.cpu_limit_cores == expected


# -- variables ---------------------------------------------------------------------------------------------------------

VALUES = {"SET": "s", "EMPTY": ""}
VARIABLES = [
    ("$SET", "s"),
    ("${SET}", "s"),
    ("a${SET}b$SET-c", "asbs-c"),
    ("${SET:-d}", "s"),
    ("x${EMPTY:-d}", "xd"),
    ("x${EMPTY-d}", "x"),
    ("${UNSET-d}", "d"),
    ("${UNSET:-}x", "x"),
    ("${UNSET:-${SET}-${UNSET:-e}}", "s-e"),
    ("${SET:+other}", "other"),
    ("x${EMPTY:+other}", "x"),
    ("${EMPTY+other}", "other"),
    ("x${UNSET+other}", "x"),
    ("${SET?must}", "s"),
    ("$$SET", "$SET"),
    ("$${SET}", "${SET}"),
    ("x${UNSET}y", "xy"),
]


@pytest.mark.parametrize(("text", "expected"), VARIABLES)
def test_variables(tmp_path: Path, text: str, expected: str) -> None:
    assert image(tmp_path, text, environment=VALUES) == expected


def test_the_shell_comes_before_the_file_of_variables(tmp_path: Path) -> None:
    assert image(tmp_path, "$A-$B", environment={"A": "shell"}, _env="A=file\nB=b\n") == "shell-b"


DOT_ENV = r"""
# a comment
export A=1
B = two words  # a comment
C='$A # no comment'
D="$A\n${X:-x}"
E: yaml
F=
G=a#b
H
"""


def test_a_file_of_variables(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(DOT_ENV, encoding="utf-8")
    text = "services: {a: {image: x, labels: ['$A', '$B', '$C', '$D', '$E', '.$F.', '$G', '$H']}}"
    (tmp_path / "compose.yaml").write_text(text, encoding="utf-8")
    found = load_project([tmp_path / "compose.yaml"], environment={"H": "given"}).services["a"].parts["labels"]
    assert list(found.plain()) == ["1", "two words", "$A # no comment", "1\nx", "yaml", "..", "a#b", "given"]


def test_a_variable_that_isnt_set_is_told(tmp_path: Path) -> None:
    assert project(tmp_path, "services: {a: {image: 'x$A$B'}}").notes == ("A and B aren't set and stand for nothing",)


# -- merging -----------------------------------------------------------------------------------------------------------


def merged(tmp_path: Path, *texts: str) -> ComposeProject:
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    return load_project(paths)


def test_files_on_top_of_each_other(tmp_path: Path) -> None:
    service = merged(
        tmp_path,
        """services:
  a:
    image: one
    command: [first]
    ports: ["80:80", "81:81"]
    volumes: ["data:/x", "./a:/a"]
    environment: {A: "1", B: "2"}
    depends_on: [b]
    mem_limit: 1g
    expose: ["1"]
  b: {image: b}
volumes: {data: }
""",
        """services:
  a:
    image: two
    command: [second]
    ports: [{target: 80, published: "80"}, "82:82"]
    volumes: ["./other:/x"]
    environment: [B=3, C=4]
    depends_on: {b: {condition: service_healthy}}
    expose: ["1", "2"]
""",
    ).services["a"]
    assert service.image == "two"
    assert service.parts["command"].plain() == ["second"]
    # the same port in the long form isn't another one
    assert [(p.published, p.target) for p in service.ports] == [(80, 80), (81, 81), (82, 82)]
    # a mount at the same target replaces
    assert {m.target: (m.kind, m.source) for m in service.mounts} == {"/x": ("bind", "./other"), "/a": ("bind", "./a")}
    assert service.parts["environment"].plain() == {"A": "1", "B": "3", "C": "4"}
    assert [(d.service, d.condition) for d in service.depends_on] == [("b", "service_healthy")]
    assert service.resources.memory_limit_bytes == 2**30
    assert service.expose == ("1", "2")


def test_reset_and_override(tmp_path: Path) -> None:
    service = merged(
        tmp_path,
        "services: {a: {image: x, ports: ['80:80'], volumes: ['/a'], mem_limit: 1g}}",
        "services: {a: {ports: !override ['81:81'], volumes: !reset [], mem_limit: !reset null}}",
    ).services["a"]
    assert service.ports == (Port(81, 81),)
    assert service.mounts == ()
    assert service.resources.memory_limit_bytes is None


# -- extends, include --------------------------------------------------------------------------------------------------


def test_extends(tmp_path: Path) -> None:
    service = project(
        tmp_path,
        "services: {web: {extends: {file: sub/base.yaml, service: two}, ports: ['81']}, c: {extends: web, image: c}}",
        sub__base_yaml="services: {one: {image: x, ports: ['80'], cpus: 2}, two: {extends: one, image: y}}",
    ).services
    assert service["web"].image == "y"
    assert [port.target for port in service["web"].ports] == [80, 81]
    assert service["web"].resources.cpu_limit_cores == 2
    assert service["c"].image == "c"
    assert [port.target for port in service["c"].ports] == [80, 81]


def test_extends_makes_a_clash_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'b' publishes port 80/tcp of the host, which 'a' has already"):
        project(tmp_path, "services: {a: {image: x, ports: ['80:80']}, b: {extends: a}}")


def test_one_port_at_two_addresses_is_no_clash(tmp_path: Path) -> None:
    text = (
        "services: {a: {image: x, ports: ['127.0.0.1:80:80']}, b: {image: x, ports: ['127.0.0.2:80:80', '80:80/udp']}}"
    )
    assert len(project(tmp_path, text).services["b"].ports) == 2


def test_include(tmp_path: Path) -> None:
    found = project(
        tmp_path,
        "include: [sub/part.yaml, {path: [sub/one.yaml, sub/two.yaml], env_file: sub/x.env}]\n"
        "services: {a: {image: x, depends_on: [b]}}",
        sub__part_yaml="services: {b: {image: 'b$V', env_file: near.env}}\nvolumes: {v: }",
        sub__near_env="K=1",
        sub___env="V=5",
        sub__x_env="V=7",
        sub__one_yaml="services: {c: {image: 'c$V'}}",
        sub__two_yaml="services: {c: {cpus: 1}}",
    )
    assert set(found.services) == {"a", "b", "c"}
    assert found.services["b"].image == "b5"
    assert found.services["c"].image == "c7"
    assert found.services["c"].resources.cpu_limit_cores == 1
    assert set(found.volumes) == {"v"}


def test_include_that_contradicts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"`a` under `services` is also in part\.yaml"):
        project(tmp_path, "include: [part.yaml]\nservices: {a: {image: x}}", part_yaml="services: {a: {image: y}}")


# -- profiles and the rest ---------------------------------------------------------------------------------------------

PROFILES = "services: {a: {image: x}, b: {image: x, profiles: [debug]}, c: {image: x, profiles: [test, debug]}}"


@pytest.mark.parametrize(
    ("active", "expected"),
    [((), ["a"]), (("debug",), ["a", "b", "c"]), (("test",), ["a", "c"]), (("*",), ["a", "b", "c"])],
)
def test_profiles(tmp_path: Path, active: tuple[str, ...], expected: list[str]) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(PROFILES, encoding="utf-8")
    found = load_project([path], profiles=active)
    assert list(found.services) == expected
    assert set(found.inactive) == {"a", "b", "c"} - set(expected)


def test_a_dependency_that_isnt_required_may_be_inactive(tmp_path: Path) -> None:
    text = (
        "services: {a: {image: x, depends_on: {b: {condition: service_started, required: false}}},"
        " b: {image: x, profiles: [p]}}"
    )
    assert list(project(tmp_path, text).services) == ["a"]


def test_what_uses_another_service_depends_on_it(tmp_path: Path) -> None:
    text = "services: {a: {image: x, links: ['b:db'], pid: 'service:c'}, b: {image: x}, c: {image: x}}"
    assert [d.service for d in project(tmp_path, text).services["a"].depends_on] == ["b", "c"]


def test_a_folder_stands_for_the_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("version: '3'\nservices: {a: {image: x}}", encoding="utf-8")
    assert list(load_project([tmp_path]).services) == ["a"]


def test_the_projects_name(tmp_path: Path) -> None:
    folder = tmp_path / "My App"
    folder.mkdir()
    (folder / "compose.yaml").write_text("services: {a: {image: x}}", encoding="utf-8")
    assert load_project([folder]).name == "myapp"
    assert load_project([folder], environment={"COMPOSE_PROJECT_NAME": "other"}).name == "other"
    (folder / "compose.yaml").write_text("name: own\nservices: {a: {image: x}}", encoding="utf-8")
    assert load_project([folder]).name == "own"


def test_replicas(tmp_path: Path) -> None:
    text = "services: {a: {image: x, deploy: {replicas: 3}}, b: {image: x, scale: 2}, c: {image: x}}"
    assert [s.replicas for s in project(tmp_path, text).services.values()] == [3, 2, 1]
