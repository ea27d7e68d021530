"""docker-compose.yml: every profile is sound, and the services do the main job in the engine."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from swerun.instances.subsets import load_instances
from swerun.runs.store import RunStore
from tests.cli.swerun_process import containers_of

pytestmark = pytest.mark.docker
PROJECT = Path(__file__).parent.parent
SERVICES = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
PROFILES = sorted({p for service in SERVICES.values() for p in service.get("profiles", [])})
IDS = [instance.id for instance in load_instances("sample")]
# two files with this and no line end in them: put one after another as they are, they are no PEM
AUTHORITY = """-----BEGIN CERTIFICATE-----
MIIBqTCCAU+gAwIBAgIUAiI2SU1s0ugOSTDMOGljGFqEalMwCgYIKoZIzj0EAwIw
KTEnMCUGA1UEAwweYW4gYXV0aG9yaXR5IG9mIHN3ZXJ1bidzIHRlc3RzMCAXDTI2
MTEyNTA0MjcyN1oYDzIxMjYxMTAxMDQyNzI3WjApMScwJQYDVQQDDB5hbiBhdXRo
b3JpdHkgb2Ygc3dlcnVuJ3MgdGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATDbrhBCmHh/8C3wgPQJtjrDd3OJnkXnOmghxqagH2LF9fNEkbn1UfCyheUwnqi
YXy4FTL5Tjd7lRaHD+9n86oxo1MwUTAdBgNVHQ4EFgQUQcwG8YwQjoUceDahug0Q
pnOetoowHwYDVR0jBBgwFoAUQcwG8YwQjoUceDahug0QpnOetoowDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA8IJx3hBp4SHDSdt4L3+Be8Mz4r14
FXzLlvRl0kvLNkACIHuCc2XAvQ6b45TKciexCG7Si8lZuCdd0L9jE+P4q9uo
-----END CERTIFICATE-----"""
TRUSTED = "import ssl; print(ssl.create_default_context().get_ca_certs())"


@pytest.fixture(scope="session")
def command():
    """Compose, by whichever name it goes here."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    asked = subprocess.run(["docker", "compose", "version"], capture_output=True, text=True)
    if asked.returncode != 0:
        pytest.skip("neither docker-compose nor docker compose is installed here")
    return ["docker", "compose"]


@dataclass(frozen=True)
class Compose:
    """Compose in a copy of the checkout, with an image and a project of the test's own."""

    folder: Path
    command: list[str]
    name: str

    @property
    def image(self) -> str:
        return f"swerun-tests/runner:{self.name}"

    def __call__(self, *args: str) -> subprocess.CompletedProcess[str]:
        files = ["--file", "docker-compose.yml", "--file", "image.yml"]
        return subprocess.run(
            [*self.command, "--project-name", f"swerun-tests-{self.name}", *files, *args],
            cwd=self.folder,
            env=os.environ | {"COLUMNS": "160"},
            capture_output=True,
            text=True,
        )

    def did(self, *args: str) -> str:
        done = self(*args)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, *args: str) -> str:
        return self.did("run", "--rm", "-T", *args)

    def reports(self) -> dict[str, dict]:
        """The report of each run so far, by its model."""
        read = [json.loads(p.read_text()) for p in self.folder.glob("runs/*/report.json")]
        return {report["model"]: report for report in read}


def copied(folder: Path) -> None:
    """What the engine is given to build from, so that nothing is left in the checkout."""
    shown = (PROJECT / ".dockerignore").read_text().splitlines()
    names = [line.removeprefix("!") for line in shown if line.startswith("!")]
    for name in ["docker-compose.yml", ".dockerignore", *names]:
        put = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        (folder / name).parent.mkdir(exist_ok=True)
        put(PROJECT / name, folder / name)
    trusted = folder / "images" / "runner" / "ca"
    for name in ("one", "two"):
        (trusted / f"{name}.pem").write_text(AUTHORITY)
    if bundle := ssl.get_default_verify_paths().cafile:  # a proxy's certificate may be in it
        shutil.copy(bundle, trusted / "machine.pem")


