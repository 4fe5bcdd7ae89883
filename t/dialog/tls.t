#!/usr/bin/python3
"""Every dialog, the server started as in popper.py's mode "tls"."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import run  # noqa: E402

run.main(["--mode", "tls"] + sys.argv[1:])
