"""The Nextmv façade over real HTTP: what wire/nextmv.md says, request by request."""

import asyncio
import gzip
import io
import json
import tarfile

import aiohttp
import pytest

from aioruns.local.records import Command
from aioruns.local.server import LocalServer

APP = "/v1/applications/routing"
FINAL = {"succeeded", "failed", "canceled"}


class Api:
    """One session with the key, and what every test does."""

    def __init__(self, server, session):
        self.server = server
        self.session = session

    async def call(self, method, path, *, status=200, **kwargs):
        async with self.session.request(method, path, **kwargs) as response:
            body = await response.read()
            assert response.status == status, body
            if response.content_type == "application/json":
                return json.loads(body)
            return body.decode()

    async def get(self, path, **kwargs):
        return await self.call("GET", path, **kwargs)

    async def post(self, path, body=None, **kwargs):
        return await self.call("POST", path, json=body, **kwargs)

    async def put(self, path, body=None, **kwargs):
        return await self.call("PUT", path, json=body, **kwargs)

    async def bare(self, method, url, *, status=200, **kwargs):
        """Without the key, as pre-signed URLs want it."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, **kwargs) as response,
        ):
            body = await response.read()
            assert response.status == status, body
            return body

    async def run(self, **body):
        """Start a run and return its path."""
        answer = await self.post(f"{APP}/runs", {"configuration": {}, **body})
        return f"{APP}/runs/{answer['run_id']}"

    async def ended(self, run):
        async with asyncio.timeout(10):
            while True:
                information = await self.get(f"{run}/metadata")
                if information["metadata"]["status_v2"] in FINAL:
                    return information
                await asyncio.sleep(0.01)


@pytest.fixture
async def api(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    async with aiohttp.ClientSession(server.url, headers=headers) as session:
        yield Api(server, session)


async def echo(job):
    await job.log("thinking")
    output = {"solution": json.loads(job.stdin), "metrics": {"value": 1}}
    return json.dumps(output | {"options": dict(job.env)})


def until(event):
    async def program(job):
        await job.log("waiting")
        await event.wait()
        return {}

    return program


def tarball(files, *, members=1):
    """An `app.tar.gz`, of several gzip members if asked (wire/nextmv.md 6.2)."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            info.mode = 0o755
            archive.addfile(info, io.BytesIO(text.encode()))
    data = raw.getvalue()
    step = -(-len(data) // members)
    return b"".join(
        gzip.compress(data[i : i + step]) for i in range(0, len(data), step)
    )


async def push(api, files, *, requirements=None, status=200, members=1):
    upload = await api.get(f"{APP}/binary")
    await api.bare(
        "PUT",
        upload["upload_url"],
        data=tarball(files, members=members),
        headers={"Content-Type": "application/octet-stream"},
    )
    body = {"requirements": requirements or {"executable_type": "python"}}
    return await api.put(f"{APP}/binary", body, status=status)


# -- authentication ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 403),
        ({"Authorization": "Basic bG9jYWwtdG9rZW4="}, 403),
        ({"Authorization": "Bearer ключ"}, 403),
    ],
)
async def test_key_is_needed(server, headers, status):
    async with (
        aiohttp.ClientSession(server.url, headers=headers) as session,
        session.get("/v1/applications") as response,
    ):
        assert response.status == status
        assert response.content_type == "text/plain"
        assert "key" in await response.text()
        assert server.token not in await response.text()


async def test_unknown_path_is_a_404_in_plain_text(api):
    assert "404" not in await api.get("/v1/nothing", status=404)
    await api.call("PATCH", "/v1/applications", status=405)


# -- applications, versions, instances -------------------------------------------------


async def test_application_life(api):
    made = await api.post("/v1/applications", {"id": "routing", "description": "d"})
    assert made["id"] == made["name"] == "routing"
    assert made["type"] == "custom"
    assert made["locked"] is False
    assert made["created_at"].endswith("Z")
    assert "default_instance" not in made

    generated = await api.post("/v1/applications", {"name": "n", "is_pipeline": True})
    assert generated["id"].startswith("app-")
    assert generated["type"] == "pipeline"

    changed = await api.put(APP, {**made, "description": "", "default_instance": "x"})
    assert changed["description"] == ""
    assert changed["name"] == "routing"
    assert changed["default_instance"] == "x"
    assert changed["created_at"] == made["created_at"]
    assert await api.get(APP) == changed

    await api.call("DELETE", APP, status=204)
    await api.get(APP, status=404)
    await api.call("DELETE", APP, status=404)


