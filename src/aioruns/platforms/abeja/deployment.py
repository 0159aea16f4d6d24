"""A deployment: where runs are submitted to."""

from collections.abc import Mapping

from attrs import field, frozen

from aioruns.errors import InvalidInput
from aioruns.platforms.abeja.payload import spec_body
from aioruns.runs import Run, Runs, RunSpec


@frozen(eq=False)
class Deployment:
    """The handle of one deployment; made by `Abeja.deployment`.

    Attributes:
        runs: All runs of the platform client.
        deployment_id: The deployment.
    """

    runs: Runs = field(repr=False)
    deployment_id: str = field()

    @deployment_id.validator
    def _check_deployment_id(self, _: object, value: object) -> None:
        if not isinstance(value, str) or not value:
            raise InvalidInput(
                f"a deployment id must be text such as '2000000000002', not {value!r}"
            )

    def spec(
        self,
        version_id: str,
        *,
        input_data: Mapping[str, str] | str | None = None,
        output_template: Mapping[str, str] | str | None = None,
        model_id: str | None = None,
        environment: Mapping[str, str] | None = None,
        retry_count: int | None = None,
        distribution: int | None = None,
        key: str | None = None,
    ) -> RunSpec:
        """Describe a run; nothing is sent.

        Args:
            version_id: The version of the code to run, `ver-...`.
            input_data: What the handler is given: one operator and its payload, such as
                `{"$datalake:1": "<channel>/<file>"}`, or JSON text of that.
            output_template: Where output goes, in the same form.
            model_id: The model to load.
            environment: Environment variables of the code; texts. The submission key
                travels among them as `AIORUNS_SUBMIT_KEY`.
            retry_count: How often the platform tries, 0 to 9; by default 5.
            distribution: Chooses the queue by its remainder; by default in turns.
            key: The submission key; by default a new one for every submission.

        Raises:
            InvalidInput: All that is wrong with the values, in one text.
        """
        body = spec_body(
            version_id,
            input_data=input_data,
            output_template=output_template,
            model_id=model_id,
            environment=environment,
            retry_count=retry_count,
            distribution=distribution,
        )
        return self.runs.spec(self.deployment_id, body, key)

    async def submit(
        self,
        version_id: str,
        *,
        input_data: Mapping[str, str] | str | None = None,
        output_template: Mapping[str, str] | str | None = None,
        model_id: str | None = None,
        environment: Mapping[str, str] | None = None,
        retry_count: int | None = None,
        distribution: int | None = None,
        key: str | None = None,
    ) -> Run:
        """Submit a run, once; the arguments are those of `spec`.

        A submission whose outcome is in doubt is looked for by its key before it is
        sent again.

        Returns:
            The handle of the run.

        Raises:
            InvalidInput: A value cannot be right; nothing was sent.
            CallError: The platform refused, or the outcome stayed unknown.
        """
        body = spec_body(
            version_id,
            input_data=input_data,
            output_template=output_template,
            model_id=model_id,
            environment=environment,
            retry_count=retry_count,
            distribution=distribution,
        )
        return await self.runs.submit_new(self.deployment_id, body, key)

    def run(self, run_id: str) -> Run:
        """The handle of a run that exists already; no request is made.

        Raises:
            InvalidInput: The id is empty.
        """
        return self.runs.run(self.deployment_id, run_id)
