"""Deployment files and docs match the code: the settings, metrics, paths, and commands they name exist."""

from __future__ import annotations

import http.client
import json
import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from interviewer import frontend
from interviewer.api.maintenance import _AVAILABLE_PATHS
from interviewer.cli import COMMANDS
from interviewer.cli.running import GRACE_SECONDS, KEEP_ALIVE_SECONDS
from interviewer.core import metrics
from interviewer.core.fair_queue import PATIENCE
from interviewer.errors import StartupError
from interviewer.interviews.turns import DRAIN_SECONDS
from interviewer.settings import ROOT, Environment, Settings
from tests.support.site import Site

SETTINGS = {name.upper() for name in Settings.model_fields}
# Variables for other programs, such as the database server and the load balancer.
FOREIGN = {"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "PGPASSWORD", "DOMAIN", "HEALTH_PATH", "TAG"}
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


class CloudFormation(yaml.SafeLoader):  # type: ignore[misc]
    """A YAML loader that turns CloudFormation's short-form functions (`!Ref x`) into objects with one key."""


def _function(loader: CloudFormation, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


CloudFormation.add_multi_constructor("!", _function)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text()))


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    return dict(yaml.load((ROOT / "infra" / "aws" / "site.yaml").read_text(), CloudFormation))


@pytest.fixture(scope="module")
def fly() -> dict[str, Any]:
    return tomllib.loads((ROOT / "fly.toml").read_text())


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions as pairs of keyword and arguments, without comments."""
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "Dockerfile").read_text()).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def commands(value: object) -> Iterator[list[str]]:
    """Yield every `interviewer` command line in a parsed document."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from commands(inner)
    elif isinstance(value, list):
        if value[:1] == ["interviewer"]:
            yield value
        for inner in value:
            yield from commands(inner)


# -- the image -------------------------------------------------------------------------------------------------------


def test_copied_files_exist_and_pass_dockerignore() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [part for word, rest in instructions() if word == "COPY" and "--from" not in rest for part in rest.split()[:-1]]
    assert len(copied) > 5
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert [path for path in copied if f"!{path}" not in ignored] == []


def test_image_has_every_source_of_a_build() -> None:
    copied = {part for word, rest in instructions() if word == "COPY" for part in rest.split()[:-1]}
    assert [path for path in (*frontend._SOURCES, *frontend._FILES) if path.split("/")[0] not in copied] == []


def test_image_runs_as_unprivileged_user() -> None:
    last = dict(instructions())
    assert last["USER"] == "10001:10001"
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert json.loads(last["CMD"]) == ["interviewer", "run"]
    assert json.loads(last["HEALTHCHECK"].partition(" CMD ")[2]) == ["python", "/app/deploy/healthcheck.py"]


def test_failed_build_keeps_old_pages_and_gives_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, path in {"WEB": tmp_path, "CLIENT": tmp_path / "client", "STAMP": tmp_path / "stamp"}.items():
        monkeypatch.setattr(frontend, name, path)
    (tmp_path / "client").mkdir()
    (tmp_path / "client" / "index.html").write_text("a page")
    (tmp_path / "stamp").write_text("of other settings")
    monkeypatch.setattr(frontend, "build_environment", lambda: {"PATH": str(tmp_path)})
    settings = Settings(_env_file=None, env=Environment.PRODUCTION, frontend_url="https://other.example")
    with pytest.raises(StartupError, match=r"FRONTEND_URL=https://other\.example/.*Node\.js is not installed"):
        frontend.build(settings)
    assert (tmp_path / "client" / "index.html").read_text() == "a page"
    assert (tmp_path / "stamp").exists()


# -- deployment files ------------------------------------------------------------------------------------------------


def test_compose_has_two_replicas_waiting_for_migration(compose: dict[str, Any]) -> None:
    services = compose["services"]
    copies = [name for name, service in services.items() if name.startswith("app-")]
    assert copies == ["app-1", "app-2"]
    for name in copies:
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert services[name]["read_only"] is True
    assert services["migrate"]["command"] == ["interviewer", "migrate"]
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    assert re.search(r"reverse_proxy app-1:3000 app-2:3000 \{", caddy)
    address = services["proxy"]["networks"]["front"]["ipv4_address"]
    assert all(services[name]["environment"]["TRUSTED_PROXIES"] == address for name in copies)


