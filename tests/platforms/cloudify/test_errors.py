"""The manager's codes, each with its class (wire/cloudify.md 5.2)."""

import pickle

import pytest
from tests.fake_transport import answer

from aioruns import errors as family
from aioruns.platforms.cloudify import errors

# wire/cloudify.md 5.2: the codes that the official client has classes for, and their
# statuses; those that this server does not emit have that of bad input.
OFFICIAL = {
    "blueprint_in_use": (405, "BlueprintInUseError"),
    "deployment_environment_creation_in_progress_error": (
        400,
        "DeploymentEnvironmentCreationInProgressError",
    ),
    "deployment_environment_creation_pending_error": (
        400,
        "DeploymentEnvironmentCreationPendingError",
    ),
    "deployment_modification_already_ended_error": (
        400,
        "DeploymentModificationAlreadyEndedError",
    ),
    "deployment_parent_not_found_error": (404, "DeploymentParentNotFound"),
    "deployment_plugin_not_found": (400, "DeploymentPluginNotFound"),
    "entering_maintenance_mode": (503, "MaintenanceModeActivatingError"),
    "existing_started_deployment_modification_error": (
        400,
        "ExistingStartedDeploymentModificationError",
    ),
    "expired_cloudify_license": (400, "ExpiredCloudifyLicense"),
    "forbidden_error": (403, "ForbiddenError"),
    "forbidden_while_cancelling": (403, "ForbiddenWhileCancelling"),
    "functions_evaluation_error": (400, "FunctionsEvaluationError"),
    "illegal_execution_parameters_error": (400, "IllegalExecutionParametersError"),
    "incompatible_cluster_architecture": (400, "IncompatibleClusterArchitectureError"),
    "invalid_exception_status_update": (400, "InvalidExecutionUpdateStatus"),
    "invalid_filter_rule": (400, "InvalidFilterRule"),
    "maintenance_mode_active": (503, "MaintenanceModeActiveError"),
    "missing_cloudify_license": (400, "MissingCloudifyLicense"),
    "missing_required_deployment_input_error": (
        400,
        "MissingRequiredDeploymentInputError",
    ),
    "no_such_include_field_error": (400, "NoSuchIncludeFieldError"),
    "not_cluster_master": (400, "NotClusterMaster"),
    "plugin_in_use": (405, "PluginInUseError"),
    "plugin_installation_error": (400, "PluginInstallationError"),
    "plugin_installation_timeout": (400, "PluginInstallationTimeout"),
    "removed_from_cluster": (400, "RemovedFromCluster"),
    "unauthorized_error": (401, "UserUnauthorizedError"),
    "unknown_deployment_input_error": (400, "UnknownDeploymentInputError"),
    "unknown_deployment_secret_error": (400, "UnknownDeploymentSecretError"),
    "unknown_modification_stage_error": (400, "UnknownModificationStageError"),
    "unsupported_deployment_get_secret_error": (
        400,
        "UnsupportedDeploymentGetSecretError",
    ),
}
# Those without a class in the official client that decide what a caller does next.
OURS = {
    "ambiguous_name": (409, "AmbiguousNameError"),
    "bad_parameters_error": (400, "BadParametersError"),
    "dependent_exists_error": (400, "DependentExistsError"),
    "existing_running_execution_error": (400, "ExistingRunningExecutionError"),
    "illegal_action_error": (400, "IllegalActionError"),
    "nonexistent_workflow_error": (400, "NonexistentWorkflowError"),
    "unavailable_workflow_error": (400, "UnavailableWorkflowError"),
}


@pytest.mark.parametrize(("code", "known"), (OFFICIAL | OURS).items())
async def test_a_code_has_its_class(scripted, transport, code, known):
    status, name = known
    body = {"message": "no", "error_code": code, "server_traceback": None}
    transport.script = [answer(status, body)] * 6
    with pytest.raises(getattr(errors, name)) as caught:
        await scripted.executions.get("e")
    assert type(caught.value).__name__ == name
    assert isinstance(caught.value, family.rejection(status))
    assert (caught.value.code, caught.value.status) == (code, status)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert (type(again), again.code) == (type(caught.value), code)


def test_all_classes_are_in_the_table():
    assert {*errors.BY_CODE} == {*OFFICIAL, *OURS}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "not_found_error", family.NotFound),
        (409, "conflict_error", family.Conflict),
        (409, "storage_error", family.Conflict),
        (415, "unsupported_content_type_error", family.Rejected),
        (400, "a_code_of_later", family.BadRequest),
        (400, None, family.BadRequest),
    ],
)
async def test_other_codes_have_the_class_of_their_status(
    scripted, transport, status, code, kind
):
    transport.script = [answer(status, {"message": "no", "error_code": code})]
    with pytest.raises(family.Rejected) as caught:
        await scripted.executions.start("d", "w")
    assert type(caught.value) is kind
    assert caught.value.code == code


async def test_a_code_does_not_change_what_the_status_says(scripted, transport):
    """A 500 may have acted, whatever its code."""
    body = {"message": "no", "error_code": "illegal_execution_parameters_error"}
    transport.script = [answer(500, body)]
    with pytest.raises(family.ServerFailure) as caught:
        await scripted.executions.start("d", "w")
    assert caught.value.maybe_acted


def test_what_a_refused_start_left_pickles():
    error = errors.GroupLeftBehind("no", None, 400, "some_code", ("g-1",))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (again.group_ids, again.code, again.status) == (("g-1",), "some_code", 400)
