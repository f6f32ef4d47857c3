#!/usr/bin/env python3
"""rustc with coverage counters, as RUSTC_WORKSPACE_WRAPPER: the crates of this workspace are compiled with them, and their dependencies
are shared with every other build. (A shell would lose the variables of cargo that have hyphens in their names.)"""

import os
import sys

os.execvp(sys.argv[1], [*sys.argv[1:], "-C", "instrument-coverage"])
