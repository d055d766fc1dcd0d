"""Scripts run as forks of a server: as an interpreter would run them, and never beyond the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from schooltrial.pipeline.forked_jobs.job_client import Jobs, NotRunError, ServerDiedError
from support.small_trial import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks are used on Linux only")
SCRIPTS = ROOT / "workflow" / "scripts"
SOURCE = ROOT / "src"
PATIENCE = 60.0


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    """Return a server with more in its environment and in its modules than scripts should see."""
    text = "import random, tempfile\nimport numpy.random\ntempfile.gettempdir()\n"
    (tmp_path / "first.py").write_text(text, encoding="utf-8")
    server = Jobs(tmp_path, ["first"], {**environment(), "OF_THE_SERVER": "1"})
    yield server
    server.stop()


def script(folder: Path, text: str, name: str = "script.py") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended, not yet waited for, does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def until(holds: Callable[[], bool]) -> bool:
    """Wait until something holds; return whether it ever did."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


def number_in(file: Path) -> int:
    assert until(lambda: file.is_file() and file.read_text().endswith("\n"))
    return int(file.read_text())


def test_a_script_finds_what_an_interpreter_would_give_it(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    told = (
        "import os, sys, tempfile\n"
        "print(__name__, __file__, sys.argv, sys.path, os.getcwd(), sorted(os.environ.items()))\n"
        "print(tempfile.gettempdir(), sys.modules['__main__'].__file__)\n"
    )
    path = script(folder, told, "by name.py")
    monkeypatch.chdir(folder)
    given = {**environment(), "ONLY": "here", "TMPDIR": str(folder)}
    written = folder / "fork.txt"
    redirected = script(
        folder,
        f"import contextlib, runpy, sys\nsys.stdout = open({str(written)!r}, 'w')\n{told}"
        "sys.stdout.close()\nsys.stdout = sys.__stdout__\n",
    )
    assert jobs.run(redirected, given).code == 0
    plain = subprocess.run(
        [sys.executable, path], capture_output=True, text=True, check=True, env=given
    )
    assert written.read_text().replace("script.py", "by name.py") == plain.stdout


def test_what_a_script_prints_goes_where_the_run_prints(tmp_path: Path) -> None:
    path = script(tmp_path, "import sys\nprint('to out')\nprint('to err', file=sys.stderr)\n")
    master = script(
        tmp_path,
        "import os, sys\n"
        f"sys.path.insert(0, {str(SOURCE)!r})\n"
        "from pathlib import Path\nfrom schooltrial.pipeline.forked_jobs.job_client import Jobs\n"
        f"jobs = Jobs(Path({str(tmp_path)!r}), ['json'], os.environ)\n"
        f"jobs.run({path!r}, os.environ)\njobs.stop()\n",
        "master.py",
    )
    run = subprocess.run([sys.executable, master], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("to out\n", "to err\n")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("pass", 0),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit('a reason')", 1),
        ("raise ValueError('no')", 1),
        ("this is no Python", 1),
        ("import os; os._exit(9)", 9),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
    ],
)
def test_a_script_ends_with_the_code_that_an_interpreter_ends_with(
    jobs: Jobs, tmp_path: Path, text: str, code: int
) -> None:
    path = script(tmp_path, text)
    plain = subprocess.run([sys.executable, path], capture_output=True, check=False)
    assert jobs.run(path, environment()).code == code == plain.returncode