async def test_creation_refuses_what_it_cannot_read(api):
    await api.post("/v1/applications", {"id": "routing"})
    text = await api.post("/v1/applications", {"id": "routing"}, status=409)
    assert "routing" in text
    await api.post("/v1/applications", [], status=400)
    await api.post("/v1/applications", {"id": 7}, status=400)
    await api.call("POST", "/v1/applications", data=b"{", status=400)


async def test_lists_have_the_old_shape_unless_pages_are_asked_for(api):
    api.server.settings.page_size = 2
    ids = [f"a{n}" for n in range(5)]
    for name in ids:
        await api.post("/v1/applications", {"id": name})

    assert [a["id"] for a in await api.get("/v1/applications")] == ids

    pages = []
    query = {"pagereturn": "true"}
    while True:
        page = await api.get("/v1/applications", params=query)
        assert set(page) == {"items", "next_page_token"}
        pages.append([a["id"] for a in page["items"]])
        if not page["next_page_token"]:
            break
        query["pagetoken"] = page["next_page_token"]
    assert pages == [ids[:2], ids[2:4], ids[4:]]


async def test_page_tokens_are_opaque_and_survive_a_deletion(api):
    api.server.settings.page_size = 2
    for name in "abcd":
        await api.post("/v1/applications", {"id": name})
    query = {"pagereturn": "true"}
    page = await api.get("/v1/applications", params=query)
    query["pagetoken"] = page["next_page_token"]
    await api.call("DELETE", "/v1/applications/b", status=204)
    page = await api.get("/v1/applications", params=query)
    assert [a["id"] for a in page["items"]] == ["c", "d"]

    await api.get("/v1/applications/a/runs", params=query, status=400)
    query["pagetoken"] = "2"
    await api.get("/v1/applications", params=query, status=400)


async def test_versions_and_instances(api):
    await api.post("/v1/applications", {"id": "routing"})
    assert "push" in await api.post(f"{APP}/versions", {"id": "v1"}, status=400)
    await push(api, {"main.py": "print('{}')"})

    version = await api.post(f"{APP}/versions", {"id": "v1", "name": "One"})
    assert version["application_id"] == "routing"
    executable = version["executable"]
    assert set(executable) == {"id", "user_email", "uploaded_at", "requirements"}
    assert set(executable["requirements"]) >= {"executable_type", "runtime"}
    await api.post(f"{APP}/versions", {"id": "v1"}, status=409)

    await push(api, {"main.py": "print('[]')"})
    renamed = await api.put(f"{APP}/versions/v1", {**version, "name": "Uno"})
    assert renamed["name"] == "Uno"
    assert renamed["executable"] == executable
    assert [v["id"] for v in await api.get(f"{APP}/versions")] == ["v1"]

    text = await api.post(f"{APP}/instances", {"version_id": "v9"}, status=400)
    assert "v9" in text
    instance = await api.post(
        f"{APP}/instances",
        {"id": "live", "version_id": "v1", "configuration": {"options": {"a": 1}}},
    )
    assert set(instance) == {
        *("id", "application_id", "version_id", "name", "description"),
        *("configuration", "locked", "created_at", "updated_at"),
    }
    assert await api.get(f"{APP}/instances/live") == instance
    await api.get(f"{APP}/instances/gone", status=404)
    page = await api.get(f"{APP}/instances", params={"pagereturn": "true"})
    assert page == {"items": [instance], "next_page_token": ""}

    await api.call("DELETE", f"{APP}/versions/v1", status=204)
    await api.get(f"{APP}/versions/v1", status=404)
    text = await api.post(f"{APP}/runs?instance_id=live", {"input": {}}, status=400)
    assert "deleted" in text


# -- runs ------------------------------------------------------------------------------


