"""What a run is made of, as one value: nothing is read or sent here.

The payload of a run holds the vendor's body in `body`, where the run goes in
`instance_id`, and, only where they are needed at submission:

* `path`: a file or directory to upload as the input, or `directory` for the latter;
* `by_upload`: the input goes by an upload however small it is;
* `json_configurations`: how JSON is written.

A body without `configuration` is given one at submission, from what the input turns out
to be.
"""

from collections.abc import Mapping
from os import PathLike
from typing import Any, Final

from aioruns.errors import InvalidInput
from aioruns.http.codec import DecodeError, converter, structure
from aioruns.platforms.nextmv.jsontext import JsonConfigurations, json_text
from aioruns.platforms.nextmv.models.configuration import RunConfiguration
from aioruns.platforms.nextmv.models.formats import ContentFormat
from aioruns.platforms.nextmv.models.inputs import CloudOptions, Options
from aioruns.platforms.nextmv.models.tracking import ExternalRunResult
from aioruns.platforms.nextmv.sources import RunInput, default_configuration, source

Configuration = RunConfiguration | Mapping[str, Any]
ExternalResult = ExternalRunResult | Mapping[str, Any]

_JSON_IN_AND_OUT: Final = default_configuration(ContentFormat.JSON)
"""One for all runs: a sweep keeps thousands of payloads, and what each of them holds is
gone through again and again by the collector of garbage. Nobody changes a payload."""

BODY = "the run: this"
"""What errors call a body that has no JSON form."""


def describe(
    input: RunInput = None,
    instance_id: str | None = None,
    name: str | None = None,
    description: str | None = None,
    upload_id: str | None = None,
    options: Options | None = None,
    configuration: Configuration | None = None,
    batch_experiment_id: str | None = None,
    external_result: ExternalResult | None = None,
    json_configurations: JsonConfigurations | None = None,
    input_dir_path: str | PathLike[str] | None = None,
    managed_input_id: str | None = None,
) -> dict[str, Any]:
    """Make the payload of a run (wire/nextmv.md 3.3.1).

    Raises:
        InvalidInput: Something in it cannot be right.
    """
    payload = described(
        input,
        instance_id,
        name,
        description,
        upload_id,
        options,
        configuration,
        batch_experiment_id,
        external_result,
        json_configurations,
        input_dir_path,
        managed_input_id,
    )
    if is_whole(payload):  # otherwise it was tried
        json_text(payload["body"], what=BODY)
    return payload


def is_whole(payload: Mapping[str, Any]) -> bool:
    """Whether the body is all there is: nothing is uploaded or looked up first."""
    return len(payload) == 2 and "configuration" in payload["body"]


def described(
    input: RunInput,
    instance_id: str | None,
    name: str | None,
    description: str | None,
    upload_id: str | None,
    options: Options | None,
    configuration: Configuration | None,
    batch_experiment_id: str | None,
    external_result: ExternalResult | None,
    json_configurations: JsonConfigurations | None,
    input_dir_path: str | PathLike[str] | None,
    managed_input_id: str | None,
) -> dict[str, Any]:
    """The same, for those who write the body at once.

    It is tried as JSON here only if something else comes first.

    Raises:
        InvalidInput: Something in it cannot be right.
    """
    if instance_id is not None and not (isinstance(instance_id, str) and instance_id):
        raise InvalidInput(
            f"instance_id must be the id of an instance, not {instance_id!r}"
        )
    kind = type(input)
    if (kind is dict or kind is list) and not (
        upload_id or input_dir_path or managed_input_id
    ):
        # Most runs are such; the questions about the others take 2 us.
        body: dict[str, Any] = {"input": input}
        payload: dict[str, Any] = {"body": body, "instance_id": instance_id}
        form: Mapping[str, Any] | None = _JSON_IN_AND_OUT
    else:
        found = source(input, input_dir_path, upload_id, managed_input_id)
        body = dict(found.body)
        payload = {"body": body, "instance_id": instance_id, **found.extra}
        given = found.configuration
        form = None if given is None else dict(given)
        options = found.options if options is None else options
    if name is not None or description is not None:
        _add_text(body, "name", name)
        _add_text(body, "description", description)
    if options is not None and (texts := _options(options, json_configurations)):
        body["options"] = texts
    if configuration is not None:
        form, known = _configuration(configuration)
        payload["instance_id"] = None if known.is_ensemble() else instance_id
    if form is not None:
        body["configuration"] = form
    if (
        batch_experiment_id is not None
        or external_result is not None
        or json_configurations
    ):
        _add_rest(payload, batch_experiment_id, external_result, json_configurations)
    if len(payload) > 2 or form is None:
        # Something is read, asked for or uploaded before the body is written.
        json_text(body, json_configurations, BODY)
    return payload


