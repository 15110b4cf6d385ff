"""Starts a whole DotMac on this computer: `python3 scripts/start.py --help`.

This file and its imports up to `main` parse on any Python 3, so that an old one
gets a sentence instead of a traceback.
"""

import sys
from pathlib import Path

PYTHON_MIN = (3, 11)
sys.path[0] = str(Path(__file__).resolve().parent.parent)


def refusal(version: "tuple[int, ...]") -> str:
    """Why this Python cannot run DotMac, or nothing."""
    if version >= PYTHON_MIN:
        return ""
    found = ".".join(str(number) for number in version[:3])
    return (
        f"DotMac needs Python 3.11 or later and this is {found}: install a newer "
        "Python and run the command with it, for example python3.12 scripts/start.py."
    )


if __name__ == "__main__":
    sentence = refusal(tuple(sys.version_info[:3]))
    if sentence:
        sys.exit(sentence)
    from scripts.launch import main

    sys.exit(main(sys.argv[1:]))
