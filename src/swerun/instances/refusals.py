"""Why a dataset cannot be had from the hub, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from swerun.errors import InputError

ELSEWHERE = "Or download its rows as .parquet, .jsonl or .json, and give that path as --subset."


@contextmanager
def explained(endpoint: str, what: str) -> Iterator[None]:
    """Raises InputError for whatever huggingface_hub raises about `what`."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
        RevisionResolutionError,
    )

    at = f"{what} at {endpoint}"
    try:
        yield
    except GatedRepoError as error:
        raise InputError(
            f"{at}: access has to be asked for: accept its conditions on its page there, and set "
            f"HF_TOKEN to a token of yours. {ELSEWHERE}"
        ) from error
    except RevisionNotFoundError as error:
        raise InputError(f"{at}: the dataset has no such revision") from error
    except RepositoryNotFoundError as error:
        raise InputError(f"{at}: {_UNKNOWN} {ELSEWHERE}") from error
    except HFValidationError as error:
        raise InputError(f"{at}: {error}") from error
    except (LocalEntryNotFoundError, RevisionResolutionError, HfHubHTTPError, HTTPError) as error:
        raise InputError(f"{at}: {_refused(error)} {ELSEWHERE}") from error


_UNKNOWN = "there is no such dataset, or it is private and HF_TOKEN is no token that may read it."


def _refused(error: BaseException) -> str:
    status = _status(error)
    if status in {401, 403}:
        return f"access was refused (HTTP {status}): set HF_TOKEN to a token that may read it."
    if status == 404:
        return _UNKNOWN
    if status == 429:
        return (
            "the hub limits your rate (HTTP 429): wait some minutes, or set HF_TOKEN to have more."
        )
    if status:
        return f"the hub answers with HTTP {status}: try again later."
    return (
        f"the hub cannot be reached ({_reason(error)}), and not all of it is in the cache: check "
        "the network, HF_ENDPOINT and HF_HUB_OFFLINE."
    )


def _status(error: BaseException | None) -> int | None:
    """The HTTP status that is at the bottom of it, if any is."""
    while error is not None:
        response = getattr(error, "response", None)
        if response is not None:
            return int(response.status_code)
        error = error.__cause__
    return None


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    first, _, _ = str(error).partition("\n")
    return f"{type(error).__name__}: {first}"
