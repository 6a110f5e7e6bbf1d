"""The files of deploy/ are well formed and agree with the service."""

from __future__ import annotations

import argparse
import configparser
import shlex
from pathlib import Path
from typing import Any

import yaml

from ppocr_lite.commands import serve
from ppocr_lite.serve.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = {"Mi": 2**20, "Gi": 2**30}


def parsed(*words: str) -> Settings:
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    return serve.make_settings(parser.parse_args(words))


def bytes_of(quantity: str) -> int:
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


def test_the_pods_are_probed_limited_and_end_in_time() -> None:
    deployment, service = yaml.safe_load_all((DEPLOY / "kubernetes.yml").read_text(encoding="utf-8"))
    pod: dict[str, Any] = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (deployment["kind"], service["kind"]) == ("Deployment", "Service")
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
    assert container["ports"][0]["containerPort"] == Settings.port
    assert {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe")} == {"/ready"}
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]
    settings = parsed(*container["args"])
    waits = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > settings.grace + waits
    (room,) = pod["volumes"]
    assert bytes_of(room["emptyDir"]["sizeLimit"]) > 1.25 * settings.max_spool
    assert container["volumeMounts"] == [{"name": room["name"], "mountPath": "/tmp"}]


def test_the_container_runs_without_rights() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    (user,) = (line.split()[1] for line in lines if line.startswith("USER"))
    assert int(user) > 0
    (command,) = (yaml.safe_load(line.removeprefix("ENTRYPOINT ")) for line in lines if line.startswith("ENTRYPOINT"))
    assert command[:2] == ["ppocr-lite", "serve"]
    assert parsed(*command[2:]).host == "0.0.0.0"
    assert f"EXPOSE {Settings.port}" in lines
    (service,) = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))["services"].values()
    assert service["ports"] == [f"127.0.0.1:{Settings.port}:{Settings.port}"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert int(service["stop_grace_period"].removesuffix("s")) > Settings.grace
    assert int(service["tmpfs"][0].partition("size=")[2].partition("m")[0]) * 2**20 > 1.25 * Settings.max_spool


def test_the_unit_of_systemd_gives_the_service_time_to_end() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "ppocr-lite.service", encoding="utf-8")
    program, verb, *options = shlex.split(unit["Service"]["ExecStart"])
    assert (Path(program).name, verb) == ("ppocr-lite", "serve")
    assert int(unit["Service"]["TimeoutStopSec"]) > parsed(*options).grace
    assert unit["Service"]["DynamicUser"] == "yes"