@pytest.fixture(scope="module")
def compose(command, engine, base_image, tmp_path_factory):
    """The runner's image, built; all of it goes in the end."""
    made = Compose(tmp_path_factory.mktemp("checkout"), command, uuid.uuid4().hex[:8])
    copied(made.folder)
    images = {name: {"image": made.image} for name in SERVICES if name != "vllm"}
    (made.folder / "image.yml").write_text(yaml.safe_dump({"services": images}))
    try:
        made.did("build", "swerun")
        yield made
        # what root wrote in there, whoever runs the tests removes
        made.run("--entrypoint", "chmod", "swerun", "--recursive", "a+rwX", "/swerun/runs")
    finally:
        profiles = [word for profile in PROFILES for word in ("--profile", profile)]
        made(*profiles, "down", "--volumes", "--remove-orphans")
        with_image = [image for image in engine.images.list() if made.image in image.tags]
        if with_image:
            engine.images.remove(made.image, force=True)


@pytest.mark.parametrize("profile", [None, *PROFILES])
def test_the_file_is_sound_in_every_profile(command, profile):
    chosen = ["--profile", profile] if profile else []
    done = subprocess.run(
        [*command, *chosen, "config"], cwd=PROJECT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    services = yaml.safe_load(done.stdout)["services"]
    wanted = {name for name, s in SERVICES.items() if s.get("profiles", [profile]) == [profile]}
    assert wanted
    assert wanted <= set(services)


def test_the_model_and_the_subset_are_the_environments(command):
    given = {"MODEL": "some/model", "SUBSET": "verified", "PIP_INDEX_URL": "http://mirror/"}
    done = subprocess.run(
        [*command, "--profile", "gpu", "config"],
        cwd=PROJECT,
        env=os.environ | given,
        capture_output=True,
        text=True,
    )
    services = yaml.safe_load(done.stdout)["services"]
    assert "--model=some/model" in services["vllm"]["command"]
    assert {"--model=some/model", "--subset=verified"} <= set(services["measure"]["command"])
    assert services["swerun"]["build"]["args"]["PIP_INDEX_URL"] == "http://mirror/"


@pytest.mark.index
def test_the_service_resolves_the_samples_gold_on_the_engine_whose_socket_it_has(compose, engine):
    compose.run("swerun")
    report = compose.reports()["gold"]
    assert report["resolved"] == report["n"] == len(IDS)
    (run,) = compose.folder.glob("runs/gold-*")
    assert containers_of(engine, RunStore(run).label()) == []


@pytest.mark.index
def test_the_demo_is_a_whole_run_without_a_key(compose):
    compose.did("--profile", "demo", "up", "--exit-code-from", "demo", "demo")
    reports = [each for model, each in compose.reports().items() if model.startswith("demo/")]
    assert len(reports) == 2
    assert [report["graded"] for report in reports] == [len(IDS)] * 2


@pytest.mark.index
def test_certificates_in_its_folder_are_trusted_in_the_runner(compose):
    trusted = compose.run("--entrypoint", "/opt/swerun/bin/python", "swerun", "-c", TRUSTED)
    assert "an authority of swerun's tests" in trusted


@pytest.mark.index
def test_an_endpoint_of_this_machine_has_a_name_in_the_runner(compose):
    assert compose.run("--entrypoint", "getent", "swerun", "hosts", "host.docker.internal")


@pytest.mark.index
def test_stopping_the_service_ends_a_run_in_order(compose, engine):
    run = f"stopped-{compose.name}"
    model = ("--model", "demo/handwritten", "--run", run)
    compose.did("run", "--detach", "--name", run, "swerun", *model)
    service = engine.containers.get(run)
    try:
        deadline = time.monotonic() + 60
        while not containers_of(engine, run) and time.monotonic() < deadline:
            service.reload()
            assert service.status != "exited", service.logs().decode()
            time.sleep(0.1)
        assert containers_of(engine, run), service.logs().decode()
        service.stop(timeout=10)
        assert service.wait()["StatusCode"] == 130, service.logs().decode()
    finally:
        service.remove(force=True)
        left = containers_of(engine, run)
        for container in left:
            container.remove(force=True)
    assert left == []
    assert (compose.folder / "runs" / run / "report.json").exists()