def _add_rest(
    payload: dict[str, Any],
    batch_experiment_id: str | None,
    external_result: ExternalResult | None,
    json_configurations: JsonConfigurations | None,
) -> None:
    """What few runs have."""
    body = payload["body"]
    _add_text(body, "batch_experiment_id", batch_experiment_id)
    if external_result is not None:
        body["result"] = converter.unstructure(external_result)
    if json_configurations:
        payload["json_configurations"] = dict(json_configurations)


def _add_text(body: dict[str, Any], name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        raise InvalidInput(f"{name} must be text, not {type(value).__name__}")
    body[name] = value


def _options(
    options: Options, json_configurations: JsonConfigurations | None
) -> dict[str, str]:
    """Text as it is, everything else as JSON text (wire/nextmv.md 3.3.1)."""
    values: Any = options
    # In this order: to ask a protocol costs a tenth of a submission.
    if type(options) is not dict:
        if not isinstance(options, Mapping) and isinstance(options, CloudOptions):
            values = options.to_dict_cloud()
        if not isinstance(values, Mapping):
            kind = type(values).__name__
            raise InvalidInput(f"options must be a mapping, not {kind}")
    texts: dict[str, str] = {}
    for name, value in values.items():
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"an option's name must be text, not {name!r}")
        if isinstance(value, str):
            texts[name] = value if type(value) is str else str(value)
            continue
        try:
            texts[name] = json_text(value, json_configurations).decode()
        except InvalidInput as error:
            raise InvalidInput(f"option {name!r} cannot be sent: {error}") from error
    return texts


def _configuration(given: Configuration) -> tuple[dict[str, Any], RunConfiguration]:
    """The configuration as it is sent, and as far as we know its keys.

    A mapping is checked, and keeps the keys that we do not know; the attribute names of
    its formats and run type are turned into the JSON keys (wire/nextmv.md 4.3).
    """
    if isinstance(given, RunConfiguration):
        return converter.unstructure(given), given
    if not isinstance(given, Mapping):
        raise InvalidInput(
            "configuration must be a mapping or a RunConfiguration, not "
            f"{type(given).__name__}"
        )
    made = _without_none(converter.unstructure(dict(given)))
    if isinstance(form := made.get("format"), dict):
        made["format"] = form = _renamed(form, "format_input", "input")
        form = made["format"] = _renamed(form, "format_output", "output")
        for side, alias in (("input", "input_type"), ("output", "output_type")):
            if isinstance(form.get(side), dict):
                form[side] = _renamed(form[side], alias, "type")
    if isinstance(kind := made.get("run_type"), dict):
        made["run_type"] = _renamed(kind, "run_type", "type")
    try:
        known = structure(made, RunConfiguration)
    except DecodeError as error:
        said = _own_words(error.__cause__) or str(error)
        raise InvalidInput(f"the configuration is not usable: {said}") from error
    if known.integration_id:
        made["execution_class"] = known.execution_class
    return made, known


def _renamed(value: dict[str, Any], alias: str, name: str) -> dict[str, Any]:
    if alias not in value:
        return value
    return {name if key == alias else key: item for key, item in value.items()}


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_none(item) for key, item in value.items() if item is not None
        }
    return value


def _own_words(error: BaseException | None) -> str:
    """What a model said was wrong with a value, among what the codec says."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_own_words, error.exceptions)), "")
    return str(error) if isinstance(error, InvalidInput) else ""
