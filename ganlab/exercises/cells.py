"""What the cells of the notebook left behind: the last definition of a name, and not an older one."""

import inspect
import linecache
import re
from typing import Any

from ganlab import shown


def last_written(name: str) -> Any:
    """What the last cell that defines `name` made of it; None if that cell did not run, or outside of a notebook.

    A cell that fails, as by a slip of syntax, leaves the object of an older cell under the name. The object's code
    knows its cell: one that an older cell wrote is not what stands in the notebook now.
    """
    shell = shown.shell()
    if shell is None or name not in shell.user_ns:
        return None
    found = shell.user_ns[name]
    writes = re.compile(rf"^[ \t]*(?:def[ \t]+{name}\b|{name}[ \t]*=)", re.MULTILINE)
    *older, last = list(filter(writes.search, shell.history_manager.input_hist_parsed)) or [""]
    cell = _cell_of(found)
    return None if cell in older and cell != last else found


def _cell_of(found: Any) -> str | None:
    """The text of the cell that an object's code was written in; None for an object without code."""
    code = getattr(inspect.unwrap(found), "__code__", None)
    return None if code is None else "".join(linecache.getlines(code.co_filename)).rstrip("\n")
