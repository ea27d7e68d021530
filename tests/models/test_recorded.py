"""The recorded endpoint over real HTTP: it answers as a model once did, or says why it cannot."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection
from threading import Event
from urllib.parse import urlsplit

import pytest

from swerun.errors import EndpointError
from swerun.models.recorded import INSTANCE_HEADER, serving
from swerun.models.recording import INFO, RecordingInfo, recordings, shipped
from swerun.ports import Message

OPENING = (Message("system", "You fix issues."), Message("user", "It is broken."))
RECORDING = RecordingInfo(name="r", recorded_from="a model", date="2026-01-01", protocol="tools")


def a_line(number, command, seen):
    arguments = json.dumps({"command": command})
    function = {"name": "bash", "arguments": arguments}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    return {
        "message": {"role": "assistant", "content": f"Reply {number}.", "tool_calls": [call]},
        "finish_reason": "tool_calls",
        "usage": {"prompt_tokens": 100 + number, "completion_tokens": 7},
        "observations": seen,
    }


CONVERSATIONS = {
    "a__b-1": [
        a_line(0, "ls", ["exit code 0\na.py"]),
        a_line(1, "pytest", ["exit code 1\n1 failed in 0.12s"]),
        a_line(2, "true", None),
        a_line(3, "true", ["exit code 0\n"]),
    ],
    "a__b-2": [a_line(0, "pwd", None)],
}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording")
    (folder / INFO).write_text(RECORDING.model_dump_json(), encoding="utf-8")
    for instance_id, lines in CONVERSATIONS.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{instance_id}.jsonl").write_text(text, encoding="utf-8")
    with serving(folder, "r") as served:
        yield served


@pytest.fixture
def conversation(url, ask):
    """conversation(id) -> say(*observations), which gives the reply to all that was said so far."""

    def about(instance_id):
        model, messages = ask(url, headers=((INSTANCE_HEADER, instance_id),)), [*OPENING]

        def say(*observations):
            last = messages[-1].reply
            ids = [call.id for call in last.calls] if last else []
            messages.extend(
                Message("tool", text, call_id=call_id)
                for text, call_id in zip(observations, ids, strict=True)
            )
            reply = model.reply(messages, deadline=None, cancel=Event())
            messages.append(Message("assistant", reply.text, reply=reply))
            return reply

        return say

    return about


def sent(url, method, path, body=None, headers=()):
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def completed(url, body, instance_id="a__b-1"):
    given = body if isinstance(body, str) else json.dumps(body)
    return sent(url, "POST", "/v1/chat/completions", given, {INSTANCE_HEADER: instance_id})


def test_each_reply_follows_from_how_many_came_before(conversation):
    say = conversation("a__b-1")
    first = say()
    assert (first.text, first.calls[0].arguments) == ("Reply 0.", {"command": "ls"})
    assert (first.usage.input_tokens, first.usage.output_tokens) == (100, 7)
    assert (first.finish_reason, first.model) == ("tool_calls", "r")
    assert say("exit code 0\na.py").text == "Reply 1."


def test_conversations_do_not_disturb_each_other(conversation):
    one, other = conversation("a__b-1"), conversation("a__b-1")
    third = conversation("a__b-2")
    assert one().text == "Reply 0."
    assert one("exit code 0\na.py").text == "Reply 1."
    assert other().text == "Reply 0."
    assert third().calls[0].arguments == {"command": "pwd"}


def test_an_observation_is_reported_as_the_same_or_as_another(conversation):
    say = conversation("a__b-1")
    assert say().replay is None  # nothing was shown yet
    assert say("exit code 0\na.py").replay == "same"
    assert say("exit code 0\n2 passed in 0.12s").replay == "differs"
    assert say("anything").replay is None  # the recording does not know


def test_a_duration_is_no_difference(conversation):
    say = conversation("a__b-1")
    say()
    say("exit code 0\na.py")
    assert say("exit code 1\n1 failed in 3.45s").replay == "same"


def test_past_its_end_a_recording_says_that_it_ended(conversation):
    say = conversation("a__b-2")
    say()
    with pytest.raises(EndpointError, match="recording r of a__b-2 ends after 1 replies"):
        say("/testbed")


@pytest.mark.parametrize("instance_id", ["a__b-3", "", "../a__b-1", "/etc/passwd"])
def test_an_instance_that_is_not_recorded_is_told_which_are(instance_id, url):
    status, answer = completed(url, {"messages": []}, instance_id)
    assert status == 404
    assert answer["error"]["code"] == "not_recorded"
    assert repr(instance_id) in answer["error"]["message"]
    assert "a__b-1, a__b-2" in answer["error"]["message"]


def test_an_instance_that_is_not_recorded_ends_an_attempt_at_once(conversation):
    with pytest.raises(EndpointError, match="no conversation about 'x'") as caught:
        conversation("x")()
    assert not caught.value.retry


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/completions", "/chat/completions"])
def test_a_path_that_is_not_there_is_named(path, url):
    for method in ("GET", "POST"):
        status, answer = sent(url, method, path, "{}" if method == "POST" else None)
        assert (status, answer["error"]["message"]) == (404, path)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "no JSON object"),
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        ("[" * 100_000, "no JSON object"),
        ({}, "`messages` has to be a list"),
        ({"messages": "hello"}, "`messages` has to be a list"),
        ({"messages": ["hello"]}, "`messages` has to be a list"),
        ({"messages": [], "stream": True}, "does not stream"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_is_no_request_is_refused_with_words(body, words, url):
    status, answer = completed(url, body)
    assert status == 400
    assert words in answer["error"]["message"]


def test_after_a_request_was_refused_the_next_one_is_answered(url):
    assert completed(url, "{")[0] == 400
    status, answer = completed(url, {"messages": [{"role": "user", "content": "Hello."}]})
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "Reply 0.")
    assert answer["object"] == "chat.completion"


@pytest.mark.parametrize("host", ["evil.example", "localhost:{port}", "127.0.0.1", "", None])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_was_sent_to_another_name_than_the_loopback_is_not_answered(method, host, url):
    port = urlsplit(url).port
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    path = "/v1/models" if method == "GET" else "/v1/chat/completions"
    connection.putrequest(method, path, skip_host=True)
    if host is not None:
        connection.putheader("Host", host.format(port=port))
    connection.putheader(INSTANCE_HEADER, "a__b-1")
    connection.endheaders()
    response = connection.getresponse()
    said = json.loads(response.read())["error"]["message"]
    connection.close()
    assert (response.status, response.will_close, "127.0.0.1" in said) == (421, True, True)


def test_two_hosts_are_none(url):
    answer = spoken(url, "Host: {here}", "Host: evil.example")
    assert answer.startswith(b"HTTP/1.1 421 ")


@pytest.mark.parametrize("length", ["-1", "x", "1e9", str(1 << 40)])
def test_a_body_of_no_length_or_of_any_is_not_waited_for(url, length):
    assert spoken(url, "Host: {here}", f"Content-Length: {length}").startswith(b"HTTP/1.1 413 ")


def spoken(url, *headers):
    """All that is answered to a POST with these headers, until the connection is closed."""
    here = urlsplit(url).netloc
    lines = ["POST /v1/chat/completions HTTP/1.1", *(line.format(here=here) for line in headers)]
    with socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_no_id_leads_out_of_the_recording(tmp_path):
    (tmp_path / "r").mkdir()
    line = json.dumps({"message": {"role": "assistant", "content": "elsewhere"}})
    (tmp_path / "other.jsonl").write_text(line, encoding="utf-8")
    with serving(tmp_path / "r", "r") as url:
        for instance_id in ("../other", str(tmp_path / "other"), "../r/../other"):
            assert completed(url, {"messages": []}, instance_id)[0] == 404


def test_a_connection_that_is_kept_gets_an_answer_to_each_request(url):
    connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
    for _ in range(2):
        connection.request("GET", "/v1/models")
        models = json.loads(connection.getresponse().read())
        assert [model["id"] for model in models["data"]] == ["r"]
    connection.close()


def test_it_is_gone_when_it_is_left(tmp_path):
    with serving(tmp_path, "r") as url:
        assert sent(url, "GET", "/v1/models")[0] == 200
    with pytest.raises(OSError, match="refused"):
        sent(url, "GET", "/v1/models")


@pytest.mark.parametrize("name", recordings())
def test_the_first_reply_of_each_shipped_conversation_can_be_had(name, ask):
    folder = shipped() / name
    with serving(folder, name) as url:
        for path in sorted(folder.glob("*.jsonl")):
            model = ask(url, headers=((INSTANCE_HEADER, path.stem),))
            reply = model.reply(OPENING, deadline=None, cancel=Event())
            assert reply.text or reply.calls