async def test_run_of_a_registered_callable(api):
    api.server.nextmv.register("routing", echo, name="Routing")
    application = await api.get(APP)
    assert application["name"] == "Routing"
    assert application["default_instance"] == "default"

    run = await api.run(
        input={"n": 10**30}, name="night", description="d", options={"seed": "7"}
    )
    assert run.rpartition("/")[2].startswith("default-")
    information = await api.ended(run)
    metadata = information["metadata"]
    assert information["name"] == "night"
    assert information["description"] == "d"
    assert set(information) == {"id", "name", "description", "user_email", "metadata"}
    assert metadata["status_v2"] == metadata["status"] == "succeeded"
    assert metadata["application_instance_id"] == "default"
    assert metadata["application_version_id"] == "v1"
    assert metadata["format"] == {"input": {"type": "json"}, "output": {"type": "json"}}
    assert metadata["run_type"]["type"] == "standard"
    assert metadata["error"] == ""
    assert metadata["input_size"] == len('{"n":1000000000000000000000000000000}')
    assert metadata["options"]["options_summary"] == [
        {"name": "seed", "value": "7", "source": "run"}
    ]
    assert metadata["metrics"] == {"value": 1}
    assert "experiment_id" not in metadata

    result = await api.get(run)
    assert result["output"]["solution"] == {"n": 10**30}
    assert result["output"]["options"] == {"seed": "7"}
    assert result["metadata"]["output_size"] > 0
    assert await api.get(f"{run}/output") == result["output"]
    assert await api.get(f"{run}/input") == {"n": 10**30}
    assert await api.get(f"{run}/logs") == {"log": "thinking\n"}
    assert await api.get(f"{run}/assets") == {"items": []}


async def test_run_of_a_registered_command(api):
    argv = ("sh", "-c", 'cat >&2; echo "[\\"$1\\",\\"$2\\"]"', "sh")
    api.server.nextmv.register("routing", Command(argv))
    run = await api.run(input=None, options={"seed": "7"})
    await api.ended(run)
    result = await api.get(run)
    assert result["output"] == ["-seed", "7"]
    assert await api.get(f"{run}/logs") == {"log": "null\n"}


async def test_registering_again_replaces_the_program(api):
    async def other(_job):
        return {"other": True}

    api.server.nextmv.register("routing", echo)
    await api.get(APP)
    api.server.nextmv.register("routing", other)
    run = await api.run(input={})
    await api.ended(run)
    assert (await api.get(run))["output"] == {"other": True}
    assert [v["id"] for v in await api.get(f"{APP}/versions")] == ["v1"]


async def test_states_and_times_of_a_run(api):
    proceed = asyncio.Event()
    api.server.nextmv.register("routing", until(proceed))
    busy = [await api.run(input={}) for _ in range(4)]
    run = await api.run(input={}, batch_experiment_id="nightly")

    metadata = (await api.get(f"{run}/metadata"))["metadata"]
    assert metadata["status_v2"] == "queued"
    assert metadata["experiment_id"] == "nightly"
    assert "initiated_at" not in metadata
    assert metadata["duration"] == metadata["output_size"] == 0
    metadata = (await api.get(f"{busy[0]}/metadata"))["metadata"]
    assert metadata["status_v2"] == metadata["status"] == "running"
    assert metadata["duration"] == 0
    assert "initiated_at" in metadata
    assert "output" not in await api.get(run)
    await api.get(f"{run}/output", status=404)

    queue = (await api.get("/v1/account/queue"))["runs"]
    assert [r["status_v2"] for r in queue] == ["running"] * 4 + ["queued"]
    assert set(queue[0]) == {
        *("id", "user_email", "name", "description", "created_at", "application_id"),
        *("application_instance_id", "application_version_id", "execution_class"),
        "status_v2",
    }

    proceed.set()
    await api.ended(run)
    for path in busy:
        await api.ended(path)
    assert await api.get("/v1/account/queue") == {"runs": []}


