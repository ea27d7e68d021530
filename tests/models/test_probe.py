"""The small request before a run: what counts as an endpoint that is there, and what does not."""

from __future__ import annotations

import socket
import time
from threading import Event, Thread

import pytest

from swerun.errors import CancelledError, EndpointError
from swerun.models.probe import probe
from tests.models.endpoint import Dropped, Said, Silence, completion, refused

SECRET = "sk-a1b2c3d4e5f6"


@pytest.fixture
def probed(ask):
    """probed(url, ...) makes the small request there."""

    def made(url, cancel=None, **given):
        model = ask(url, **given)
        probe(model.endpoint, model.client, cancel or Event())

    return made


@pytest.mark.parametrize(
    "answer",
    [
        completion(),
        refused(400, "max_tokens is not supported: use max_completion_tokens."),
        refused(400, "This model's maximum context length is 8 tokens."),
        refused(429, "Slow down."),
        refused(503, "The model is being loaded."),
    ],
    ids=lambda said: str(said.status),
)
def test_an_endpoint_that_is_there_passes(answer, serve, probed):
    server = serve(answer)
    probed(server.url)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_an_endpoint_that_refuses_does_not_pass_and_is_quoted(status, serve, probed):
    server = serve(refused(status, "Not like this."))
    with pytest.raises(EndpointError, match="Not like this") as caught:
        probed(server.url)
    assert server.url in str(caught.value)
    assert str(status) in str(caught.value)
    assert len(server.asked) == 1


def test_a_wrong_key_is_told_where_the_key_comes_from(serve, probed):
    with pytest.raises(EndpointError, match="--api-key-env"):
        probed(serve(refused(401, "Wrong key.")).url, api_key=SECRET)


def test_a_wrong_name_is_told_what_to_look_at(serve, probed):
    with pytest.raises(EndpointError, match="name right"):
        probed(serve(refused(404, "No such model.")).url)


def test_a_server_that_is_not_there_does_not_pass_and_is_named(probed):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: nobody else can be there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(EndpointError, match="Is the server running") as caught:
            probed(url)
    assert url in str(caught.value)


def test_a_server_that_hangs_up_does_not_pass(serve, probed):
    with pytest.raises(EndpointError, match="does not answer"):
        probed(serve(Dropped()).url)


def test_the_request_is_small_and_carries_the_key_and_nothing_of_the_environment(
    serve, probed, monkeypatch
):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-another-endpoint")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Other: of-another-endpoint")
    server = serve(completion())
    probed(server.url, api_key=SECRET)
    asked = server.asked[0]
    assert asked.body["model"] == "some-model"
    assert asked.body["max_tokens"] <= 16
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert "of-another-endpoint" not in str(asked.headers)


def test_the_key_is_in_no_error(serve, probed):
    def words(asked):
        return {"error": {"message": f"I do not like {asked.headers['authorization']}"}}

    with pytest.raises(EndpointError, match="I do not like") as caught:
        probed(serve(Said(words, 401)).url, api_key=SECRET)
    assert SECRET not in str(caught.value)


def test_a_server_that_never_answers_is_left_when_the_run_is_stopped(serve, probed):
    server, cancel, stopped_at = serve(Silence()), Event(), []

    def stop():
        server.silent.wait(5)
        stopped_at.append(time.monotonic())
        cancel.set()

    Thread(target=stop).start()
    with pytest.raises(CancelledError):
        probed(server.url, cancel=cancel)
    assert time.monotonic() - stopped_at[0] < 1
