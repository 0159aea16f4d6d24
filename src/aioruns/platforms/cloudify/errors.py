"""Errors by the manager's own code (wire/cloudify.md 5.2).

The status alone says little: 400 is a busy deployment, an illegal action and bad input.
Classes carry the official client's names where it has one, and belong to the class of
their status, so `except NotFound` catches what is not found. Codes that are not in the
table have the class of their status, and `code` tells them apart.
"""

from typing import ClassVar

from aioruns.errors import (
    BadRequest,
    Conflict,
    Context,
    Forbidden,
    NotFound,
    Rejected,
    ServerFailure,
    Unauthorized,
    rejection,
)

# -- executions ------------------------------------------------------------------------


class ExistingRunningExecutionError(BadRequest):
    """Another execution of the deployment is active; say `force` or `queue`."""

    ERROR_CODE: ClassVar[str] = "existing_running_execution_error"


class IllegalActionError(BadRequest):
    """The execution's status does not permit this action."""

    ERROR_CODE: ClassVar[str] = "illegal_action_error"


class IllegalExecutionParametersError(BadRequest):
    """Parameters are missing, not declared, or not of their type."""

    ERROR_CODE: ClassVar[str] = "illegal_execution_parameters_error"


class NonexistentWorkflowError(BadRequest):
    """The deployment has no such workflow."""

    ERROR_CODE: ClassVar[str] = "nonexistent_workflow_error"


class UnavailableWorkflowError(BadRequest):
    """The workflow is declared unavailable; a failed execution is left behind."""

    ERROR_CODE: ClassVar[str] = "unavailable_workflow_error"


class DependentExistsError(BadRequest):
    """Other deployments depend on this one; a failed execution is left behind."""

    ERROR_CODE: ClassVar[str] = "dependent_exists_error"


class InvalidExecutionUpdateStatus(BadRequest):
    """The execution's status cannot change to that one."""

    # wire/cloudify.md 2.4: the code is spelled so.
    ERROR_CODE: ClassVar[str] = "invalid_exception_status_update"


class ForbiddenWhileCancelling(Forbidden):
    """A cancelling execution's token cannot start executions."""

    ERROR_CODE: ClassVar[str] = "forbidden_while_cancelling"


class GroupLeftBehind(BadRequest):
    """The start of an execution group was refused, and left a group all the same.

    wire/cloudify.md 2.6: it is empty, or has executions that failed and others that are
    queued and may be started later. No group can be deleted.

    Attributes:
        group_ids: The group; more than one if others may have started some meanwhile.
    """

    def __init__(
        self,
        message: str,
        context: Context | None = None,
        status: int = 400,
        code: str | None = None,
        group_ids: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, context, status, code)
        self.args = (message, context, status, code, group_ids)
        self.group_ids = group_ids


class AmbiguousNameError(Conflict):
    """Several things have this id; only a list shows them."""

    ERROR_CODE: ClassVar[str] = "ambiguous_name"


# -- requests --------------------------------------------------------------------------


class BadParametersError(BadRequest):
    """A field or parameter of the request is missing, unknown or mistyped."""

    ERROR_CODE: ClassVar[str] = "bad_parameters_error"


class NoSuchIncludeFieldError(BadRequest):
    """`_include` names a field that does not exist."""

    ERROR_CODE: ClassVar[str] = "no_such_include_field_error"


class InvalidFilterRule(BadRequest):
    """A filter rule is invalid; the excerpt of the context has the rule."""

    ERROR_CODE: ClassVar[str] = "invalid_filter_rule"


class UserUnauthorizedError(Unauthorized):
    """The credentials are missing or wrong."""

    ERROR_CODE: ClassVar[str] = "unauthorized_error"


class ForbiddenError(Forbidden):
    """The user's role, or the tenant, does not permit this."""

    ERROR_CODE: ClassVar[str] = "forbidden_error"


# -- deployments -----------------------------------------------------------------------


class DeploymentEnvironmentCreationPendingError(BadRequest):
    """The deployment's environment is not created yet; try later."""

    ERROR_CODE: ClassVar[str] = "deployment_environment_creation_pending_error"


class DeploymentEnvironmentCreationInProgressError(BadRequest):
    """The deployment's environment is being created; try later."""

    ERROR_CODE: ClassVar[str] = "deployment_environment_creation_in_progress_error"


