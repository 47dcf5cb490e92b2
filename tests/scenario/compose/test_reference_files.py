"""The twenty files of docker/awesome-compose: read right, counted by hand, and simulated on five architectures."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vsim import simulate
from vsim.calibration.catalogue import load_compose
from vsim.scenario.compose import load_project

# file: services, dependencies between them, published ports, named volumes used, anonymous volumes, bind mounts
COUNTED = {
    "angular": (1, 0, 1, 0, 1, 1),
    "aspnet-mssql": (2, 0, 1, 0, 0, 0),
    "elasticsearch-logstash-kibana": (3, 2, 7, 0, 0, 2),
    "flask-redis": (2, 1, 2, 0, 0, 1),
    "gitea-postgres": (2, 0, 1, 2, 0, 0),
    "nextcloud-postgres": (2, 0, 1, 2, 0, 0),
    "nginx-aspnet-mysql": (3, 2, 1, 1, 0, 0),
    "nginx-flask-mysql": (3, 2, 2, 1, 0, 0),
    "nginx-golang-postgres": (3, 2, 1, 1, 0, 1),
    "nginx-nodejs-redis": (4, 2, 4, 0, 0, 0),
    "pihole-cloudflared-DoH": (2, 1, 7, 0, 0, 2),
    "portainer": (1, 0, 1, 1, 0, 1),
    "prometheus-grafana": (2, 0, 2, 1, 0, 2),
    "react-express-mysql": (3, 2, 4, 2, 1, 4),
    "react-nginx": (1, 0, 1, 0, 0, 0),
    "sparkjava-mysql": (2, 0, 1, 1, 0, 0),
    "spring-postgres": (2, 0, 1, 1, 0, 0),
    "vuejs": (1, 0, 1, 0, 1, 1),
    "wasmedge-mysql-nginx": (3, 0, 2, 0, 0, 1),
    "wordpress-mysql": (2, 0, 1, 1, 0, 0),
}
ON = (
    "bare-metal@tower-server",
    "bare-metal@blade",
    "vm@rack-server",
    "container@rack-server",
    "container@raspberry-pi-4",
)


def test_they_are_the_files_that_are_there(reference_data: Path) -> None:
    assert {path.stem for path in (reference_data / "compose").glob("*.yaml")} == set(COUNTED)


@pytest.mark.parametrize("name", COUNTED)
def test_it_is_counted_right(name: str, reference_data: Path) -> None:
    project = load_project([reference_data / "compose" / f"{name}.yaml"])
    services = project.services.values()
    mounts = [mount for service in services for mount in service.mounts]
    assert (
        len(services),
        sum(len(service.depends_on) for service in services),
        sum(len(service.ports) for service in services),
        sum(mount.kind == "volume" and mount.source is not None for mount in mounts),
        sum(mount.kind == "volume" and mount.source is None for mount in mounts),
        sum(mount.kind == "bind" for mount in mounts),
    ) == COUNTED[name]


@pytest.mark.parametrize("name", COUNTED)
def test_it_is_simulated_on_five_architectures_within_five_seconds(name: str, reference_data: Path) -> None:
    before = time.process_time()
    scenario = load_compose(reference_data / "compose" / f"{name}.yaml")
    result = simulate(scenario, on=ON, jobs=1)
    assert time.process_time() - before < 5
    services = COUNTED[name][0]
    for architecture in result.architectures:
        metrics = architecture.metrics
        assert metrics["unplaced"].value == 0
        # on bare metal a machine for each service; nothing here is too large to share one otherwise
        assert metrics["hosts"].value == (services if architecture.name.startswith("bare-metal") else 1)
        assert metrics["startup_p95_s"].value > 0


def test_one_file_in_full(reference_data: Path) -> None:
    project = load_project([reference_data / "compose" / "nginx-flask-mysql.yaml"])
    db, backend, proxy = (project.services[name] for name in ("db", "backend", "proxy"))
    assert list(project.services) == ["db", "backend", "proxy"]
    assert db.image == "mariadb:10-focal"
    assert db.healthcheck is not None
    # the file's own interval, tries and start period; Docker's default for the time-out
    assert (db.healthcheck.interval_s, db.healthcheck.retries) == (3, 5)
    assert (db.healthcheck.start_period_s, db.healthcheck.timeout_s) == (30, 30)
    assert db.healthcheck.test[0] == "CMD-SHELL"
    assert '"$(cat /run/secrets/db-password)"' in db.healthcheck.test[1]  # `$$` is a dollar sign
    assert db.networks == ("backnet",)
    assert [(d.service, d.condition) for d in backend.depends_on] == [("db", "service_healthy")]
    assert backend.build is not None
    assert (backend.build.context, backend.build.target) == ("backend", "builder")
    assert [(p.published, p.target, p.protocol) for p in backend.ports] == [(8000, 8000, "tcp")]
    assert [(d.service, d.condition) for d in proxy.depends_on] == [("backend", "service_started")]
    assert set(project.networks) == {"backnet", "frontnet"}
    assert set(project.volumes) == {"db-data"}
    assert [(one.key, one.where) for one in project.ignored] == [
        ("command", ("db",)),
        ("depends_on", ("backend", "proxy")),
        ("environment", ("db",)),
        ("expose", ("db",)),
        ("healthcheck", ("db",)),
        ("restart", ("db", "backend", "proxy")),
        ("secrets", ("the file", "db", "backend")),
    ]
