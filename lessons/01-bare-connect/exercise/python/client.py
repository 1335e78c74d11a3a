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

# gap: Say hello, wait for the answer, and print it.
# Calls: send, recv, print. Taught in lesson 1, "What you saw and why".
phone.sendall(b"hello")
answer = phone.recv(1024)
print("received", answer.decode("utf-8", "backslashreplace"))
# end of gap

# gap: Hang up.
# Call: close.
phone.close()
# end of gap
