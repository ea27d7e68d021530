"""Where an engine is looked for, and what is said if there is none."""

from __future__ import annotations

import gc
import socket

import pytest

from swerun.errors import NoEngineError
from swerun.sandbox.client import SYSTEM_SOCKET, addresses, connect

# the SDK leaves the socket of a connection that failed to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(autouse=True)
def _collected():
    yield
    gc.collect()


@pytest.fixture
def home(tmp_path):
    """A machine of a user with Docker Desktop and a rootless engine."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "docker.sock").touch()
    (tmp_path / ".docker" / "run").mkdir(parents=True)
    (tmp_path / ".docker" / "run" / "docker.sock").touch()
    return tmp_path


def test_the_systems_engine_comes_first_and_then_the_users_own(home):
    environment = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}
    assert addresses(environment) == [
        f"unix://{SYSTEM_SOCKET}",
        f"unix://{home}/run/docker.sock",
        f"unix://{home}/.docker/run/docker.sock",
    ]


def test_a_users_engine_that_is_not_there_is_not_tried(tmp_path):
    environment = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    assert addresses(environment) == addresses({}) == [f"unix://{SYSTEM_SOCKET}"]


def test_an_engine_that_was_named_is_the_only_one_tried(home):
    environment = {"HOME": str(home), "DOCKER_HOST": "tcp://192.0.2.1:2375"}
    assert addresses(environment) == ["tcp://192.0.2.1:2375"]
    assert addresses({"DOCKER_HOST": ""}) == addresses({})


def test_without_an_engine_it_is_said_what_was_tried_and_what_to_do(tmp_path):
    nowhere = f"unix://{tmp_path}/nowhere.sock"
    with pytest.raises(NoEngineError) as caught:
        connect({"DOCKER_HOST": nowhere})
    said = str(caught.value)
    assert nowhere in said
    assert "No such file" in said
    assert "DOCKER_HOST" in said
    assert "Start one" in said


@pytest.mark.parametrize("address", ["nonsense", "ftp://x", "tcp://127.0.0.1:1"])
def test_an_address_that_is_none_is_an_error_like_any_other(address):
    with pytest.raises(NoEngineError, match="no container engine answers"):
        connect({"DOCKER_HOST": address})


def test_what_listens_and_is_no_engine_is_none(tmp_path):
    path = str(tmp_path / "x.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.shutdown(socket.SHUT_RDWR)  # whoever calls is hung up on
        with pytest.raises(NoEngineError, match=r"x\.sock"):
            connect({"DOCKER_HOST": f"unix://{path}"})


@pytest.mark.docker
def test_the_engine_at_hand_is_found_and_answers(engine):
    assert engine.ping()
