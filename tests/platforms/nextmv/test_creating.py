"""Things with an id of the client's choice, created so that they exist once."""

import pytest
from tests.platforms.nextmv.scripted import MISSING, ScriptedNextmv

from aioruns.errors import (
    BadRequest,
    Conflict,
    GaveUp,
    NotSent,
    OutcomeUnknown,
    ServerFailure,
    Unreadable,
)

UNKNOWN = OutcomeUnknown("the connection was closed")
FAILED = ServerFailure("503", None, 503)
TAKEN = Conflict("409", None, 409)
MADE = {"id": "v9", "name": "Nine"}
POST = "POST /versions"
GET = "GET /versions/v9"


async def create(nextmv):
    return await nextmv.application("routing").new_version("v9", "Nine")


async def test_an_answer_is_all_it_takes():
    nextmv = ScriptedNextmv(MADE)
    assert (await create(nextmv)).name == "Nine"
    assert nextmv.calls == [POST]


@pytest.mark.parametrize(
    "doubt", [UNKNOWN, FAILED, GaveUp("the deadline"), Unreadable("HTML")]
)
async def test_a_creation_in_doubt_is_looked_for_before_anything_is_sent(doubt):
    nextmv = ScriptedNextmv(doubt, MADE)
    assert (await create(nextmv)).id == "v9"
    assert nextmv.calls == [POST, GET]


async def test_it_is_looked_for_again_since_reads_may_lag():
    nextmv = ScriptedNextmv(UNKNOWN, MISSING, MISSING, MADE)
    await create(nextmv)
    assert nextmv.calls == [POST, GET, GET, GET]
    assert nextmv.pauses == [0, 0.5, 1.5]


async def test_what_is_not_there_is_sent_again():
    nextmv = ScriptedNextmv(UNKNOWN, *[MISSING] * 4, MADE)
    await create(nextmv)
    assert nextmv.calls == [POST, *[GET] * 4, POST]


async def test_a_repetition_that_is_refused_finds_what_the_first_one_made():
    nextmv = ScriptedNextmv(UNKNOWN, *[MISSING] * 4, TAKEN, MADE)
    assert (await create(nextmv)).id == "v9"
    assert nextmv.calls[-2:] == [POST, GET]


@pytest.mark.parametrize(
    "refusal", [TAKEN, BadRequest("400", None, 400), NotSent("no route")]
)
async def test_a_first_refusal_is_raised_at_once(refusal):
    nextmv = ScriptedNextmv(refusal)
    with pytest.raises(type(refusal)):
        await create(nextmv)
    assert nextmv.calls == [POST]


async def test_somebody_else_s_thing_with_the_id_is_not_taken_for_it():
    theirs = MADE | {"name": "Theirs"}
    nextmv = ScriptedNextmv(UNKNOWN, theirs, TAKEN, theirs)
    with pytest.raises(Conflict):
        await create(nextmv)
    assert nextmv.calls == [POST, GET, POST, GET]


async def test_without_a_look_nothing_is_sent_again():
    nextmv = ScriptedNextmv(UNKNOWN, *[FAILED] * 4)
    with pytest.raises(OutcomeUnknown, match="could not be looked for"):
        await create(nextmv)
    assert nextmv.calls == [POST, *[GET] * 4]


async def test_it_ends():
    nextmv = ScriptedNextmv(*[UNKNOWN, *[MISSING] * 4] * 4)
    with pytest.raises(OutcomeUnknown):
        await create(nextmv)
    assert nextmv.calls.count(POST) == 4


async def test_an_odd_answer_to_a_creation_says_what_is_odd_and_is_not_repeated():
    nextmv = ScriptedNextmv({"name": "Nine"})
    with pytest.raises(Unreadable, match="id"):
        await create(nextmv)
    assert nextmv.calls == [POST]
