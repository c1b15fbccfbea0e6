"""Writes the C source of the extension module exray._exray; CMake calls it."""

import sys
from pathlib import Path

from cffi import FFI

ffi = FFI()
ffi.cdef((Path(__file__).parent / "exray.cdef").read_text())
ffi.set_source("exray._exray", '#include "glue.h"')
ffi.emit_c_code(sys.argv[1])
