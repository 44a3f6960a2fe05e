"""Most tests here are of what helm renders: they run with both of its versions, and with every profile where asked."""

from pathlib import Path

import pytest
from helm_binaries import SOURCES, find_helm
from rendering import PROFILES, Object, render


@pytest.fixture(scope="session", params=sorted(SOURCES), ids=lambda major: f"helm{major}")
def helm(request: pytest.FixtureRequest) -> Path:
    found = find_helm(request.param)
    if found is None:
        pytest.skip(f"no helm {request.param}: `make test` brings it, or set HELM, or have it on the path")
    return found


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def objects(helm: Path, profile: str) -> tuple[Object, ...]:
    return render(helm, profile)


@pytest.fixture
def newest(profile: str) -> tuple[Object, ...]:
    """With one helm only, for what takes long: both render the same, which a test of its own shows."""
    found = next((found for major in sorted(SOURCES, reverse=True) if (found := find_helm(major))), None)
    if found is None:
        pytest.skip("no helm: `make test` brings it, or set HELM, or have it on the path")
    return render(found, profile)


@pytest.fixture
def everything(helm: Path) -> tuple[Object, ...]:
    return render(helm, "everything-on")
