"""Polling as its users set it (wire/nextmv.md 5)."""

import logging

import pytest
from tests.fakes import FakeClock

from aioruns.errors import GaveUp
from aioruns.platforms.nextmv import (
    DEFAULT_POLLING_OPTIONS,
    PollingOptions,
    default_polling_options,
)
from aioruns.platforms.nextmv.polling import poll

CALM = PollingOptions(initial_delay=0, jitter=0)


def never():
    async def ask():
        never.times += 1

    never.times = 0
    return ask


async def polled(options, ask):
    clock = FakeClock()
    return await poll(options, clock, ask, what="run r-1"), clock


def test_the_documented_defaults():
    assert PollingOptions() == DEFAULT_POLLING_OPTIONS == default_polling_options()
    assert (
        PollingOptions(
            backoff=0.9,
            delay=0.1,
            initial_delay=1,
            jitter=1,
            max_delay=20,
            max_duration=-1,
            max_tries=-1,
            verbose=False,
            stop=None,
        )
        == PollingOptions()
    )


def test_the_documented_pauses():
    calm = [CALM.pause(tries) for tries in range(1, 7)]
    assert calm == pytest.approx([1.9, 3.7, 7.3, 14.5, 20, 20])
    assert PollingOptions(jitter=0.5).pause(1, lambda: 1.0) == pytest.approx(2.4)
    assert CALM.pause(10_000) == 20


def test_jitter_added_after_the_cap():
    options = PollingOptions(max_delay=20, jitter=5)
    assert options.pause(10, lambda: 1.0) == 20
    assert options.pause(5, lambda: 1.0) == 20


async def test_the_answer_ends_it():
    answers = [None, None, "done"]

    async def ask():
        return answers.pop(0)

    clock = FakeClock(0)
    assert await poll(PollingOptions(jitter=0), clock, ask, what="run") == "done"
    assert clock.now() == pytest.approx(1 + 1.9 + 3.7)


async def test_tries_end_it():
    ask = never()
    clock = FakeClock(0)
    with pytest.raises(GaveUp, match="run r-1 was not ready after 3 tries"):
        await poll(PollingOptions(max_tries=3, jitter=0), clock, ask, what="run r-1")
    assert never.times == 3
    assert clock.now() == pytest.approx(1 + 1.9 + 3.7)  # no pause before the error


async def test_the_duration_ends_it_when_it_says():
    ask = never()
    clock = FakeClock(0)
    options = PollingOptions(max_duration=10, jitter=0, initial_delay=0)
    with pytest.raises(TimeoutError, match="not ready within 10 s"):
        await poll(options, clock, ask, what="run r-1")
    assert clock.now() == pytest.approx(10)  # and not at the end of a pause of 7.3 s
    assert never.times == 4


async def test_a_duration_of_nothing_allows_one_poll():
    ask = never()
    with pytest.raises(GaveUp):
        await polled(PollingOptions(max_duration=0), ask)
    assert never.times == 1


async def test_stop_ends_it_in_words():
    ask = never()
    with pytest.raises(GaveUp, match="stopped after 2 tries"):
        await polled(PollingOptions(stop=lambda: never.times == 2), ask)


async def test_polling_that_never_ends_without_saying_so(caplog):
    answers = iter(range(40))

    async def ask():
        return "done" if next(answers) == 39 else None

    with caplog.at_level(logging.INFO, "aioruns"):
        await polled(CALM, ask)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert all("without a limit: set max_duration" in line for line in said)


async def test_pauses_of_the_callers_own():
    answers = [None, None, "done"]

    async def ask():
        return answers.pop(0)

    clock = FakeClock(0)
    options = PollingOptions(initial_delay=0, sleep_duration_func=lambda: 7)
    await poll(options, clock, ask, what="run")
    assert clock.now() == 14
