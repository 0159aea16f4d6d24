"""Create once: a key, a look, and only then a repetition."""

import hashlib
import logging
import os

from aioruns.errors import CallError, OutcomeUnknown
from aioruns.patience import Patience
from aioruns.seam import Platform, RunRef, Submission

logger = logging.getLogger("aioruns.submitting")

KEY_LENGTH = 64
"""Characters of a submission key, at most: platforms carry it in names."""

TRIES = 4
"""How often a submission in doubt is sent before its error is raised."""

_FURTHER_LOOKS = (5.0, 10.0, 20.0, 40.0)
"""Seconds before each look that is taken because the one before it failed."""

_LEFT = OutcomeUnknown("an earlier process ended while it was submitting it")


def new_key() -> str:
    """A submission key that nobody else makes."""
    return f"aioruns-{os.urandom(8).hex()}"


def retry_key(key: str | None, attempt: int) -> str:
    """The key of a further attempt: the given one's, told apart by the number.

    It is the same in every process; without a given key it is a new one.
    """
    if key is None:
        return new_key()
    told = f"{key}~{attempt}"
    if len(told) <= KEY_LENGTH:
        return told
    return f"aioruns-{hashlib.sha256(told.encode()).hexdigest()[:32]}"


async def find_earlier(
    platform: Platform, submission: Submission, *, repeat_unknown: bool
) -> RunRef | None:
    """Look for the run that an earlier process may have created.

    Its request may have arrived just before the process died.

    Raises:
        OutcomeUnknown: The platform could not be asked, and nothing may be sent twice.
    """
    if not platform.abilities.finds:
        return None
    return await _settle(platform, submission, _LEFT, repeat_unknown)


async def submit_once(
    platform: Platform,
    submission: Submission,
    failed: CallError,
    *,
    repeat_unknown: bool = False,
) -> RunRef:
    """Go on after a first attempt failed, so that the run exists once.

    A request that did not leave, or was refused by a rate limit, has been sent again
    by the session already. After an answer that leaves the outcome open, the run is
    looked for by its key, several times with pauses, before anything is sent again.

    Args:
        platform: Where.
        submission: What, and under which key.
        failed: What the first attempt ended with.
        repeat_unknown: Whether to send it again where it cannot be looked for, which
            may create a second run.

    Returns:
        The run, created now or found.

    Raises:
        CallError: The platform refused, or the outcome stayed unknown.
    """
    if not failed.maybe_acted:
        raise failed
    for attempt in range(1, TRIES + 1):
        may_go_on = attempt < TRIES and not failed.conclusive
        if platform.abilities.finds:
            # A repetition may be refused because the attempt before it acted after
            # all, so then its run is looked for, too.
            logger.info("looking for %s after: %s", submission.key, failed)
            found = await _settle(platform, submission, failed, repeat_unknown)
            if found is not None:
                return found
            if not (may_go_on and failed.maybe_acted):
                raise failed
        elif not (may_go_on and repeat_unknown):
            raise OutcomeUnknown(
                f"whether run {submission.key} was created is not known, and "
                f"{platform.name} offers no way to find it: {failed.args[0]}; look "
                "at the platform before you submit it again",
                failed.context,
            ) from failed
        try:
            return await platform.create(submission)
        except CallError as error:
            failed = error
    raise AssertionError


async def _settle(
    platform: Platform,
    submission: Submission,
    doubt: CallError,
    repeat_unknown: bool,  # noqa: FBT001 - passed on
) -> RunRef | None:
    """Look for the key, wait, and look again: lists lag behind."""
    failure: CallError | None = None
    settle, patience = platform.abilities.settle, Patience()
    for number, seconds in enumerate((0.0, *settle, *_FURTHER_LOOKS)):
        if number > len(settle) and not (
            failure and patience.endures(failure, platform.clock.now())
        ):
            break
        if seconds:
            await platform.clock.sleep(seconds)
        try:
            found = await platform.find(submission)
        except CallError as error:
            failure = error
            continue
        if found is not None:
            return found
        failure = None
    if failure is not None and not repeat_unknown:
        # Without a look nothing may be sent again, and the error of the look says
        # nothing of the submission.
        raise OutcomeUnknown(
            f"whether run {submission.key} was created is not known: {doubt.args[0]}; "
            f"and it could not be looked for: {failure.args[0]}",
            doubt.context,
        ) from failure
    return None
