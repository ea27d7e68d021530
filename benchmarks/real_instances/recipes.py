"""How the images of some real instances are made: the interpreter, packages and installation.

Facts of SWE-bench 4.1.0 (its constants for Python), with the versions of pytest that its published
images have; fewer packages where an instance's tests need no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from swerun.records import Instance

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


DJANGO = "asgiref==3.7.2 docutils==0.20.1 Jinja2==3.1.2 Pillow==10.0.0 PyYAML==6.0.1"
SPHINX = "tox==4.16.0 tox-current-env==0.0.11 Jinja2==3.0.3"
# of what pytest itself needs, which its source is installed beside
OLD_PYTEST = "attrs==23.1.0 more-itertools==10.1.0 packaging==23.1 py==1.11.0"
NEW_PYTEST = "attrs==23.1.0 iniconfig==2.0.0 packaging==23.1 pluggy==0.13.1 py==1.11.0"


@dataclass(frozen=True, slots=True)
class Recipe:
    """`packages` are pip's, installed before the repository is there; `install` is run in it."""

    python: str
    packages: str = ""
    install: str = "python -m pip install -e ."


def recipe_of(instance: Instance) -> Recipe:
    """Of its version, where that has one of its own."""
    repo = instance.task.repo
    return RECIPES.get(f"{repo} {instance.version}") or RECIPES[repo]


def _pytest(packages: str, before: str = "true") -> Recipe:
    return Recipe("3.9", packages, f"{before} && python -m pip install -e .")


def _sphinx(*bounds: str) -> Recipe:
    """`bounds` are of packages that have grown out of it, as setup.py has them and as it needs."""
    replaced = [
        ("Jinja2>=2.3", "Jinja2<3.0"),
        ("sphinxcontrib-applehelp", "sphinxcontrib-applehelp<=1.0.7"),
        ("sphinxcontrib-devhelp", "sphinxcontrib-devhelp<=1.0.5"),
        ("sphinxcontrib-qthelp", "sphinxcontrib-qthelp<=1.0.6"),
        ("alabaster>=0.7,<0.8", "alabaster>=0.7,<0.7.12"),
        ("'packaging',", "'packaging', 'markupsafe<=2.0.1',"),
        *((f"sphinxcontrib-{bound.split('<')[0]}", f"sphinxcontrib-{bound}") for bound in bounds),
    ]
    edits = " ".join(f'-e "s/{old}/{new}/"' for old, new in replaced)
    install = f"sed -i {edits} setup.py && sed -i 's/pytest/pytest -rA/' tox.ini"
    return Recipe("3.9", SPHINX, f"{install} && python -m pip install -e .[test]")


RECIPES: Mapping[str, Recipe] = {
    "psf/requests": Recipe("3.9", "pytest==7.4.4", "python -m pip install ."),
    "pallets/flask": Recipe(
        "3.11", " ".join(("setuptools==70.0.0", "Werkzeug==2.3.7", "pytest==7.4.4", *FLASK))
    ),
    "django/django": Recipe("3.8", f"{DJANGO} pytz==2023.3 sqlparse==0.4.4 tblib==3.0.0"),
    "pylint-dev/pylint": Recipe(
        "3.9", install="pip install -r requirements_test.txt && python -m pip install -e ."
    ),
    "pytest-dev/pytest 4.5": _pytest(
        f"{OLD_PYTEST} atomicwrites==1.4.1 pluggy==0.11.0 six==1.16.0 wcwidth==0.2.6"
        " setuptools==68.0.0"
    ),
    "pytest-dev/pytest 4.6": _pytest(
        f"{OLD_PYTEST} atomicwrites==1.4.1 pluggy==0.13.1 six==1.16.0 wcwidth==0.2.6"
    ),
    **{
        f"pytest-dev/pytest {version}": _pytest(
            f"{OLD_PYTEST} atomicwrites==1.4.1 pluggy==0.13.1 wcwidth==0.2.6"
        )
        for version in ("5.0", "5.1", "5.2")
    },
    "pytest-dev/pytest 5.4": _pytest(f"{OLD_PYTEST} pluggy==0.13.1"),
    "pytest-dev/pytest 6.0": _pytest(f"{NEW_PYTEST} more-itertools==10.1.0 toml==0.10.2"),
    "pytest-dev/pytest 6.2": _pytest(f"{NEW_PYTEST} toml==0.10.2"),
    "pytest-dev/pytest 6.3": _pytest(
        f"{NEW_PYTEST} toml==0.10.2", before="sed -i 's/>=>=/>=/' setup.cfg"
    ),
    "pytest-dev/pytest 7.2": _pytest(f"{NEW_PYTEST} tomli==2.0.1"),
    "sphinx-doc/sphinx 3.2": _sphinx("htmlhelp<=2.0.4", "serializinghtml<=1.1.9"),
    "sphinx-doc/sphinx 3.5": _sphinx("htmlhelp<=2.0.4", "serializinghtml<=1.1.9"),
    "sphinx-doc/sphinx 4.2": _sphinx("htmlhelp>=2.0.0,<=2.0.4", "serializinghtml>=1.1.5,<=1.1.9"),
    "mwaskom/seaborn": Recipe("3.9", SEABORN, "python -m pip install -e .[dev]"),
    "pydata/xarray": Recipe("3.10", XARRAY),
}
