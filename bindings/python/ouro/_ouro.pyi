# SPDX-License-Identifier: MIT
# The extension is the package's own: its functions are those of bindings/swig/ouro.i, without their prefix.
from typing import Any

def __getattr__(name: str) -> Any: ...
