"""Runs DotMac's tests on real servers: `python3 scripts/run_tests.py --help`.

This file parses on any Python 3, so that an old one gets a sentence.
"""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

if __name__ == "__main__":
    from scripts.start import refusal

    sentence = refusal(tuple(sys.version_info[:3]))
    if sentence:
        sys.exit(sentence)
    from scripts.testing import main

    sys.exit(main(sys.argv[1:]))
