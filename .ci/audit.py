"""What pip-audit found, told from its JSON: fails for a known vulnerability, and only for that.

pip-audit itself ends well where no service answered for any package: "No known vulnerabilities
found". Here what nobody was asked about is said, loudly.
"""

from __future__ import annotations

import json
import sys

NAMED = 5
OWN = "swerun"


def told(text: str) -> tuple[int, list[str]]:
    """The exit code, and lines for whoever reads the log; `text` is `pip-audit --format json`."""
    try:
        packages = [each for each in json.loads(text)["dependencies"] if each["name"] != OWN]
    except (ValueError, KeyError, TypeError):
        return 0, ["AUDIT SKIPPED: no service of advisories could be reached. Nothing is known."]
    known = [each for each in packages if "skip_reason" not in each]
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    found = [(each, flaw) for each in known for flaw in each["vulns"]]
    lines = [_told(each, flaw) for each, flaw in found]
    if not known:
        lines.append(f"AUDIT SKIPPED: of {len(packages)} packages none was known to the service.")
    elif unknown:
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        lines.append(f"NOT AUDITED: {', '.join(unknown[:NAMED])}{more}")
    if known:
        lines.append(f"{len(known)} packages audited, {len(found)} known vulnerabilities")
    return int(bool(found)), lines


def _told(package: dict[str, object], flaw: dict[str, list[str] | str]) -> str:
    mended = ", ".join(flaw["fix_versions"]) or "no version"
    return f"VULNERABLE: {package['name']} {package['version']}: {flaw['id']}, mended in {mended}"


if __name__ == "__main__":
    code, said = told(sys.stdin.read())
    print("\n".join(said))
    sys.exit(code)
