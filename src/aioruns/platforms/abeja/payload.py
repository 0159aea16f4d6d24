"""The bodies that create runs and triggers, checked before anything is sent."""

from collections.abc import Mapping

from aioruns.errors import InvalidInput
from aioruns.http.codec import Json
from aioruns.platforms.abeja.checks import (
    check_id,
    check_names,
    operators,
    put_numbers,
    variables,
)

MARKER = "AIORUNS_SUBMIT_KEY"
"""The environment variable that carries the submission key: the API has no place of
its own for one, and echoes this in every row of a listing (wire/abeja.md 6.2)."""

RESERVED = frozenset(  # wire/abeja.md 6.2
    {
        "HANDLER",
        "DATASETS",
        "PLATFORM_AUTH_TOKEN",
        "ABEJA_API_URL",
        "SERVICE_TYPE",
        "PYTHONUNBUFFERED",
        "ABEJA_ORGANIZATION_ID",
        "TRAINING_JOB_DEFINITION_NAME",
        "TRAINING_JOB_DEFINITION_VERSION",
        "TRAINING_JOB_ID",
        "TRAINING_NOTEBOOK_ID",
        "ABEJA_STORAGE_DIR_PATH",
        "ABEJA_TRAINING_RESULT_DIR",
    }
)


def spec_body(
    version_id: str,
    *,
    input_data: Mapping[str, str] | str | None = None,
    output_template: Mapping[str, str] | str | None = None,
    model_id: str | None = None,
    environment: Mapping[str, str] | None = None,
    retry_count: int | None = None,
    distribution: int | None = None,
) -> Json:
    """The body of a run that is submitted under a key.

    Raises:
        InvalidInput: What is wrong with the values, all of it in one text.
    """
    wrong: list[str] = []
    body = _run(
        version_id,
        input_data,
        output_template,
        model_id,
        environment,
        retry_count,
        distribution,
        wrong,
    )
    check_names(body["environment"], MARKER, RESERVED, wrong)
    if wrong:
        raise InvalidInput("; ".join(wrong))
    return body


def run_body(
    version_id: str,
    *,
    input_data: Mapping[str, str] | str | None = None,
    output_template: Mapping[str, str] | str | None = None,
    model_id: str | None = None,
    environment: Mapping[str, str] | None = None,
    retry_count: int | None = None,
    distribution: int | None = None,
) -> Json:
    """The body of a run as it is documented (wire/abeja.md 2.1).

    What is empty is left out, and names of variables are left to the platform.

    Raises:
        InvalidInput: What is wrong with the values, all of it in one text.
    """
    wrong: list[str] = []
    body = _run(
        version_id,
        input_data or None,
        output_template or None,
        model_id or None,
        environment,
        retry_count,
        distribution,
        wrong,
    )
    return _right(body, wrong)


def trigger_body(
    version_id: str,
    input_service_name: str,
    input_service_id: str,
    *,
    output_service_name: str | None = None,
    output_service_id: str | None = None,
    model_id: str | None = None,
    environment: Mapping[str, str] | None = None,
    retry_count: int | None = None,
    distribution: int | None = None,
) -> Json:
    """The body of a trigger (wire/abeja.md 8).

    Raises:
        InvalidInput: What is wrong with the values, all of it in one text.
    """
    wrong: list[str] = []
    check_id("version_id", version_id, "a version, such as 'ver-...'", wrong)
    check_id("input_service_id", input_service_id, "a channel", wrong)
    if not isinstance(input_service_name, str) or not input_service_name:
        wrong.append(f"input_service_name must be datalake, not {input_service_name!r}")
    body: Json = {
        "version_id": version_id,
        "input_service_name": input_service_name,
        "input_service_id": input_service_id,
        # wire/abeja.md 8: null where a run would have an empty object.
        "environment": None if environment is None else variables(environment, wrong),
    }
    if model_id:
        check_id("model_id", model_id, "a model", wrong)
        body["models"] = {"alias": model_id}
    if bool(output_service_name) != bool(output_service_id):
        # The official client would leave the one that is given out.
        wrong.append("output_service_name and output_service_id must be given together")
    elif output_service_name:
        body["output_service_name"] = output_service_name
        body["output_service_id"] = output_service_id
    put_numbers(body, retry_count, distribution, wrong)
    return _right(body, wrong)


def _run(
    version_id: object,
    input_data: object,
    output_template: object,
    model_id: object,
    environment: object,
    retry_count: object,
    distribution: object,
    wrong: list[str],
) -> Json:
    check_id("version_id", version_id, "a version, such as 'ver-...'", wrong)
    body: Json = {
        "version_id": version_id,
        "environment": {} if environment is None else variables(environment, wrong),
    }
    if input_data is not None and (made := operators("input_data", input_data, wrong)):
        body["input_data"] = made
    if output_template is not None and (
        made := operators("output_template", output_template, wrong)
    ):
        body["output_template"] = made
    if model_id is not None:
        check_id("model_id", model_id, "a model, or None", wrong)
        body["models"] = {"alias": model_id}
    if retry_count is not None or distribution is not None:
        put_numbers(body, retry_count, distribution, wrong)
    return body


def _right(body: Json, wrong: list[str]) -> Json:
    if wrong:
        raise InvalidInput("; ".join(wrong))
    return body
