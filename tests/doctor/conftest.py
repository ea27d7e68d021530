from __future__ import annotations

from tests.models.conftest import ask, clients

__all__ = ["ask", "clients"]
