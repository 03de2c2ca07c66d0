"""The version, alone in a file: setup.cfg and ``ssd --version`` read it from here."""

__version__ = "0.1.0"
