"""Lesson 4, the client: it finds out who closed first."""
import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8082"))

try:
    phone = socket.create_connection((HOST, PORT))
    phone.sendall(b"hello")
    print("received", phone.recv(1024).decode("utf-8", "backslashreplace"))
    # gap: Wait until the server has closed, and say so: "the server closed first".
    # Call: recv. What does it give when the other side has closed? Lesson 4, "Exercise".
    while phone.recv(1024):
        pass
    print("the server closed first")
    # end of gap
    phone.close()
except OSError as error:
    sys.exit("call to %s:%d: %s" % (HOST, PORT, error))
