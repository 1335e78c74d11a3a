"""Runs a command on a terminal of its own, types the lines of standard input
there, and copies what it shows. Each line is typed after a prompt."""
import os
import pty
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
lines = sys.stdin.buffer.readlines()
shown = b""
while True:
    try:
        shown += os.read(terminal, 1024)
    except OSError:  # Linux says EIO when the program has ended.
        break
    while lines and shown.count(b">>: ") > shown.count(b"\0"):
        shown += b"\0"
        os.write(terminal, lines.pop(0))
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown.replace(b"\0", b""))
sys.exit(os.waitstatus_to_exitcode(status))
