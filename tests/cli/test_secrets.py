"""The key is nowhere: not below the runs folder, not in a recording, not in a container, and not in
what is said, whatever an endpoint makes of it."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote

import pytest

from swerun.instances.subsets import load_instances
from tests.models.endpoint import Asked, Said, answering, completion
from tests.models.test_protocols import a_call

pytestmark = pytest.mark.docker
ID = next(iter(load_instances("sample"))).id
KEY = "sk-proj-0123456789abcdefghij"
PASSWORD = "pass/word-of-the-proxy-22"
QUERY = "query-secret-of-the-gateway-33"
SECRETS = (KEY, "word-of-the-proxy-22", QUERY, b64encode(f"user:{PASSWORD}".encode()).decode())
SPY = "env; cat /proc/*/environ; cat /proc/*/cmdline; ls -la / /root; cat /etc/*.pem"


def echo(asked: Asked) -> str:
    """All that the endpoint was sent beside the conversation, which it should not repeat."""
    password = PASSWORD if "Basic" in asked.headers["authorization"] else ""
    return f"{asked.path} {json.dumps(asked.headers)} {KEY} {password}"


def headers(asked: Asked):
    return {"X-Echo": echo(asked), "X-Request-Id": KEY, "Set-Cookie": f"key={KEY}"}


def refusing(status):
    def answer(asked):
        said = {"error": {"message": f"Not with {echo(asked)}", "param": KEY, "code": KEY}}
        return Said(said, status, headers(asked))

    return answer


def escaped(text):
    """As JSON may say it too."""
    return "".join(f"\\u{ord(c):04x}" for c in text)


def garbled(asked):
    return Said(f"<html>{echo(asked)}</html>", 200, headers(asked))


def hidden(asked):
    body = f'{{"error": {{"message": "{escaped(KEY)} is wrong"}}}}'
    return Said(body, 500, {"Content-Type": "application/json"})


def replying(*calls):
    def answer(asked):
        message = {
            "role": "assistant",
            "content": f"I was sent {echo(asked)}",
            "reasoning_content": f"It is {KEY}",
            "tool_calls": [a_call(name, json.dumps(given)) for name, given in calls],
            "extra": {"deep": [KEY, QUERY]},
        }
        made = completion(message, finish="tool_calls", model=f"model {KEY}", id=KEY)
        return Said(made.body, 200, headers(asked))

    return answer


BASH = replying(("bash", {"command": f"{SPY}; echo {KEY} >>README.md"}))
SUBMIT = replying(("submit", {}))


LOGIN = f"user:{quote(PASSWORD, safe='')}@"


def url_of(server, login=LOGIN):
    return f"http://{login}{server.url.removeprefix('http://')}?api_key={QUERY}"


def found(folder, *texts):
    """Where a secret is, in files below `folder` and in what was said."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    there = {str(p): p.read_bytes() for p in files} | {
        f"said {number}": text.encode() for number, text in enumerate(texts)
    }
    return [
        (place, secret)
        for place, data in there.items()
        for secret in SECRETS
        if secret.encode() in data or json.dumps(secret).encode() in data
    ]


def test_the_key_is_in_no_file_and_in_nothing_that_is_said(swerun, base_image):
    answers = (BASH, refusing(500), hidden, garbled, BASH, refusing(429), SUBMIT)
    shown = []
    with answering(BASH, *answers) as server:
        command = ("--model", "m", "--base-url", url_of(server), "-i", ID, "--run", "x")
        done = swerun(*command, "--record", "rec", OPENAI_API_KEY=KEY)
        assert done.returncode == 0, done.stderr
        assert QUERY in server.asked[1].path
        assert SECRETS[-1] in server.asked[1].headers["authorization"], "the URL's, not the key"
        assert all(KEY not in json.dumps(asked.body) for asked in server.asked)
        shown += [done.stdout, done.stderr]
        doctor = ("doctor", "--model", "m", "--base-url", url_of(server))
        shown += [(seen := swerun(*doctor, OPENAI_API_KEY=KEY)).stdout, seen.stderr]
    for reading in (
        *(("show", "x", ID), ("show", "x", ID, "--json"), ("show", "x", "--fingerprint")),
        *(("report", "x", "--json"), ("report", "x"), ("why", "x"), ("list",)),
    ):
        seen = swerun(*reading)
        assert seen.returncode == 0, seen.stderr
        shown += [seen.stdout, seen.stderr]
    steps = next(swerun.folder.glob("runs/x/attempts/*/*/steps.jsonl")).read_text()
    assert steps.count("[the key]") > 5, "the endpoint did put it there"
    assert len(list((swerun.folder / "rec").rglob("*.jsonl"))) == 1
    assert found(swerun.folder, *shown) == []


def test_the_key_is_not_in_what_a_refusal_leaves(swerun, base_image):
    with answering(BASH, BASH, refusing(401)) as server:
        url = url_of(server, login="")
        command = ("--model", "m", "--base-url", url, "-i", ID, "--retries", "0")
        done = swerun(*command, OPENAI_API_KEY=KEY)
        again = swerun(*command, "--fresh", OPENAI_API_KEY=KEY)  # refused by the first request
    assert server.asked[1].headers["authorization"] == f"Bearer {KEY}"
    assert "Not with " in done.stderr
    (attempt,) = swerun.attempts()
    assert attempt["outcome"] == "endpoint_failed"
    assert "[the key]" in attempt["failure"]["message"]
    assert found(swerun.folder, done.stdout, done.stderr, again.stdout, again.stderr) == []


@pytest.mark.parametrize(
    "args",
    [
        ("--extra-body", json.dumps({"auth": [{"token": KEY}]})),
        ("--extra-body", json.dumps({"url": "http://me:word-of-the-proxy-22@host/"})),
        ("--extra-body", json.dumps({"odd": f"no pattern knows {QUERY}"})),
        ("--api-key-env", KEY),
        ("--api-key-env", "sk_" + "0" * 20),
        ("--agent", f"command:fix --key {KEY}", "--network", "host"),
        ("--agent", f"command:fix --key={QUERY}", "--network", "host"),
        ("--config", "c.yaml"),
    ],
)
def test_a_key_where_it_would_be_stored_is_refused_and_not_repeated(swerun, args):
    body = {"sampling": {"extra_body": {"key": KEY}}}
    (swerun.folder / "c.yaml").write_text(json.dumps(body))
    url = f"http://127.0.0.1:9/v1?api_key={QUERY}"
    done = swerun("--model", "m", "--base-url", url, *args, OPENAI_API_KEY=KEY)
    assert done.returncode == 2
    assert "key" in done.stderr
    assert not any(secret in done.stderr + done.stdout for secret in (*SECRETS, "sk_0000"))
    assert not (swerun.folder / "runs").exists()


def test_a_key_that_a_command_agent_writes_down_is_not_in_its_patch_nor_in_what_is_said_of_it(
    swerun, base_image
):
    url = f"http://127.0.0.1:9/v1?api_key={QUERY}"
    agent = "command:echo $OPENAI_API_KEY >>README.md; echo $OPENAI_BASE_URL >new; kill -9 -1"
    command = ("--model", "m", "--base-url", url, "--agent", agent, "--network", "host", "-i", ID)
    done = swerun(*command, OPENAI_API_KEY=KEY)
    assert done.returncode == 0, done.stderr
    (attempt,) = swerun.attempts()
    assert attempt["stop"] == "sandbox_lost"
    (patch,) = swerun.folder.glob("runs/*/attempts/*/*/patch.diff")
    assert patch.read_text().count("+[the key]") == 1
    assert found(swerun.folder, done.stdout, done.stderr) == []