class MissingRequiredDeploymentInputError(BadRequest):
    """A required input of the deployment is missing."""

    ERROR_CODE: ClassVar[str] = "missing_required_deployment_input_error"


class UnknownDeploymentInputError(BadRequest):
    """The blueprint has no such input."""

    ERROR_CODE: ClassVar[str] = "unknown_deployment_input_error"


class UnknownDeploymentSecretError(BadRequest):
    """The deployment needs a secret that does not exist."""

    ERROR_CODE: ClassVar[str] = "unknown_deployment_secret_error"


class UnsupportedDeploymentGetSecretError(BadRequest):
    """The blueprint uses `get_secret` where it is not supported."""

    ERROR_CODE: ClassVar[str] = "unsupported_deployment_get_secret_error"


class FunctionsEvaluationError(BadRequest):
    """A function of the blueprint could not be evaluated."""

    ERROR_CODE: ClassVar[str] = "functions_evaluation_error"


class UnknownModificationStageError(BadRequest):
    """There is no such stage of a deployment modification."""

    ERROR_CODE: ClassVar[str] = "unknown_modification_stage_error"


class ExistingStartedDeploymentModificationError(BadRequest):
    """Another modification of the deployment has begun."""

    ERROR_CODE: ClassVar[str] = "existing_started_deployment_modification_error"


class DeploymentModificationAlreadyEndedError(BadRequest):
    """The modification of the deployment has ended."""

    ERROR_CODE: ClassVar[str] = "deployment_modification_already_ended_error"


class DeploymentParentNotFound(NotFound):
    """A label names a parent deployment that does not exist."""

    ERROR_CODE: ClassVar[str] = "deployment_parent_not_found_error"


class DeploymentPluginNotFound(BadRequest):
    """The blueprint uses a plugin that is not installed."""

    ERROR_CODE: ClassVar[str] = "deployment_plugin_not_found"


class BlueprintInUseError(Rejected):
    """Another blueprint uses the blueprint."""

    ERROR_CODE: ClassVar[str] = "blueprint_in_use"


class PluginInUseError(Rejected):
    """A deployment uses the plugin."""

    ERROR_CODE: ClassVar[str] = "plugin_in_use"


class PluginInstallationError(BadRequest):
    """The plugin could not be installed."""

    ERROR_CODE: ClassVar[str] = "plugin_installation_error"


class PluginInstallationTimeout(BadRequest):
    """The plugin was not installed in time."""

    ERROR_CODE: ClassVar[str] = "plugin_installation_timeout"


# -- the manager itself ----------------------------------------------------------------


class MaintenanceModeActiveError(ServerFailure):
    """The manager is in maintenance mode; try later."""

    ERROR_CODE: ClassVar[str] = "maintenance_mode_active"


class MaintenanceModeActivatingError(ServerFailure):
    """The manager is entering maintenance mode; try later."""

    ERROR_CODE: ClassVar[str] = "entering_maintenance_mode"


class NotClusterMaster(BadRequest):
    """This manager is not the master of its cluster."""

    ERROR_CODE: ClassVar[str] = "not_cluster_master"


class RemovedFromCluster(BadRequest):
    """This manager was removed from its cluster."""

    ERROR_CODE: ClassVar[str] = "removed_from_cluster"


class IncompatibleClusterArchitectureError(BadRequest):
    """The node does not fit into the cluster."""

    ERROR_CODE: ClassVar[str] = "incompatible_cluster_architecture"


class MissingCloudifyLicense(BadRequest):
    """The manager has no licence."""

    ERROR_CODE: ClassVar[str] = "missing_cloudify_license"


class ExpiredCloudifyLicense(BadRequest):
    """The manager's licence has expired."""

    ERROR_CODE: ClassVar[str] = "expired_cloudify_license"


BY_CODE: dict[str, type[Rejected]] = {
    kind.ERROR_CODE: kind
    for kind in list(vars().values())
    if isinstance(kind, type)
    and issubclass(kind, Rejected)
    and hasattr(kind, "ERROR_CODE")
}
"""All classes of this module, by their code."""


def kind_of(status: int, code: str | None) -> type[Rejected] | None:
    """The class for a code; None where the status says all.

    A code that comes with another status than documented does not change what the
    status says, for example whether the server may have acted.
    """
    kind = BY_CODE.get(code or "")
    return kind if kind and issubclass(kind, rejection(status)) else None
