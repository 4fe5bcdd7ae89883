#!/usr/bin/python3
"""Every dialog over STLS, login workers serving one connection after another:
nothing of one dialog may be seen in the next."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import run  # noqa: E402

run.main(["--mode", "stls", "--conf", "connections-per-worker = 1000"] +
         sys.argv[1:])