async def test_failed_run_has_an_error_log(api):
    async def failing(job):
        await job.log("about to fail")
        raise RuntimeError("no such luck")

    api.server.nextmv.register("routing", failing)
    run = await api.run(input={})
    metadata = (await api.ended(run))["metadata"]
    assert metadata["status_v2"] == metadata["status"] == "failed"
    assert metadata["error"] == "no such luck"
    result = await api.get(run)
    assert "output" not in result
    assert result["error_log"] == {
        "error": "no such luck",
        "stdout": "",
        "stderr": "about to fail\n",
    }
    text = await api.get(f"{run}/output", status=404)
    assert "failed" in text


@pytest.mark.parametrize("printed", [b"Hello!", b'{"x": NaN}', b"", b"\xff"])
async def test_output_that_is_not_json_fails_the_run(api, printed):
    async def program(_job):
        return printed

    api.server.nextmv.register("routing", program)
    run = await api.run(input={})
    information = await api.ended(run)
    assert information["metadata"]["status_v2"] == "failed"
    assert "standard output" in information["metadata"]["error"]
    assert (await api.get(f"{APP}/runs"))["runs"][0]["status_v2"] == "failed"
    assert (await api.get(run))["error_log"]["stdout"] == printed.decode(
        errors="replace"
    )


async def test_cancel(api):
    api.server.nextmv.register("routing", until(asyncio.Event()))
    run = await api.run(input={})
    await api.call("PATCH", f"{run}/cancel")
    metadata = (await api.ended(run))["metadata"]
    assert metadata["status_v2"] == "canceled"
    assert metadata["error"] == ""
    await api.call("PATCH", f"{run}/cancel")
    result = await api.get(run)
    assert "output" not in result
    assert "error_log" not in result
    await api.call("PATCH", f"{APP}/runs/gone/cancel", status=404)


async def test_delete_ends_a_live_run(api):
    api.server.nextmv.register("routing", until(asyncio.Event()))
    run = await api.run(input={})
    await api.call("DELETE", run, status=204)
    await api.get(f"{run}/metadata", status=404)
    await api.call("DELETE", run, status=404)
    assert (await api.get(f"{APP}/runs"))["runs"] == []

    await api.run(input={})
    await api.call("DELETE", APP, status=204)
    assert api.server.engine.runs("nextmv") == []


async def test_a_run_belongs_to_its_application(api):
    api.server.nextmv.register("routing", echo)
    api.server.nextmv.register("other", echo)
    run = await api.run(input={})
    await api.get(run.replace("routing", "other"), status=404)
    await api.get(run.replace("routing", "nobody"), status=404)


async def test_runs_are_listed_newest_first_in_pages(api):
    api.server.settings.page_size = 2
    api.server.nextmv.register("routing", echo)
    names = [f"r{n}" for n in range(5)]
    for name in names:
        await api.run(input={}, name=name)

    legacy = await api.get(f"{APP}/runs")
    assert set(legacy) == {"runs"}
    assert [r["name"] for r in legacy["runs"]] == names[::-1]
    assert set(legacy["runs"][0]) >= {
        *("id", "user_email", "name", "description", "created_at", "application_id"),
        *("application_instance_id", "application_version_id", "execution_class"),
        *("status_v2", "run_type", "runtime"),
    }

    query = {"pagereturn": "true"}
    page = await api.get(f"{APP}/runs", params=query)
    assert [r["name"] for r in page["runs"]] == ["r4", "r3"]
    await api.run(input={}, name="in between")
    query["pagetoken"] = page["next_page_token"]
    page = await api.get(f"{APP}/runs", params=query)
    assert [r["name"] for r in page["runs"]] == ["r2", "r1"]
    query["pagetoken"] = page["next_page_token"]
    page = await api.get(f"{APP}/runs", params=query)
    assert [r["name"] for r in page["runs"]] == ["r0"]
    assert not page["next_page_token"]


async def test_rename(api):
    api.server.nextmv.register("routing", echo)
    run = await api.run(input={}, name="old", description="kept")
    changed = await api.put(run, {"name": "new"})
    assert changed["name"] == "new"
    information = await api.get(f"{run}/metadata")
    assert information["name"] == "new"
    assert information["description"] == "kept"


