"""Each import contract is seen to fail when it is broken, and to hold as we are."""

import os
import re
import shutil
import subprocess
import tomllib

import pytest

from tests.environment import ROOT

APPS = ("ops", "identity", "federation", "network", "catalog", "billing", "analytics")
# Planted file -> its text. One violation for each contract.
PLANTS = {
    "apps/ops/models/planted_up.py": "import apps.billing.enums\n",
    "dotmac/planted_room.py": "",
    "apps/planted_house/__init__.py": "",
    "apps/network/planted_helpers.py": "",
    "dotmac/core/planted_floor.py": "import apps.ops.enums\n",
    "apps/billing/rules/planted_pure.py": "import django\n",
    "apps/identity/operations/planted_callers.py": "import celery\n",
    **{
        f"dotmac/console/planted_{app}.py": f"import apps.{app}.models\n"
        for app in APPS
        if app != "analytics"
    },
    "dotmac/console/planted_analytics.py": "import apps.analytics.apps\n",
}
# Contract -> what its report must name.
CAUGHT = {
    "Nothing imports upward": "apps.ops.models.planted_up",
    "The root package has only the known rooms": "dotmac.planted_room",
    "There are only the known apps": "apps.planted_house",
    "Every app has the same inside": "apps.network.planted_helpers",
    "The floor knows no app": "dotmac.core.planted_floor",
    "Rules are pure": "apps.billing.rules.planted_pure",
    "Operations do not know how they were called": "apps.identity.operations.planted_callers",
    **{
        f"Outside {app} only its public face is imported": f"dotmac.console.planted_{app}"
        for app in APPS
    },
}


def lint(folder):
    return subprocess.run(
        ["lint-imports", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_house_keeps_its_contracts():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.fixture(scope="module")
def broken_house(tmp_path_factory):
    """A copy of the house with one violation for each contract."""
    folder = tmp_path_factory.mktemp("house")
    for name in ("apps", "dotmac"):
        ignored = shutil.ignore_patterns("__pycache__", "static", "templates")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, text in PLANTS.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    done = lint(folder)
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("contract", CAUGHT)
def test_a_broken_contract_is_named(broken_house, contract):
    assert f"{contract} BROKEN" in broken_house
    details = broken_house.split("Broken contracts", 1)[1]
    section = re.search(
        rf"^{re.escape(contract)}\n-+\n(.*?)(?=\n\S[^\n]*\n-{{4,}}\n|\Z)",
        details,
        re.MULTILINE | re.DOTALL,
    )
    assert section is not None
    assert CAUGHT[contract] in section.group(1)


def test_every_app_has_the_same_face():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
        "importlinter"
    ]["contracts"]
    faces = {
        c["id"].removeprefix("face_"): c
        for c in contracts
        if c["id"].startswith("face_")
    }
    assert set(faces) == set(APPS)
    texts = {str(face).replace(app, "APP") for app, face in faces.items()}
    assert len(texts) == 1
