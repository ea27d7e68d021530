"""What builds and gradings are told of the way out: only what is asked for."""

from __future__ import annotations

import pytest

from swerun.errors import InputError
from swerun.images.build import Settings
from swerun.images.outside import settings
from swerun.records import ImageOptions

ENVIRONMENT = {
    "HTTPS_PROXY": "http://proxy.example:3128",
    "no_proxy": "localhost",
    "HTTP_PROXY": "",
    "PIP_INDEX_URL": "http://mine.example",
    "SECRET": "s",
}


def test_nothing_of_the_environment_is_told_unasked():
    assert settings(ImageOptions(), ENVIRONMENT) == Settings()


def test_the_proxies_that_are_set_are_told_where_asked():
    assert settings(ImageOptions(proxy=True), ENVIRONMENT).proxies == {
        "HTTPS_PROXY": "http://proxy.example:3128",
        "no_proxy": "localhost",
    }


def test_the_options_of_a_build_are_its_settings(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    options = ImageOptions(
        index_url="http://index.example",
        ca_bundle=bundle,
        build_network="host",
        build_args={"A": "1"},
        platform="linux/amd64",
    )
    made = settings(options, {})
    assert made.variables == {"PIP_INDEX_URL": "http://index.example"}
    assert made.given()["A"] == "1"
    assert made.given()["PIP_CERT"] == "/etc/swerun-ca.pem"
    assert (made.network, made.platform, made.ca_bundle) == ("host", "linux/amd64", bundle)
    assert made.deciding() == ["A=1", "linux/amd64"]


def test_a_bundle_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(InputError, match="--ca-bundle"):
        settings(ImageOptions(ca_bundle=tmp_path / "none.pem"), {})