async def test_options_of_the_instance_are_under_those_of_the_run(api):
    api.server.nextmv.register("routing", echo)
    await api.post(
        f"{APP}/instances",
        {
            "id": "tuned",
            "version_id": "v1",
            "configuration": {
                "options": {"a": 1, "b": "x"},
                "execution_class": "huge",
                "format": {"input": {"type": "text"}},
            },
        },
    )
    answer = await api.post(
        f"{APP}/runs?instance_id=tuned",
        {"input": {}, "options": {"b": "y"}, "configuration": {}},
    )
    run = f"{APP}/runs/{answer['run_id']}"
    metadata = (await api.ended(run))["metadata"]
    assert metadata["application_instance_id"] == "tuned"
    assert metadata["execution_class"] == "huge"
    assert metadata["format"]["input"]["type"] == "text"
    assert metadata["options"] == {
        "active_options": {"a": "1", "b": "y"},
        "request_options": {"b": "y"},
        "options_summary": [
            {"name": "a", "value": "1", "source": "instance"},
            {"name": "b", "value": "y", "source": "run"},
        ],
    }
    assert (await api.get(run))["output"]["options"] == {"a": "1", "b": "y"}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"input": {}, "upload_id": "u"}, "exclude"),
        ({"upload_id": "u"}, "uploaded"),
        ({"input_id": "i"}, "managed"),
        ({"input": {}, "options": {"a": 1}}, "strings"),
        ({"input": {}, "options": []}, "object"),
        ({"input": {}, "result": {"status": "running"}}, "external"),
        (
            {
                "input": {"a": 1},
                "configuration": {"format": {"input": {"type": "multi-file"}}},
            },
            "multi-file",
        ),
        ({"configuration": {"run_type": {"type": "ensemble"}}}, "ensemble"),
    ],
)
async def test_run_refuses_with_the_reason(api, body, word):
    api.server.nextmv.register("routing", echo)
    assert word in await api.post(f"{APP}/runs", body, status=400)


async def test_run_needs_a_binary_and_an_instance_that_exists(api):
    await api.post("/v1/applications", {"id": "routing"})
    assert "binary" in await api.post(f"{APP}/runs", {"input": {}}, status=400)
    for path in (f"{APP}/runs?instance_id=gone", "/v1/applications/gone/runs"):
        assert "gone" in await api.post(path, {"input": {}}, status=404)


# -- uploads and downloads -----------------------------------------------------------


async def test_large_input_and_output_go_through_urls(api):
    async def double(job):
        return job.stdin + b" " * len(job.stdin)

    api.server.nextmv.register("routing", double)
    data = json.dumps({"x": "y" * (5 * 1024 * 1024)}).encode()
    body = io.BytesIO(b'{"input":' + data + b"}")
    await api.call("POST", f"{APP}/runs", data=body, status=413)

    upload = await api.post(f"{APP}/runs/uploadurl")
    assert set(upload) == {"upload_id", "upload_url"}
    assert upload["upload_url"].startswith(f"{api.server.url}/uploads/")
    await api.bare("PUT", upload["upload_url"], data=io.BytesIO(data))
    run = await api.run(upload_id=upload["upload_id"])
    metadata = (await api.ended(run))["metadata"]
    assert metadata["input_size"] == len(data)
    assert metadata["output_size"] == 2 * len(data)

    for path in (run, f"{run}/output", f"{run}/input"):
        assert "format=url" in await api.get(path, status=400)
    result = await api.get(run, params={"format": "url"})
    assert set(result["output"]) == {"url"}
    assert await api.bare("GET", result["output"]["url"]) == data + b" " * len(data)
    answer = await api.get(f"{run}/output", params={"format": "url"})
    assert await api.bare("GET", answer["url"]) == data + b" " * len(data)
    answer = await api.get(f"{run}/input", params={"format": "url"})
    assert await api.bare("GET", answer["url"]) == data


async def test_text_reaches_the_program_as_it_is(api):
    async def program(job):
        return job.stdin.upper()

    api.server.nextmv.register("routing", program)
    upload = await api.post(f"{APP}/runs/uploadurl")
    await api.bare("PUT", upload["upload_url"], data="grüße".encode())
    texts = {"input": {"type": "text"}, "output": {"type": "text"}}
    run = await api.run(upload_id=upload["upload_id"], configuration={"format": texts})
    assert (await api.ended(run))["metadata"]["format"] == texts
    assert await api.get(f"{run}/input") == "grüße"
    url = (await api.get(run))["output"]["url"]
    assert await api.bare("GET", url) == "grüße".encode().upper()


