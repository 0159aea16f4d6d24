"""All calls, by what they are about."""

from tests.wire.abeja.case import Case
from tests.wire.abeja.cases import creating, logs, reading

RESOURCES: dict[str, list[Case]] = {
    "creating": creating.CASES,
    "reading": reading.CASES,
    "logs": logs.CASES,
}