def test_every_setting_in_deployment_files_exists(compose: dict[str, Any], stack: dict[str, Any], fly: dict[str, Any]) -> None:
    given = set(fly["env"]) | set(fly["build"]["args"])
    for service in compose["services"].values():
        given |= set(service.get("environment", {}))
    given |= set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    for line in (ROOT / "deploy" / "env.example").read_text().splitlines():
        if name := re.match(r"#?([A-Z_]+)=", line):
            given.add(name[1])
    text = json.dumps(stack)
    given |= set(re.findall(r'"Name": "([A-Z][A-Z_]+)"', text))
    assert {"DATABASE_URL", "JWT_SECRET", "LEMON_VARIANT_ID_PREMIUM", "MAINTENANCE"} <= given
    assert given - SETTINGS - FOREIGN == set()


def test_deployments_set_everything_production_needs(stack: dict[str, Any], fly: dict[str, Any]) -> None:
    needed = {"FRONTEND_URL", "RESEND_API_KEY", "JWT_SECRET"}
    bare = " ".join(Settings(_env_file=None, env=Environment.PRODUCTION, frontend_url="").production_gaps)
    assert needed == set(re.findall(r"FRONTEND_URL|RESEND_API_KEY|JWT_SECRET", bare))
    [container] = stack["Resources"]["SiteTask"]["Properties"]["ContainerDefinitions"]
    given = {item["Name"] for item in [*container["Environment"], *container["Secrets"]] if "Name" in item}
    assert needed <= given
    assert fly["env"]["FRONTEND_URL"] == fly["build"]["args"]["FRONTEND_URL"]
    for name in needed - {"FRONTEND_URL"}:
        assert name in OPERATIONS
        assert f"{name}=" in (ROOT / "deploy" / "env.example").read_text()


def test_every_command_in_deployment_files_exists(compose: dict[str, Any], stack: dict[str, Any], fly: dict[str, Any]) -> None:
    found = [*commands(compose), *commands(stack), fly["deploy"]["release_command"].split()]
    assert len(found) >= 4
    assert {line[1] for line in found} <= set(COMMANDS)
    assert {line.split()[1] for line in re.findall(r"`(interviewer [a-z]+)", OPERATIONS)} <= set(COMMANDS)


def test_load_balancer_timeouts_match_server(compose: dict[str, Any], stack: dict[str, Any], fly: dict[str, Any]) -> None:
    balancer = stack["Resources"]["Balancer"]["Properties"]["LoadBalancerAttributes"]
    [idle] = [int(item["Value"]) for item in balancer if item["Key"] == "idle_timeout.timeout_seconds"]
    assert Settings(_env_file=None).openai_timeout + PATIENCE < idle < KEEP_ALIVE_SECONDS
    [container] = stack["Resources"]["SiteTask"]["Properties"]["ContainerDefinitions"]
    graces = [container["StopTimeout"], fly["kill_timeout"], int(compose["services"]["app-1"]["stop_grace_period"].rstrip("s"))]
    assert all(grace > DRAIN_SECONDS * 2 for grace in graces)
    [delay] = {int(service["environment"]["STOP_DELAY"]) for name, service in compose["services"].items() if "app-" in name}
    [interval] = re.findall(r"health_interval (\d+)s", (ROOT / "deploy" / "Caddyfile").read_text())
    assert int(interval) < delay
    assert delay + GRACE_SECONDS + DRAIN_SECONDS < min(graces)


def test_load_balancers_check_readiness(compose: dict[str, Any], fly: dict[str, Any]) -> None:
    assert "health_uri {$HEALTH_PATH:/ready}" in (ROOT / "deploy" / "Caddyfile").read_text()
    assert compose["services"]["proxy"]["environment"]["HEALTH_PATH"] == "${HEALTH_PATH:-/ready}"
    assert [check["path"] for check in fly["http_service"]["checks"]] == ["/ready"]