async def test_presigned_urls_want_no_key_and_a_signature(api):
    await api.post("/v1/applications", {"id": "routing"})
    url = (await api.post(f"{APP}/runs/uploadurl"))["upload_url"]
    text = await api.call("PUT", url, data=b"{}", status=400)
    assert "Authorization" in text
    forged = url[:-4] + ("0000" if url[-4:] != "0000" else "1111")
    await api.bare("PUT", forged, data=b"{}", status=403)
    await api.bare("PUT", f"{api.server.url}/uploads/x", data=b"{}", status=403)
    as_download = url.replace("/uploads/", "/downloads/")
    await api.bare("GET", as_download, status=403)

    async def chunks():
        yield b"{}"

    await api.bare("PUT", url, data=chunks(), status=411)
    await api.bare("PUT", url, data=b"{}")
    await api.bare("PUT", url, data=b"[]")


# -- live logs ------------------------------------------------------------------------


async def live_page(api, run, token):
    query = {"since": token} if token else {}
    page = await api.get(f"{run}/logs/live", params=query)
    assert set(page) == {
        *("items", "status_v2", "next_page_token", "next_available_in_seconds"),
    }
    return page


async def test_live_logs_by_pages_to_the_very_end(api):
    api.server.settings.page_size = 3
    proceed = asyncio.Event()
    first_written = asyncio.Event()

    async def program(job):
        for n in range(4):
            await job.log(f"line {n}")
        first_written.set()
        await proceed.wait()
        for n in range(4, 8):
            await job.log(f"line {n}")
        return {}

    api.server.nextmv.register("routing", program)
    run = await api.run(input={})
    await first_written.wait()

    page = await live_page(api, run, None)
    assert [item["log"] for item in page["items"]] == ["line 0", "line 1", "line 2"]
    assert page["items"][0]["timestamp"].endswith("Z")
    assert page["status_v2"] == "running"
    assert page["next_available_in_seconds"] == 0
    page = await live_page(api, run, page["next_page_token"])
    assert [item["log"] for item in page["items"]] == ["line 3"]
    assert page["next_available_in_seconds"] == 0.2
    api.server.nextmv.live_delay = 0.05
    page = await live_page(api, run, page["next_page_token"])
    assert page["items"] == []
    assert page["next_available_in_seconds"] == 0.05

    token = page["next_page_token"]
    proceed.set()
    await api.ended(run)
    page = await live_page(api, run, token)
    assert [item["log"] for item in page["items"]] == ["line 4", "line 5", "line 6"]
    assert page["status_v2"] == "succeeded"
    page = await live_page(api, run, page["next_page_token"])
    assert [item["log"] for item in page["items"]] == ["line 7"]
    page = await live_page(api, run, page["next_page_token"])
    assert page["items"] == []


async def test_live_log_tokens_belong_to_one_run(api):
    api.server.nextmv.register("routing", echo)
    first, second = await api.run(input={}), await api.run(input={})
    await api.ended(first)
    token = (await live_page(api, first, None))["next_page_token"]
    await api.get(f"{second}/logs/live", params={"since": token}, status=400)
    await api.get(f"{first}/logs/live", params={"since": "7"}, status=400)


# -- push ------------------------------------------------------------------------------

MAIN = """
import json, os, sys
import helper
print("starting", file=sys.stderr)
print(json.dumps({"in": json.load(sys.stdin), "argv": sys.argv[1:],
                  "cwd": os.path.basename(os.getcwd()), "helper": helper.NAME}))
"""
YAML = "type: python\nfiles: [main.py]\n"


