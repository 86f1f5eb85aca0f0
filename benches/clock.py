"""Times a program from its start to its end."""

import os
import subprocess
import sys
import time


def timed(command, good=(0,)):
    """Wall and CPU seconds of one program and its peak resident memory in KiB. A failure is not a fast run."""
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in good:
        sys.exit(f"error: {' '.join(map(str, command))} ended with {child.returncode}\n{said.decode(errors='replace')}")
    return time.monotonic() - started, cpu(usage), usage.ru_maxrss


def cpu(usage):
    """CPU seconds of what the system counted."""
    return usage.ru_utime + usage.ru_stime
