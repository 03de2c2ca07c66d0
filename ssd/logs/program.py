"""Run as a script: the logger of one daemon (``ssd.logs.logger``), with its words as arguments.

It is isolated (python3 -IS), and its files are beside this one.
"""

import os
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.abspath(f"{os.path.dirname(__file__)}/../.."))
    from ssd.logs.logger import main

    os._exit(main(sys.argv[1:]))