@pytest.mark.parametrize("members", [1, 3])
async def test_pushed_python_application(api, members):
    await api.post("/v1/applications", {"id": "routing"})
    files = {
        "main.py": MAIN,
        "app.yaml": YAML,
        ".nextmv/python/deps/helper.py": "NAME = 'dependency'\n",
    }
    await push(api, files, members=members)
    run = await api.run(input={"ä": 1}, options={"solve.duration": "10s"})
    metadata = (await api.ended(run))["metadata"]
    assert metadata["status_v2"] == "succeeded", metadata["error"]
    assert metadata["application_instance_id"] == "latest"
    output = (await api.get(run))["output"]
    assert output["in"] == {"ä": 1}
    assert output["argv"] == ["-solve.duration", "10s"]
    assert output["helper"] == "dependency"
    assert await api.get(f"{run}/logs") == {"log": "starting\n"}


async def test_entrypoint_and_directory_of_the_manifest(api):
    await api.post("/v1/applications", {"id": "routing"})
    manifest = YAML + "execution: {entrypoint: ./src/app.py, cwd: ./src/}\n"
    files = {"src/app.py": MAIN, "src/helper.py": "NAME = 'own'", "app.yaml": manifest}
    await push(api, files)
    run = await api.run(input={})
    await api.ended(run)
    output = (await api.get(run))["output"]
    assert output["cwd"] == "src"
    assert output["helper"] == "own"


async def test_pushed_binary_application(api):
    await api.post("/v1/applications", {"id": "routing"})
    script = '#!/bin/sh\necho "{\\"args\\": \\"$*\\"}"\n'
    await push(api, {"main": script}, requirements={"executable_type": "binary"})
    run = await api.run(input={}, options={"a": "b"})
    await api.ended(run)
    assert (await api.get(run))["output"] == {"args": "-a b"}


async def test_latest_moves_and_versions_stay(api):
    await api.post("/v1/applications", {"id": "routing"})
    await push(api, {"main.py": "print(1)"})
    await api.post(f"{APP}/versions", {"id": "v1"})
    await api.post(f"{APP}/instances", {"id": "old", "version_id": "v1"})
    await push(api, {"main.py": "print(2)"})
    outputs = {}
    for instance in ("old", "latest"):
        path = f"{APP}/runs?instance_id={instance}"
        run_id = (await api.post(path, {"input": {}}))["run_id"]
        assert run_id.startswith(f"{instance}-")
        await api.ended(f"{APP}/runs/{run_id}")
        outputs[instance] = (await api.get(f"{APP}/runs/{run_id}"))["output"]
    assert outputs == {"old": 1, "latest": 2}


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({"other.py": ""}, "main.py"),
        ({"../outside.py": "", "main.py": ""}, "unpacked"),
        ({"main.py": "", "app.yaml": "type: [python"}, "app.yaml"),
        ({"main.py": "", "app.yaml": "type: cobol"}, "cobol"),
        ({"main.py": "", "app.yaml": "execution: {cwd: ..}"}, "directory"),
    ],
)
async def test_activation_refuses_what_cannot_run(api, files, word):
    await api.post("/v1/applications", {"id": "routing"})
    assert word in await push(api, files, status=400)
    await api.post(f"{APP}/runs", {"input": {}}, status=400)


async def test_activation_needs_an_upload(api):
    await api.post("/v1/applications", {"id": "routing"})
    assert "upload" in await api.put(f"{APP}/binary", {}, status=400)


async def test_what_was_pushed_outlives_a_restart(tmp_path):
    data = str(tmp_path / "runs.sqlite")

    async def with_server(work):
        async with LocalServer(token="local-token", data=data) as server:
            headers = {"Authorization": "Bearer local-token"}
            async with aiohttp.ClientSession(server.url, headers=headers) as session:
                return await work(Api(server, session))

    async def first(api):
        await api.post("/v1/applications", {"id": "routing"})
        await push(api, {"main.py": "print(5)"})
        api.server.nextmv.register("coded", echo)
        run = await api.run(input={"a": 1})
        await api.ended(run)
        return run

    async def second(api):
        assert (await api.get(run))["output"] == 5
        assert await api.get(f"{run}/input") == {"a": 1}
        again = await api.run(input={})
        await api.ended(again)
        assert (await api.get(again))["output"] == 5
        path = "/v1/applications/coded/runs"
        assert "register" in await api.post(path, {"input": {}}, status=400)

    run = await with_server(first)
    await with_server(second)
