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


async def submit_once(
    platform: Platform,
    submission: Submission,
    *,
    look_first: bool = False,
    repeat_unknown: bool = False,
) -> RunRef:
    """Create a run so that it exists once, whatever the network does.

    A request that did not leave, or was refused by a rate limit, has been sent again
    by the session already. After an answer that leaves the outcome open, the run is
    looked for by its key, several times with pauses, before anything is sent again.

    Args:
        platform: Where.
        submission: What, and under which key.
        look_first: Whether an earlier process may have sent it already.
        repeat_unknown: Whether to send it again where it cannot be looked for, which
            may create a second run.

    Returns:
        The run, created now or found.

    Raises:
        CallError: The platform refused, or the outcome stayed unknown.
    """
    if look_first and platform.abilities.finds:
        # Its request may have arrived just before the process died.
        found = await _settle(platform, submission, _LEFT, repeat_unknown)
        if found is not None:
            return found
    for attempt in range(1, TRIES + 1):
        try:
            return await platform.create(submission)
        except CallError as error:
            # A repetition may be refused because the attempt before it acted after
            # all, so then its run is looked for, too.
            if attempt == 1 and not error.maybe_acted:
                raise
            if not platform.abilities.finds:
                if repeat_unknown and attempt < TRIES and not error.conclusive:
                    continue
                raise OutcomeUnknown(
                    f"whether run {submission.key} was created is not known, and "
                    f"{platform.name} offers no way to find it: {error.args[0]}; look "
                    "at the platform before you submit it again",
                    error.context,
                ) from error
            logger.info("looking for %s after: %s", submission.key, error)
            found = await _settle(platform, submission, error, repeat_unknown)
            if found is not None:
                return found
            if attempt == TRIES or not error.maybe_acted or error.conclusive:
                raise
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
