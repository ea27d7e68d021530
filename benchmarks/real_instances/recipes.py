"""How the images of some real instances are made: the interpreter, packages and installation.

Facts of SWE-bench 4.1.0 (its constants for Python), with the versions of pytest that its published
images have; fewer packages where an instance's tests need no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FLASK = ("click==8.1.3", "itsdangerous==2.1.2", "Jinja2==3.1.2", "MarkupSafe==2.1.1")
SEABORN = (
    "contourpy==1.1.0 cycler==0.11.0 fonttools==4.42.1 importlib-resources==6.0.1 kiwisolver==1.4.5"
    " matplotlib==3.7.2 numpy==1.25.2 packaging==23.1 pandas==2.0.0 pillow==10.0.0"
    " pyparsing==3.0.9 pytest==7.4.4 python-dateutil==2.8.2 pytz==2023.3.post1 scipy==1.11.2"
    " six==1.16.0 tzdata==2023.1 zipp==3.16.2"
)
XARRAY = (
    "numpy==1.23.0 packaging==23.1 pandas==1.5.3 pytest==7.4.0 python-dateutil==2.8.2 pytz==2023.3"
    " six==1.16.0 scipy==1.11.1 setuptools==68.0.0 dask==2022.8.1 bottleneck==1.3.8 cftime==1.6.4"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """`packages` are pip's, installed before the repository is there; `install` is run in it."""

    python: str
    packages: str = ""
    install: str = "python -m pip install -e ."


RECIPES: Mapping[str, Recipe] = {
    "psf/requests": Recipe("3.9", "pytest==7.4.4", "python -m pip install ."),
    "pallets/flask": Recipe(
        "3.11", " ".join(("setuptools==70.0.0", "Werkzeug==2.3.7", "pytest==7.4.4", *FLASK))
    ),
    "pylint-dev/pylint": Recipe(
        "3.9", install="pip install -r requirements_test.txt && python -m pip install -e ."
    ),
    "mwaskom/seaborn": Recipe("3.9", SEABORN, "python -m pip install -e .[dev]"),
    "pydata/xarray": Recipe("3.10", XARRAY),
}
