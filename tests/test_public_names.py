"""The public doors: what is named at the top is there, and is one thing."""

import subprocess
import sys

import pytest

import aioruns


@pytest.mark.parametrize("name", aioruns.__all__)
def test_every_public_name_is_there(name):
    assert getattr(aioruns, name) is not None
    assert name in dir(aioruns)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = aioruns.nothing


@pytest.mark.parametrize("platform", ["nextmv", "kubeflow", "abeja", "cloudify"])
def test_a_platform_has_a_module_of_its_own_name(platform):
    client = platform.capitalize()
    code = (
        f"from aioruns.{platform} import {client} as door\n"
        f"import aioruns, aioruns.platforms.{platform} as home\n"
        f"assert door is aioruns.{client} is home.{client}\n"
        f"missing = [n for n in home.__all__ if not hasattr(aioruns.{platform}, n)]\n"
        "assert not missing, missing"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_importing_the_package_does_not_load_the_http_stack():
    code = "import sys, aioruns; assert 'aiohttp' not in sys.modules"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
