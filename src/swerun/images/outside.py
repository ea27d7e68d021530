"""What builds and gradings are told of the way out: proxies, an index of packages, a CA bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from swerun.errors import InputError
from swerun.images.build import Settings
from swerun.records import ImageOptions

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def proxies(options: ImageOptions, environment: Mapping[str, str]) -> dict[str, str]:
    """Those that are set, where they are asked for; programs look for either spelling."""
    wanted = [name for each in PROXIES for name in (each, each.lower())]
    return {n: environment[n] for n in wanted if environment.get(n)} if options.proxy else {}


def variables(options: ImageOptions) -> dict[str, str]:
    return {"PIP_INDEX_URL": options.index_url} if options.index_url else {}


def bundle(options: ImageOptions) -> Path | None:
    """Raises InputError where it is not there."""
    if options.ca_bundle is None:
        return None
    if not options.ca_bundle.is_file():
        raise InputError(f"--ca-bundle {options.ca_bundle}: there is no such file")
    return options.ca_bundle.resolve()


def settings(options: ImageOptions, environment: Mapping[str, str]) -> Settings:
    """How images are built. Raises InputError for a CA bundle that is not there."""
    return Settings(
        network=options.build_network,
        arguments=dict(options.build_args),
        variables=variables(options),
        proxies=proxies(options, environment),
        ca_bundle=bundle(options),
        platform=options.platform,
    )
