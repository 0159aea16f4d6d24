"""Marks of nodes: what is asked again, and positions that stay short."""

import json

import pytest

from aioruns.errors import InvalidInput
from aioruns.platforms.kubeflow.marks import Mark, Marks, read_marks, told
from aioruns.platforms.kubeflow.nodelogs import unread
from aioruns.platforms.kubeflow.workflow import Node


def pod(number, minute=0, phase="Succeeded"):
    """A pod of a run whose nodes have eight-digit hashes."""
    started = f"2024-05-01T10:{minute:02}:05Z"
    node_id = f"train-x7k2p-{number:08}"
    return Node(id=node_id, kind="Pod", phase=phase, started=started)


LIVE = Node(id="n", kind="Pod", phase="Running", started="t1")
ENDED = Node(id="n", kind="Pod", phase="Succeeded", started="t1")
RETRIED = Node(id="n", kind="Pod", phase="Running", started="t9")
PENDING = Node(id="p", kind="Pod", phase="Pending")
DONE = Mark(2, 0, done=True)


def asked(nodes, marks, *, run_ended=False):
    return list(unread(nodes, marks, run_ended=run_ended))


def again(marks):
    """The marks that another process reads."""
    return read_marks(json.loads(json.dumps(marks.position())))


def test_which_nodes_are_asked():
    done = Marks().with_marks([(ENDED, DONE)])
    assert asked([LIVE, PENDING], Marks()) == [(LIVE, Mark())]
    assert asked([ENDED], done) == []
    assert asked([LIVE], done) == []  # an old answer, not a retry
    assert asked([RETRIED], done) == [(RETRIED, Mark())]
    assert asked([PENDING], Marks(), run_ended=True) == [(PENDING, Mark())]
    at_end = Marks().with_marks([(PENDING, Mark(1, 0, done=True))])
    assert asked([PENDING], at_end, run_ended=True) == []


def test_a_node_that_was_retried_before_its_end_was_read_starts_anew():
    half = again(Marks().with_marks([(LIVE, Mark(3))]))
    assert asked([LIVE], half) == [(LIVE, Mark(3))]
    assert asked([RETRIED], half) == [(RETRIED, Mark())]


def test_positions_come_back():
    marks = Marks().with_marks(
        [(LIVE, Mark(3)), (pod(1), Mark(0, 2)), (pod(2), DONE), (pod(3), DONE)]
    )
    assert again(marks) == marks
    assert marks.position()["nodes"] == {
        "n": [told("n", "t1"), 3],
        pod(1).id: [told(pod(1).id, pod(1).started), 0, 2],
    }
    assert read_marks(None) == Marks()
    assert Marks().position() == {"nodes": {}}


@pytest.mark.parametrize(
    "position", [{"nodes": [1]}, {"nodes": {"n": 1}}, {"nodes": {"n": ["a", "b"]}}]
)
def test_what_is_no_position(position):
    with pytest.raises(InvalidInput, match="cursor"):
        read_marks(position)


def test_hundreds_of_ended_nodes_are_told_by_a_short_text():
    pods = [pod(number, minute=number // 10) for number in range(500)]
    slow = pods[7] = pod(7, phase="Running")
    marks = Marks().with_marks([(one, DONE) for one in pods if one is not slow])
    folded = again(again(marks).folded(pods))
    assert asked(pods, folded) == [(slow, Mark())]
    assert len(json.dumps(folded.position())) < 300
    # What comes later is new, also at the time of the youngest.
    late, retried = pod(900, minute=49), pod(20, minute=50, phase="Running")
    pods[20] = retried
    assert asked([*pods, late], folded) == [
        (slow, Mark()),
        (retried, Mark()),
        (late, Mark()),
    ]
    # The slow one ends, and needs no letters of its own.
    ended = folded.with_marks([(slow, DONE)])
    assert asked(pods[:20], again(ended)) == []
    assert len(ended.done) == len(folded.done)


def test_marks_are_folded_again_as_the_run_goes_on():
    pods = [pod(number, minute=number // 10) for number in range(500)]
    marks = Marks()
    for count in range(5, 500, 5):
        marks = again(marks.folded(pods[:count]))
        assert asked(pods[:count], marks) == [
            (one, Mark()) for one in pods[count - 5 : count]
        ]
        marks = marks.with_marks([(one, DONE) for one in pods[count - 5 : count]])
        assert len(json.dumps(marks.position())) < 600


@pytest.mark.parametrize("started", ["", "t9", "2024-05-01T10:00:05+02:00"])
def test_times_that_cannot_be_compared_are_left_alone(started):
    pods = [Node(id=f"{n}", kind="Pod", started=started) for n in range(40)]
    marks = Marks().with_marks([(one, DONE) for one in pods])
    assert marks.folded(pods) == marks
    assert asked(pods, again(marks), run_ended=True) == []
