"""Declared parameters: types, defaults and constraints (wire/cloudify.md 2.3)."""

import aiohttp
import pytest
from tests.local.test_cloudify import HEADERS, Api, Programs

from aioruns.local.cloudify.parameters import Illegal, declared

DECLARED = {
    "count": {"type": "integer", "default": 1, "constraints": [{"in_range": [1, 9]}]},
    "ratio": {"type": "float", "default": 0.5},
    "dry": {"type": "boolean", "default": False},
    "names": {"type": "list", "default": []},
    "who": {"type": "string", "constraints": [{"pattern": "[a-z]+"}]},
    "note": {"description": "free text", "required": False},
    "plain": {"default_of": "an object"},
}


@pytest.fixture
async def api(server):
    programs, facade = Programs(), server.cloudify
    facade.register("web", "scale", programs.echo, parameters=DECLARED)
    async with aiohttp.ClientSession(server.url, headers=HEADERS) as session:
        yield Api(session, programs, facade)


async def test_text_becomes_what_is_declared(api):
    given = {
        "count": "7",
        "ratio": "2.5",
        "dry": "true",
        "names": '["a"]',
        "who": "me",
    }
    made = await api.start("scale", parameters=given)
    assert made["parameters"] == {
        "count": 7,
        "ratio": 2.5,
        "dry": True,
        "names": ["a"],
        "who": "me",
        "note": None,
        "plain": {"default_of": "an object"},
    }
    await api.until(made)
    assert api.programs.seen[0][0] == made["parameters"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"who": 1},
        {"who": "ME"},
        {"who": "me", "count": "x"},
        {"who": "me", "count": 10},
        {"who": "me", "count": True},
        {"who": "me", "ratio": []},
        {"who": "me", "dry": "perhaps"},
        {"who": "me", "names": "not json"},
        {"who": "me", "names": {}},
        {"who": "me", "odd": 1},
    ],
)
async def test_refuses_values(api, given):
    body = {"deployment_id": "web", "workflow_id": "scale", "parameters": given}
    code = "illegal_execution_parameters_error"
    message = await api.refused("POST", "/executions", 400, code, body=body)
    named = next(iter(given.keys() - {"who"}), "who")
    assert named in message
    assert await api.ids() == []


async def test_deployments_show_what_is_declared(api):
    (workflow,) = (await api.get("/deployments/web"))["workflows"]
    assert workflow["parameters"]["count"] == {
        "required": False,
        "default": 1,
        "type": "integer",
        "constraints": [{"in_range": [1, 9]}],
    }
    assert workflow["parameters"]["who"]["required"] is True
    assert workflow["parameters"]["plain"] == {"default": {"default_of": "an object"}}


@pytest.mark.parametrize(
    ("rule", "argument", "good", "bad"),
    [
        ("equal", 3, 3, 4),
        ("greater_than", 3, 4, 3),
        ("greater_or_equal", 3, 3, 2),
        ("less_than", 3, 2, 3),
        ("less_or_equal", 3, 3, 4),
        ("in_range", [1, 3], 1, 0),
        ("valid_values", ["a", "b"], "a", "c"),
        ("length", 2, "ab", "a"),
        ("min_length", 2, [1, 2], [1]),
        ("max_length", 2, "ab", "abc"),
        ("pattern", "a+", "aa", "ba"),
        ("greater_than", 3, 4, "text"),
        ("pattern", "a+", "a", 1),
    ],
)
def test_constraints(rule, argument, good, bad):
    parameter = declared({"default": None, "constraints": [{rule: argument}]})
    assert parameter.accept("x", good) == good
    with pytest.raises(Illegal, match=rule):
        parameter.accept("x", bad)


def test_unknown_declarations_are_refused():
    for wrong in ({"type": "number"}, {"default": 1, "constraints": [{"odd": 1}]}):
        with pytest.raises(ValueError, match="choose one of"):
            declared(wrong)
    for value in (None, 3, "text", [1], {}, {"a": 1}):
        assert declared(value).default == value
        assert not declared(value).required
