"""Lesson 1, the client: buy a phone, dial, talk, hang up."""
import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8081"))

# gap: Buy a phone and dial. If that fails, say why in one line on stderr and end with status 1.
# Calls: socket, connect; sys.exit("…") does both. Lesson 1, "Break it" shows how connect fails.
phone = socket.socket()
try:
    phone.connect((HOST, PORT))
except OSError as error:
    sys.exit("connect %s:%d: %s" % (HOST, PORT, error))
# end of gap

# gap: Say hello, wait for the answer, and print it. If none comes, say why in one line on stderr
# and end with status 1: recv can fail with a reset, and give 0 bytes when the server has hung up.
# Calls: send, recv, print, sys.exit. Taught in lesson 1, "What you saw and why".
try:
    phone.sendall(b"hello")
    answer = phone.recv(1024)
except OSError as error:
    sys.exit("recv from %s:%d: %s" % (HOST, PORT, error))
if not answer:
    sys.exit("recv from %s:%d: the server hung up without an answer" % (HOST, PORT))
print("received", answer.decode("utf-8", "backslashreplace"))
# end of gap

# gap: Hang up.
# Call: close.
phone.close()
# end of gap
