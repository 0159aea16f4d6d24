"""The command line as a person meets it: one-line errors, no tracebacks, clean ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "aioruns.cli"]


def aioruns(*args, **more):
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(
        [*COMMAND, *args],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env=environment,
        **more,
    )


def assert_one_line(done, *words):
    lines = done.stderr.strip().splitlines()
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0]


def test_help_and_version_do_not_load_the_http_stack():
    code = (
        "import sys, aioruns.cli\n"
        "sys.argv = ['aioruns', '--help']\n"
        "try: aioruns.cli.main()\n"
        "except SystemExit: pass\n"
        "assert 'aiohttp' not in sys.modules"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout
    assert aioruns("--version").stdout.startswith("aioruns 0.")


def test_an_unknown_option_is_named():
    done = aioruns("demo", "--fast")

    assert done.returncode == 2
    assert "--fast" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("not json", "not JSON"),
        ('{"points": 3}', "points"),
        ('{"name": "few", "points": [[0, 0]]}', "has 1 points"),
    ],
)
def test_a_problem_file_that_cannot_be_used_is_one_line(tmp_path, content, word):
    file = tmp_path / "problem.json"
    file.write_text(content)

    done = aioruns("demo", "--problem", str(file), cwd=tmp_path)

    assert_one_line(done, "problem.json", word)
    assert not (tmp_path / "demo.html").exists()


def test_a_problem_file_that_is_missing_is_one_line(tmp_path):
    done = aioruns("demo", "--problem", "nowhere.json", cwd=tmp_path)

    assert_one_line(done, "nowhere.json")


def test_a_picture_without_a_directory_is_refused_before_anything_runs(tmp_path):
    done = aioruns("demo", "--picture", "no/where.html", cwd=tmp_path)

    assert_one_line(done, "no/where.html")


def test_a_port_in_use_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        done = aioruns("serve", "--port", str(port))

    assert_one_line(done, str(port), "in use")


def test_a_program_that_does_not_exist_is_one_line():
    done = aioruns("serve", "--port", "0", "--program", "x=/no/such/program")

    assert_one_line(done, "/no/such/program")


def test_a_program_without_a_name_is_one_line():
    done = aioruns("serve", "--port", "0", "--program", "=true")

    assert_one_line(done, "NAME=COMMAND")


def test_a_small_demo_counts_what_the_engine_recorded(tmp_path):
    done = aioruns("demo", "--runs", "4", cwd=tmp_path)

    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stderr
    assert last.startswith(
        "runs 16 succeeded 16 lost 0 duplicated 0 "
        "log_lines_missing 0 log_lines_repeated 0 best 7"
    )
    page = (tmp_path / "demo.html").read_text()
    assert page.count('<circle class="point"') == 52
    assert page.count("<title>nextmv:") == 4


def test_ctrl_c_ends_the_demo_and_its_programs(tmp_path):
    marker = tmp_path / "interrupted"
    running = subprocess.Popen(
        [*COMMAND, "demo"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AIORUNS_TEST_MARK": str(marker)},
    )
    assert running.stdout is not None
    while "|" not in running.stdout.readline():
        pass  # until the first log line was shown

    running.send_signal(signal.SIGINT)
    output, errors = running.communicate(timeout=20)

    assert running.returncode == 130
    assert "Traceback" not in output + errors
    assert "interrupted" in errors
    assert _processes_marked(marker) == []


def _processes_marked(marker):
    """Processes whose environment holds the mark, once the ending ones are gone."""
    wanted = f"AIORUNS_TEST_MARK={marker}".encode()
    for _ in range(50):
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if wanted in entry.read_bytes():
                    found.append(entry.parent.name)
            except OSError:
                continue
        if not found:
            break
        time.sleep(0.1)
    return found
