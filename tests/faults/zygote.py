"""A process that has imported everything, and forks the followers.

A follower costs a fork instead of half a second of imports. Commands come on standard
input: `start ID JOB` and `kill ID`; `ID STATUS` on standard output says that a follower
has ended. Only this process knows for sure whether a pid is still the follower's.
"""

import gc
import os
import selectors
import signal
import sys
import traceback

from tests.faults.follower import run_job


def main() -> None:
    """Serve until standard input ends; nothing outlives this process."""
    waking, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(waking, selectors.EVENT_READ)
    living: dict[bytes, int] = {}
    commands = b""
    gc.freeze()
    while True:
        for key, _ in selector.select():
            if key.fd == waking:
                os.read(waking, 4096)
                _bury(living)
                continue
            data = os.read(0, 1 << 20)
            if not data:
                _kill_all(living)
                return
            *whole, commands = (commands + data).split(b"\n")
            for command in whole:
                word, name, *rest = command.split(b" ", 2)
                if word == b"start":
                    living[name] = _fork(rest[0])
                elif name in living:
                    os.kill(living[name], signal.SIGKILL)


def _fork(job: bytes) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        run_job(job)
        status = 0
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it was
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _bury(living: dict[bytes, int]) -> None:
    for name, pid in list(living.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            del living[name]
            code = os.waitstatus_to_exitcode(status)
            os.write(1, b"%b %d\n" % (name, code))


def _kill_all(living: dict[bytes, int]) -> None:
    for pid in living.values():
        os.kill(pid, signal.SIGKILL)
    for pid in living.values():
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
