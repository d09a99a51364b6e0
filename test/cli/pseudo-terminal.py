"""Runs a command on a terminal of its own: what comes in is typed, what goes out is what the terminal shows.

usage: pseudo-terminal.py COLUMNS ROWS COMMAND [ARGUMENT...]
Exits as the command does, as a shell would say it: 128 and the number of the signal that ended it.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

columns, rows, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]

child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvp(command[0], command)

sources = [terminal, 0]
while terminal in sources:
    ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        typed = os.read(0, 65536)
        if not typed:
            sources.remove(0)
        while typed:
            typed = typed[os.write(terminal, typed) :]
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:  # nobody has the terminal open any more
            shown = b""
        if not shown:
            sources.remove(terminal)
        while shown:
            shown = shown[os.write(1, shown) :]

_, status = os.waitpid(child, 0)
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
