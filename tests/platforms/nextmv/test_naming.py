"""Generated ids and names, as wire/nextmv.md 3.5 describes them."""

import re

import pytest

from aioruns.platforms.nextmv.naming import safe_id, safe_name_and_id, slug


def test_a_slug_is_eight_letters_and_digits():
    assert all(re.fullmatch(r"[a-z0-9]{8}", slug()) for _ in range(200))
    assert len({slug() for _ in range(200)}) == 200


@pytest.mark.parametrize(
    ("prefix", "kept"),
    [("batch", "batch"), ("a" * 28, "a" * 28), ("a" * 29, "a" * 27)],
)
def test_an_id_is_its_prefix_and_a_slug(prefix, kept):
    assert re.fullmatch(rf"{kept}-[a-z0-9]{{8}}", safe_id(prefix))
    assert len(safe_id(prefix)) <= 40


@pytest.mark.parametrize(
    ("prefix", "entity", "start"),
    [
        ("inpset", "scenario-1", "inpset-scenario-1"),
        # The trailing number does not fit any more.
        ("man-input", "scenario-3", "man-input-scenario"),
        ("man-input", "Rush hour!", "man-input-rush"),
        ("inpset", "Rush hour!", "inpset-rush-hour"),
        # Long single words are dropped entirely.
        ("inpset", "x" * 60, "inpset"),
        # Other than ASCII letters and digits separate words.
        ("inpset", "été là", "inpset-t-l"),
        ("p", "one two three four five six seven", "p-one-two-three-four-five"),
    ],
)
def test_words_of_the_entity_are_kept_as_long_as_they_fit(prefix, entity, start):
    name, made = safe_name_and_id(prefix, entity)
    assert re.fullmatch(rf"{start}-[a-z0-9]{{8}}", made)
    assert len(made) <= 40
    assert name == " ".join(word.capitalize() for word in made.split("-"))


@pytest.mark.parametrize(("prefix", "entity"), [("", "x"), ("x", "")])
def test_of_nothing_nothing_is_made(prefix, entity):
    assert safe_name_and_id(prefix, entity) == ("", "")