def test_health_checks_are_answered_under_maintenance(stack: dict[str, Any]) -> None:
    path = stack["Resources"]["Targets"]["Properties"]["HealthCheckPath"]
    assert path == {"If": ["Closed", "/live", "/ready"]}
    source = (ROOT / "deploy" / "healthcheck.py").read_text()
    scope: dict[str, Any] = {"__name__": "healthcheck"}
    exec(compile(source, "healthcheck.py", "exec"), scope)
    for value in ("on", "ON", "true", "1", "yes"):
        assert Settings(_env_file=None, maintenance=value).maintenance
        assert scope["path"](value) in _AVAILABLE_PATHS
    for value in ("off", "false", "0", ""):
        assert scope["path"](value) == "/health"
    assert "does not respond" in scope["check"](1, "/health")


@pytest.mark.slow
def test_idle_load_balancer_connection_stays_open(site: Site) -> None:
    connection = http.client.HTTPConnection("localhost", site.port, timeout=5)
    connection.request("GET", "/live")
    assert connection.getresponse().read() == b"alive"
    first = connection.sock
    time.sleep(7)  # longer than the server's default timeout of five seconds
    connection.request("GET", "/live")
    assert connection.getresponse().read() == b"alive"
    assert connection.sock is first, "the client had to reconnect"
    connection.close()


# -- monitoring ------------------------------------------------------------------------------------------------------


def exported() -> set[str]:
    """Return the names of all series that /metrics can export."""
    names = {sample.name for family in text_string_to_metric_families(metrics.exposition().decode()) for sample in family.samples}
    for family in metrics.REGISTRY.collect():
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        names |= {family.name + ending for ending in endings}
    return names


@pytest.mark.parametrize("path", ["deploy/grafana.json", "deploy/alerts.yaml"])
def test_metrics_in_dashboards_and_alerts_exist(path: str) -> None:
    text = (ROOT / path).read_text()
    document = json.loads(text) if path.endswith(".json") else yaml.safe_load(text)
    named = set(re.findall(r"\b(?:interviewer|process)_[a-z_]+", json.dumps(document)))
    assert len(named) >= 8
    assert named - exported() == set()


def test_operations_guide_explains_every_metric_and_alarm(stack: dict[str, Any]) -> None:
    families = [family for family in metrics.REGISTRY.collect() if family.name.startswith("interviewer_")]
    assert len(families) > 10
    assert [family.name for family in families if f"`{family.name}" not in OPERATIONS] == []
    rules = yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text())["groups"][0]["rules"]
    names = [rule["alert"] for rule in rules]
    names += [name for name, resource in stack["Resources"].items() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    assert [name for name in names if f"`{name}`" not in OPERATIONS] == []


def test_dashboard_panels_do_not_overlap_and_have_queries() -> None:
    panels = json.loads((ROOT / "deploy" / "grafana.json").read_text())["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(target["expr"] for panel in panels if panel["type"] != "row" for target in panel["targets"])


# -- documentation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/threat-model.md", "SECURITY.md"])
def test_files_named_in_docs_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    folder = (ROOT / name).parent
    linked = re.findall(r"\]\(([^)#:]+)\)", text)
    assert [target for target in linked if not (folder / target).exists()] == []
    named = re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|yaml|toml|example|json))`", text)
    roots = [ROOT, ROOT / "interviewer", ROOT / "tests"]
    assert [path for path in named if not any((root / path).exists() for root in roots)] == []


def test_settings_named_in_operations_guide_exist() -> None:
    written = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", OPERATIONS))
    assert len(written) > 8
    assert written - SETTINGS - FOREIGN == set()


def test_ci_runs_the_same_make_targets() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text())
    targets = {
        step["run"].split()[1]
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if step.get("run", "").startswith("make ")
    }
    makefile = (ROOT / "Makefile").read_text()
    assert targets == {"install", "lint", "test"}
    assert all(re.search(f"(?m)^{target}:", makefile) for target in targets)
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    assert all((ROOT / update["directory"].strip("/")).is_dir() for update in updates)
