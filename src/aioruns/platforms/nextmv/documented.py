"""The documented names of all operations on an application, in one place.

Each hands its call on to the resource that it is about; parameters, docstrings and
types are those of the resource's own method.
"""

from aioruns.platforms.nextmv.acceptances import Acceptances
from aioruns.platforms.nextmv.batches import Batches
from aioruns.platforms.nextmv.ensembles import Ensembles
from aioruns.platforms.nextmv.handing_on import handed_on
from aioruns.platforms.nextmv.input_sets import InputSets
from aioruns.platforms.nextmv.instances import Instances
from aioruns.platforms.nextmv.managed_inputs import ManagedInputs
from aioruns.platforms.nextmv.pushing import Pushing
from aioruns.platforms.nextmv.run_assets import RunAssets
from aioruns.platforms.nextmv.run_cloning import RunCloning
from aioruns.platforms.nextmv.run_comparing import RunComparing
from aioruns.platforms.nextmv.run_operations import RunOperations
from aioruns.platforms.nextmv.run_polling import RunPolling
from aioruns.platforms.nextmv.run_reading import RunReading
from aioruns.platforms.nextmv.run_tailing import RunTailing
from aioruns.platforms.nextmv.scenarios import Scenarios
from aioruns.platforms.nextmv.secrets import Secrets
from aioruns.platforms.nextmv.shadows import Shadows
from aioruns.platforms.nextmv.sweeps import Sweeps
from aioruns.platforms.nextmv.switchbacks import Switchbacks
from aioruns.platforms.nextmv.uploads import Uploads
from aioruns.platforms.nextmv.versions import Versions