def test_a_traceback_begins_in_the_script(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = script(tmp_path, "def f():\n    raise ValueError('no')\nf()\n")
    server = Jobs(tmp_path, ["json"], environment())
    server.run(path, environment())
    server.stop()
    subprocess.run([sys.executable, path], check=False)
    text = capfd.readouterr().err
    assert text[: len(text) // 2] == text[len(text) // 2 :]
    assert text.count("ValueError: no") == 2


def test_jobs_share_no_state_and_draw_other_random_numbers(jobs: Jobs, tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "import json, os, random, numpy as np\n"
        "told = [getattr(json, 'left', None), random.random(), np.random.random()]\n"
        "json.left = 'left by another job'\n"
        "os.environ['LEFT'] = 'too'\n"
        "with open('told', 'a') as file: print(json.dumps(told), file=file)\n",
    )
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(2):
            jobs.run(path, environment())
    finally:
        os.chdir(before)
    first, second = (tmp_path / "told").read_text().splitlines()
    assert first.startswith("[null, ")
    assert second.startswith("[null, ")
    assert not set(first.split(", ")[1:]) & set(second.split(", ")[1:])


def test_what_a_script_registers_for_its_end_is_done_and_its_threads_are_awaited(
    jobs: Jobs, tmp_path: Path
) -> None:
    file = tmp_path / "done"
    path = script(
        tmp_path,
        "import atexit, threading, time\n"
        f"write = lambda what: open({str(file)!r}, 'a').write(what)\n"
        "atexit.register(write, 'at exit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), write('thread, '))).start()\n",
    )
    assert jobs.run(path, environment()).code == 0
    assert file.read_text() == "thread, at exit"


def test_jobs_run_beside_each_other(jobs: Jobs, tmp_path: Path) -> None:
    text = (
        "import pathlib, time\npathlib.Path({mine!r}).touch()\n"
        "while not pathlib.Path({other!r}).exists(): time.sleep(0.01)\n"
    )
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    paths = [
        script(tmp_path, text.format(mine=one, other=two), "1.py"),
        script(tmp_path, text.format(mine=two, other=one), "2.py"),
    ]
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda path=path: codes.append(jobs.run(path, environment()).code))
        for path in paths
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert codes == [0, 0]


def test_time_and_memory_are_those_of_the_job_and_of_what_it_waited_for(
    jobs: Jobs, tmp_path: Path
) -> None:
    used = tmp_path / "used"
    costly = script(
        tmp_path,
        "import subprocess, sys, time\n"
        "block = bytearray(300_000_000)\n"
        "burn = 'import time\\nwhile time.process_time() < 0.4: pass'\n"
        "subprocess.run([sys.executable, '-c', burn], check=True)\n"
        "exec(burn)\n"
        f"open({str(used)!r}, 'w').write(str(time.process_time()))\n",
        "costly.py",
    )
    much, little = jobs.run(costly, environment()), jobs.run(script(tmp_path, ""), environment())
    assert much.cpu_seconds >= float(used.read_text()) + 0.4
    assert much.seconds >= 0.8
    assert 250 < much.peak_mb - little.peak_mb < 350
    assert little.cpu_seconds < 0.4


@pytest.mark.parametrize(
    "text", ["raise ValueError('no')", "raise SystemExit(1)", "import no_such_module", "1 +"]
)
def test_a_module_that_cannot_be_imported_is_left_to_the_scripts_that_need_it(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "faulty.py").write_text(text, encoding="utf-8")
    (tmp_path / "sound.py").write_text("loaded = True", encoding="utf-8")
    server = Jobs(tmp_path, ["faulty", "no_such_module", "sound"], environment())
    within = f"import sys\nsys.path.append({str(tmp_path)!r})\n"
    try:
        assert server.run(script(tmp_path, f"{within}import sound"), environment()).code == 0
        assert server.run(script(tmp_path, f"{within}import faulty"), environment()).code == 1
    finally:
        server.stop()


def test_a_script_is_told_not_to_have_run_where_a_module_killed_the_server(tmp_path: Path) -> None:
    (tmp_path / "deadly.py").write_text("import os\nos._exit(1)", encoding="utf-8")
    server = Jobs(tmp_path, ["deadly"], environment())
    with pytest.raises(NotRunError):
        server.run(script(tmp_path, ""), environment())
    server.process.wait(PATIENCE)
    with pytest.raises(NotRunError):
        server.run(script(tmp_path, ""), environment())
    server.stop()


def sleeper(folder: Path) -> tuple[str, Path]:
    """Return a script that sleeps, and the file in which it tells its number."""
    told = folder / "pid"
    text = (
        "import os, time\n"
        f"with open({str(told)!r}, 'w') as file: print(os.getpid(), file=file)\n"
        "time.sleep(600)\n"
    )
    return script(folder, text, "sleeper.py"), told


def test_a_job_dies_with_its_server_and_is_told_to_have_failed(jobs: Jobs, tmp_path: Path) -> None:
    path, told = sleeper(tmp_path)
    raised: list[BaseException] = []

    def run() -> None:
        try:
            jobs.run(path, environment())
        except ServerDiedError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    job = number_in(told)
    assert alive(job)
    jobs.process.kill()
    thread.join(PATIENCE)
    assert len(raised) == 1
    assert until(lambda: not alive(job))


def test_a_server_that_is_stopped_ends_its_jobs(jobs: Jobs, tmp_path: Path) -> None:
    path, told = sleeper(tmp_path)

    def run() -> None:
        with suppress(ServerDiedError):
            jobs.run(path, environment())

    thread = threading.Thread(target=run)
    thread.start()
    job = number_in(told)
    jobs.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert jobs.process.returncode == 0
    assert until(lambda: not alive(job))


def test_server_and_jobs_die_with_a_master_that_is_killed(tmp_path: Path) -> None:
    path, told = sleeper(tmp_path)
    server = tmp_path / "server"
    master = script(
        tmp_path,
        "import os, sys\n"
        f"sys.path.insert(0, {str(SOURCE)!r})\n"
        "from pathlib import Path\nfrom schooltrial.pipeline.forked_jobs.job_client import Jobs\n"
        f"jobs = Jobs(Path({str(tmp_path)!r}), ['json'], os.environ)\n"
        f"Path({str(server)!r}).write_text(f'{{jobs.process.pid}}\\n')\n"
        f"jobs.run({path!r}, os.environ)\n",
        "master.py",
    )
    process = subprocess.Popen([sys.executable, master])
    pids = [number_in(server), number_in(told)]
    assert all(alive(pid) for pid in pids)
    process.kill()
    process.wait(PATIENCE)
    assert until(lambda: not any(alive(pid) for pid in pids))


def test_an_interrupt_of_the_terminal_ends_jobs_and_not_the_server(tmp_path: Path) -> None:
    path, told = sleeper(tmp_path)
    after = script(tmp_path, f"open({str(tmp_path / 'after')!r}, 'w').write('1\\n')")
    master = script(
        tmp_path,
        "import os, signal, sys\n"
        f"sys.path.insert(0, {str(SOURCE)!r})\n"
        "from pathlib import Path\nfrom schooltrial.pipeline.forked_jobs.job_client import Jobs\n"
        "signal.signal(signal.SIGINT, lambda *_: None)\n"
        f"jobs = Jobs(Path({str(tmp_path)!r}), ['json'], os.environ)\n"
        f"code = jobs.run({path!r}, os.environ).code\n"
        f"jobs.run({after!r}, os.environ)\njobs.stop()\nprint(code)\n",
        "master.py",
    )
    process = subprocess.Popen(
        [sys.executable, master],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    job = number_in(told)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE)
    assert out == f"{-signal.SIGINT}\n"
    assert not alive(job)
    assert number_in(tmp_path / "after") == 1
