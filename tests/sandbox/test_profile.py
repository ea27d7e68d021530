"""A profile in the engine's words."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from swerun.records import Resources
from swerun.sandbox.profile import CA_BUNDLE, CA_VARIABLES, Profile


def test_by_default_there_is_no_network_no_new_privilege_and_a_limit_on_everything():
    options = Profile().options()
    assert options["network_mode"] == "none"
    assert options["security_opt"] == ["no-new-privileges"]
    assert options["cap_drop"] == ["ALL"]
    assert not {"SYS_ADMIN", "SYS_PTRACE", "NET_RAW", "MKNOD", "SYS_CHROOT"} & {*options["cap_add"]}
    assert options["init"] is True
    assert options["mem_limit"] == options["memswap_limit"] == "4g"  # no swap on top of it
    assert (options["nano_cpus"], options["pids_limit"]) == (2_000_000_000, 512)
    assert options["ulimits"] == [{"name": "fsize", "soft": 10 << 30, "hard": 10 << 30}]
    assert (options["runtime"], options["log_config"]) == (None, {"type": "none"})
    assert (options["environment"], options["volumes"], options["user"]) == ({}, {}, None)


@pytest.mark.parametrize(
    ("profile", "key", "value"),
    [
        (Profile(resources=Resources(cpus=0.5)), "nano_cpus", 500_000_000),
        (Profile(resources=Resources(memory="1500m")), "memswap_limit", "1500m"),
        (Profile(resources=Resources(pids=64)), "pids_limit", 64),
        (
            Profile(resources=Resources(disk="1.5g")),
            "ulimits",
            [{"name": "fsize", "soft": 3 << 29, "hard": 3 << 29}],
        ),
        (Profile(resources=Resources(runtime="runsc")), "runtime", "runsc"),
        (Profile(network="bridge"), "network_mode", "bridge"),
        (Profile(capabilities=()), "cap_add", []),
        (Profile(user="nobody"), "user", "nobody"),
        (Profile(environment={"A": "b"}), "environment", {"A": "b"}),
    ],
)
def test_what_a_profile_says_the_engine_is_told(profile, key, value):
    assert profile.options()[key] == value


def test_a_ca_bundle_is_there_to_read_and_everybody_is_told_of_it_but_who_was_told_otherwise():
    bundle = Profile(ca_bundle=Path("/etc/ca.pem"), environment={"PIP_CERT": "/own"}).options()
    assert bundle["volumes"] == {"/etc/ca.pem": {"bind": CA_BUNDLE, "mode": "ro"}}
    assert bundle["environment"].pop("PIP_CERT") == "/own"
    assert bundle["environment"] == dict.fromkeys({*CA_VARIABLES} - {"PIP_CERT"}, CA_BUNDLE)


OTHERS = {
    "resources": [
        Resources(memory="1g"),
        Resources(cpus=1),
        Resources(pids=64),
        Resources(disk="1g"),
        Resources(runtime="runsc"),
    ],
    "network": ["bridge"],
    "capabilities": [("KILL",)],
    "user": ["nobody"],
    "environment": [{"A": "1"}, {"A": "2"}],
    "ca_bundle": [Path("/a.pem")],
}


def test_whatever_a_container_is_given_is_in_the_conditions_of_a_grade():
    assert {each.name for each in fields(Profile)} == set(OTHERS)
    others = [Profile(**{name: value}) for name, values in OTHERS.items() for value in values]
    conditions = [profile.conditions().model_dump_json() for profile in (Profile(), *others)]
    assert len(set(conditions)) == len(conditions)
    assert Profile().conditions().environment == ""


def test_what_may_be_a_secret_is_in_the_conditions_as_a_hash():
    profile = Profile(environment={"PROXY": "http://user:secret@host"})
    assert "secret" not in profile.conditions().model_dump_json()