class DocumentedNames:
    """What users of the official client call on an application."""

    push = handed_on("pushing", Pushing.push)

    run_information = handed_on("run_reading", RunReading.run_information)
    run_metadata = handed_on("run_reading", RunReading.run_metadata)
    run_input = handed_on("run_reading", RunReading.run_input)
    run_output = handed_on("run_reading", RunReading.run_output)
    run_result = handed_on("run_reading", RunReading.run_result)
    run_logs = handed_on("run_reading", RunReading.run_logs)
    list_runs = handed_on("run_reading", RunReading.list_runs)
    cancel_run = handed_on("run_reading", RunReading.cancel_run)
    delete_run = handed_on("run_reading", RunReading.delete_run)

    new_run_with_result = handed_on("run_polling", RunPolling.new_run_with_result)
    track_run_with_result = handed_on("run_polling", RunPolling.track_run_with_result)
    clone_run_with_result = handed_on("run_polling", RunPolling.clone_run_with_result)
    run_result_with_polling = handed_on(
        "run_polling", RunPolling.run_result_with_polling
    )
    run_logs_with_polling = handed_on("run_tailing", RunTailing.run_logs_with_polling)

    clone_run = handed_on("run_cloning", RunCloning.clone_run)
    compare_runs = handed_on("run_comparing", RunComparing.compare_runs)

    list_assets = handed_on("assets", RunAssets.list_assets)
    download_asset_content = handed_on("assets", RunAssets.download_asset_content)

    new_run = handed_on("runs", RunOperations.new_run)
    track_run = handed_on("runs", RunOperations.track_run)
    upload_url = handed_on("uploads", Uploads.upload_url)
    upload_data = handed_on("uploads", Uploads.upload_data)
    upload_large_input = handed_on("uploads", Uploads.upload_large_input)

    new_version = handed_on("versions", Versions.new_version)
    version = handed_on("versions", Versions.version)
    version_exists = handed_on("versions", Versions.version_exists)
    list_versions = handed_on("versions", Versions.list_versions)
    update_version = handed_on("versions", Versions.update_version)
    delete_version = handed_on("versions", Versions.delete_version)

    new_instance = handed_on("instances", Instances.new_instance)
    instance = handed_on("instances", Instances.instance)
    instance_exists = handed_on("instances", Instances.instance_exists)
    list_instances = handed_on("instances", Instances.list_instances)
    update_instance = handed_on("instances", Instances.update_instance)
    delete_instance = handed_on("instances", Instances.delete_instance)

    new_managed_input = handed_on("managed_inputs", ManagedInputs.new_managed_input)
    managed_input = handed_on("managed_inputs", ManagedInputs.managed_input)
    list_managed_inputs = handed_on("managed_inputs", ManagedInputs.list_managed_inputs)
    update_managed_input = handed_on(
        "managed_inputs", ManagedInputs.update_managed_input
    )
    delete_managed_input = handed_on(
        "managed_inputs", ManagedInputs.delete_managed_input
    )

    new_input_set = handed_on("input_sets", InputSets.new_input_set)
    input_set = handed_on("input_sets", InputSets.input_set)
    list_input_sets = handed_on("input_sets", InputSets.list_input_sets)
    update_input_set = handed_on("input_sets", InputSets.update_input_set)
    delete_input_set = handed_on("input_sets", InputSets.delete_input_set)

    new_secrets_collection = handed_on("secrets", Secrets.new_secrets_collection)
    secrets_collection = handed_on("secrets", Secrets.secrets_collection)
    list_secrets_collections = handed_on("secrets", Secrets.list_secrets_collections)
    update_secrets_collection = handed_on("secrets", Secrets.update_secrets_collection)
    delete_secrets_collection = handed_on("secrets", Secrets.delete_secrets_collection)

    new_ensemble_definition = handed_on("ensembles", Ensembles.new_ensemble_definition)
    new_ensemble_defintion = handed_on("ensembles", Ensembles.new_ensemble_defintion)
    ensemble_definition = handed_on("ensembles", Ensembles.ensemble_definition)
    list_ensemble_definitions = handed_on(
        "ensembles", Ensembles.list_ensemble_definitions
    )
    update_ensemble_definition = handed_on(
        "ensembles", Ensembles.update_ensemble_definition
    )
    delete_ensemble_definition = handed_on(
        "ensembles", Ensembles.delete_ensemble_definition
    )

    new_batch_experiment = handed_on("batches", Batches.new_batch_experiment)
    batch_experiment = handed_on("batches", Batches.batch_experiment)
    batch_experiment_metadata = handed_on("batches", Batches.batch_experiment_metadata)
    batch_experiment_with_polling = handed_on(
        "batches", Batches.batch_experiment_with_polling
    )
    new_batch_experiment_with_result = handed_on(
        "batches", Batches.new_batch_experiment_with_result
    )
    list_batch_experiments = handed_on("batches", Batches.list_batch_experiments)
    update_batch_experiment = handed_on("batches", Batches.update_batch_experiment)
    delete_batch_experiment = handed_on("batches", Batches.delete_batch_experiment)

    new_scenario_test = handed_on("scenarios", Scenarios.new_scenario_test)
    new_scenario_test_with_result = handed_on(
        "scenarios", Scenarios.new_scenario_test_with_result
    )
    scenario_test = handed_on("scenarios", Scenarios.scenario_test)
    scenario_test_metadata = handed_on("scenarios", Scenarios.scenario_test_metadata)
    scenario_test_with_polling = handed_on(
        "scenarios", Scenarios.scenario_test_with_polling
    )
    list_scenario_tests = handed_on("scenarios", Scenarios.list_scenario_tests)
    update_scenario_test = handed_on("scenarios", Scenarios.update_scenario_test)
    delete_scenario_test = handed_on("scenarios", Scenarios.delete_scenario_test)

    new_acceptance_test = handed_on("acceptances", Acceptances.new_acceptance_test)
    new_acceptance_test_with_result = handed_on(
        "acceptances", Acceptances.new_acceptance_test_with_result
    )
    acceptance_test = handed_on("acceptances", Acceptances.acceptance_test)
    acceptance_test_with_polling = handed_on(
        "acceptances", Acceptances.acceptance_test_with_polling
    )
    list_acceptance_tests = handed_on("acceptances", Acceptances.list_acceptance_tests)
    update_acceptance_test = handed_on(
        "acceptances", Acceptances.update_acceptance_test
    )
    delete_acceptance_test = handed_on(
        "acceptances", Acceptances.delete_acceptance_test
    )

    shadow_test = handed_on("shadows", Shadows.shadow_test)
    shadow_test_metadata = handed_on("shadows", Shadows.shadow_test_metadata)
    list_shadow_tests = handed_on("shadows", Shadows.list_shadow_tests)
    new_shadow_test = handed_on("shadows", Shadows.new_shadow_test)
    start_shadow_test = handed_on("shadows", Shadows.start_shadow_test)
    stop_shadow_test = handed_on("shadows", Shadows.stop_shadow_test)
    update_shadow_test = handed_on("shadows", Shadows.update_shadow_test)
    delete_shadow_test = handed_on("shadows", Shadows.delete_shadow_test)

    switchback_test = handed_on("switchbacks", Switchbacks.switchback_test)
    switchback_test_metadata = handed_on(
        "switchbacks", Switchbacks.switchback_test_metadata
    )
    list_switchback_tests = handed_on("switchbacks", Switchbacks.list_switchback_tests)
    new_switchback_test = handed_on("switchbacks", Switchbacks.new_switchback_test)
    start_switchback_test = handed_on("switchbacks", Switchbacks.start_switchback_test)
    stop_switchback_test = handed_on("switchbacks", Switchbacks.stop_switchback_test)
    update_switchback_test = handed_on(
        "switchbacks", Switchbacks.update_switchback_test
    )
    delete_switchback_test = handed_on(
        "switchbacks", Switchbacks.delete_switchback_test
    )

    sweep = handed_on("sweeps", Sweeps.sweep)
