"""`flowforge` as a command of a shell that starts in milliseconds: one process imports all, and a fork of it answers.

    with warm_command() as folder:  # goes first on the PATH of a shell

The command is a script that hands its arguments, folder, variables, standard input and outputs to a fork of the warm
process, and ends with its exit code. It takes no signals: what is to be interrupted or killed is a process of its own.
Where the variable `WARM_PIDS` names a file, each fork writes its number there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from warm import LIBRARIES, OURS

MORE = """
import flowforge_testkit.sqlite.engine, pyarrow.parquet
"""
SERVER = """
import gc, marshal, os, signal, socket, sys, time, warnings

def answer(connection):
    given, fds, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    arguments, folder, environment = marshal.loads(given)
    os.chdir(folder)
    if numbers := environment.pop("WARM_PIDS", ""):
        with open(numbers, "a") as file:
            file.write(f"{os.getpid()}\\n")
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    sys.path[1:1] = [os.path.abspath(path) for path in filter(None, environment.get("PYTHONPATH", "").split(":"))]
    if environment.get("PYTHONWARNINGS"):
        warnings.simplefilter(environment["PYTHONWARNINGS"])
    sys.argv[1:] = arguments
    from flowforge.__main__ import main
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code]))

def ended():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass

listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv.pop(1))
listening.listen(64)
signal.signal(signal.SIGCHLD, lambda *_: ended())
gc.freeze()
print("ready", flush=True)
while True:
    connection, _ = listening.accept()
    if not os.fork():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listening.close()
        try:
            answer(connection)
        finally:
            os._exit(0)
    connection.close()
"""
# What the interpreter starts with at least: its own modules in C, none of a site.
COMMAND = """#!{python} -IS
import _socket, marshal, os, struct, sys
link = _socket.socket(_socket.AF_UNIX)
link.connect({address!r})
given = marshal.dumps((sys.argv[1:], os.getcwd(), dict(os.environ)))
link.sendmsg([given], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("3i", 0, 1, 2))])
code = link.recv(1)
os._exit(code[0] if code else 70)
"""


@contextmanager
def warm_command(through: Sequence[str] = ()) -> Iterator[Path]:
    """Give a folder whose `flowforge` is answered by a warm process, for as long as the block lasts.

    `through` is a command that runs the one behind it, for a process with other rights.
    """
    with tempfile.TemporaryDirectory(prefix="ff-warm-") as name:
        folder = Path(name)
        script = folder / "flowforge"
        script.write_text(COMMAND.format(python=sys.executable, address=f"{folder}/socket"), encoding="utf-8")
        script.chmod(0o755)
        command = [*through, sys.executable, "-W", "ignore::DeprecationWarning", "-c", LIBRARIES + OURS + MORE + SERVER]
        with subprocess.Popen([*command, f"{folder}/socket"], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            yield folder
            server.terminate()
