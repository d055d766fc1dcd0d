# It must run, and explain itself, under any Python 3: no annotations, no f-strings.
# mypy: ignore-errors
# ruff: noqa: E501, UP031
"""Build .venv from requirements.lock; report any failure in one sentence.

This file runs under the machine's own Python, whatever its age, before anything is installed.
"""

import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
OLDEST, TOO_NEW = (3, 11), (3, 14)
NEWER = ("python3.13", "python3.12", "python3.11")


def fits(version):
    """Return whether a (major, minor) version is one that the lock was made for."""
    return OLDEST <= tuple(version) < TOO_NEW


def suitable_python():
    """Return a Python of a fitting version: this one, or another one on the path."""
    if fits(sys.version_info[:2]):
        # Never the Python of the environment that is about to be replaced.
        return os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    for name in NEWER:
        found = shutil.which(name)
        if found:
            return found
    return None


def reason(output):
    """Return one sentence on why pip failed, from its output."""
    text = output.lower()
    if (
        "do not match the hashes" in text
        or "--require-hashes" in text
        or "hashes are required" in text
    ):
        return "requirements.lock is damaged: a package does not match its hash; restore the file with `git checkout requirements.lock`."
    if "invalid requirement" in text or "could not open requirements file" in text:
        return "requirements.lock cannot be read; restore it with `git checkout requirements.lock`."
    offline = (
        "failed to establish a new connection",
        "connectionerror",
        "connection refused",
        "connection reset",
        "connection broken",
        "name resolution",
        "network is unreachable",
        "timed out",
        "max retries",
        "proxyerror",
    )
    if any(sign in text for sign in offline):
        return "the package index cannot be reached: check the network, then run make again."
    if "no matching distribution" in text:
        lines = [line.strip() for line in output.splitlines() if "No matching distribution" in line]
        return (
            "a package of requirements.lock is not on the package index (%s): check the network and the index settings of pip, then run make again."
            % lines[-1]
        )
    last = [line for line in output.strip().splitlines() if line.strip()]
    return "pip failed: %s" % (last[-1] if last else "it said nothing")


def stop(sentence):
    """Print the one sentence, and end."""
    sys.stderr.write("make: %s\n" % sentence)
    sys.exit(1)


def install(*what):
    """Install by the environment's own pip; end with one sentence where that fails."""
    pip = [os.path.join(VENV, "bin", "python"), "-m", "pip", "install", "--quiet"]
    pip.append("--disable-pip-version-check")
    done = subprocess.run(
        pip + list(what),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        with open(os.path.join(VENV, "pip.log"), "w") as log:
            log.write(done.stdout)
        stop(reason(done.stdout) + " (What pip said is in .venv/pip.log.)")


def install_library():
    """Install the project itself, as it lies here, so that an edit of it acts at once.

    It is a second call of pip: with hashes required, pip refuses what has no single file to hash.
    """
    install("--no-deps", "--no-build-isolation", "--no-index", "--editable", ROOT)


def main():
    """Create the environment, install the lock, and leave the mark that make looks for."""
    python = suitable_python()
    if python is None:
        here = "%d.%d" % sys.version_info[:2]
        stop(
            "Python %s cannot run this project; install Python 3.11, 3.12 or 3.13, or say where it is: make PYTHON=/path/to/python3.12"
            % here
        )
    print("Building .venv from requirements.lock (once; a minute or two) ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run(
        [python, "-m", "venv", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if made.returncode != 0:
        stop(
            "%s cannot make a virtual environment; on Debian or Ubuntu install python3-venv, then run make again."
            % python
        )
    install("--require-hashes", "--requirement", LOCK)
    install_library()
    with open(os.path.join(VENV, "ready"), "w") as mark:
        mark.write("installed from requirements.lock\n")


if __name__ == "__main__":
    main()
