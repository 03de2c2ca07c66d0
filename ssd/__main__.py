"""``python -m ssd``: the same command as the script ``ssd``."""

import os
import sys

from ssd.command import main

if __name__ == "__main__":
    # Everything is written by then, and the interpreter's clean-up costs time.
    os._exit(main(["ssd", *sys.argv[1:]]))
