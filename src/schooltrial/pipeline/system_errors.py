"""What the system refuses, such as a full disk, in one sentence with its remedy."""

from __future__ import annotations

import errno
import os
import re

from schooltrial.refusal import Fault

REMEDIES = {
    errno.ENOSPC: (
        "the disk is full",
        "free space, or write the results to another disk; then run the same command again",
    ),
    errno.EDQUOT: (
        "your share of the disk is used up",
        "free space, or write the results to another disk; then run the same command again",
    ),
    errno.EROFS: (
        "this folder can only be read",
        "write the results to a folder in which you may write; then run the same command again",
    ),
    errno.EACCES: (
        "you have no permission to use this file",
        "ask its owner for permission, or choose another folder; then run the same command again",
    ),
    errno.EPERM: (
        "the system does not permit this file to be changed",
        "ask its owner for permission, or choose another folder; then run the same command again",
    ),
}
"""Error number → what is wrong with the machine, and what the user can do."""

NUMBER = re.compile(r"\[Errno (\d+)\] [^:\n]*(?:: '([^'\n]+)')?")
"""How Python writes an error of the system, in the text of another program too."""


def of_the_system(error: OSError) -> Fault:
    """Return an error of the system as a fault that the user can act on."""
    found, remedy = REMEDIES[error.errno or 0]
    path = error.filename2 or error.filename or os.getcwd()
    return Fault(str(path), found, "", remedy)


def in_text(text: str, folder: str) -> Fault | None:
    """Return the first error of the system that a text reports; None if it reports none.

    Parameters
    ----------
    text : str
        What a program wrote before it failed.
    folder : str
        What is named where the text names no file.
    """
    for number, path in NUMBER.findall(text):
        if int(number) in REMEDIES:
            found, remedy = REMEDIES[int(number)]
            return Fault(path or folder, found, "", remedy)
    return None
