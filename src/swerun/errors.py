"""The exception tree. A class says whose fault it is and whether trying again can help.

SwerunError
  - InputError               what the user gave is wrong                  exit code 2
      - NoEngineError        no container engine answers
      - NewerFormatError     a file of a newer swerun
  - StorageError             a file could not be written                  ends the run, exit code 1
  - CancelledError           the user stopped it                          never retry
  - InstanceError            the instance on disk is wrong                never retry
  - ImageError               the image could not be pulled or built       retry
      - ImageMissingError    there is no such image, for good             never retry
      - ImageRefusedError    not the one that is pinned, or too large   never retry
      - ImageBusyError       a registry's rate limit                      retry
  - SandboxError             the engine said no, or the container is gone retry
      - SandboxLostError     the container died under a command           the stop `sandbox_lost`
  - EndpointError            the endpoint refused for good                never retry
      - EndpointBusyError    5xx, dropped connection, timeout, no reply  retry
          - RateLimitError   too many requests                        retry
          - EndpointDownError nobody is there, or nobody is ready     retry
      - EndpointShutError    no request will be served: the run is over   never retry
      - ContextLengthError   the conversation is too long                 the stop `context_limit`
  - GraderError              the tests could not be run at all            retry
  - RecordingOverError       all that was recorded has been done again    the end of a replay

Anything that is not a SwerunError is a bug in swerun.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import ClassVar

from swerun.records import Fault


class SwerunError(Exception):
    """A message says what was tried, what came back, and what to do."""

    fault: ClassVar[Fault] = Fault.SWERUN
    retry: ClassVar[bool] = False


class InputError(SwerunError):
    pass


class NoEngineError(InputError):
    pass


class NewerFormatError(InputError):
    pass


class StorageError(SwerunError):
    @classmethod
    def of(cls, path: Path, error: OSError) -> StorageError:
        """What to tell a user whose disk is full, or whose folder is not theirs."""
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            todo = "Make room, and run the same command again"
        elif error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
            todo = "Make it writable, or choose another folder (--runs, --cache)"
        else:
            todo = "Mend that, and run the same command again"
        return cls(f"{path} could not be written: {error.strerror}. {todo}; what is done is kept.")


class CancelledError(SwerunError):
    pass


class InstanceError(SwerunError):
    fault = Fault.INSTANCE


class ImageError(SwerunError):
    fault = Fault.IMAGE
    retry = True


class ImageMissingError(ImageError):
    retry = False


class ImageRefusedError(ImageError):
    retry = False


class ImageBusyError(ImageError):
    """`wait` is how many seconds the registry asked for, if that was heard."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class SandboxError(SwerunError):
    fault = Fault.SANDBOX
    retry = True


class SandboxLostError(SandboxError):
    pass


class EndpointError(SwerunError):
    fault = Fault.ENDPOINT


class EndpointBusyError(EndpointError):
    """`wait` is how many seconds the endpoint asked for, if it did (Retry-After)."""

    retry = True

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class RateLimitError(EndpointBusyError):
    """All who ask this endpoint have to wait, and to ask less at once."""


class EndpointDownError(EndpointBusyError):
    """It cannot be reached, or says that it is not ready: one asks from time to time, for all."""


class EndpointShutError(EndpointError):
    """The key is refused, the account is empty, patience has come to an end."""


class ContextLengthError(EndpointError):
    pass


class GraderError(SwerunError):
    fault = Fault.GRADER
    retry = True


class RecordingOverError(SwerunError):
    pass
