"""What an import of one module takes once FlowForge's ports are imported, as a plugin's are: prints CPU seconds."""

from __future__ import annotations

import importlib
import sys
from time import process_time

import flowforge_ports.engine
import flowforge_ports.hooks  # noqa: F401 - what every plugin imports, and whoever looks for plugins has imported before

started = process_time()
importlib.import_module(sys.argv[1])
print(process_time() - started)
