"""Lesson 2, the server: caller after caller, message after message."""
import os
import socket

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))


# gap: A TCP socket that listens at HOST and PORT, and the line "listening on IP:PORT".
# Calls: socket, bind, listen, getsockname. You know them from lesson 1.
phone = socket.socket()
phone.bind((HOST, PORT))
phone.listen(5)
print("listening on %s:%d" % phone.getsockname(), flush=True)
# end of gap


def serve(call):
    """Answers one caller until it hangs up."""
    # gap: The inner loop: receive, answer in upper case, and receive again, until the end.
    # Calls: recv, sendall. The end of the stream is a receive of 0 bytes. Lesson 2, "What is new".
    while data := call.recv(65536):
        call.sendall(data.upper())
    # end of gap


# gap: The outer loop: accept a caller, serve it, close its socket, and accept the next one.
# An error of one call (OSError) ends this call and not the server. An accept can fail, too, when
# the caller is gone already (ConnectionAbortedError). Lesson 2, "What is new" and "Break it".
while True:
    try:
        call, caller = phone.accept()
    except ConnectionAbortedError:
        continue
    with call:
        try:
            serve(call)
        except OSError as error:
            print("call of %s:%d:" % caller, error, flush=True)
# end of gap
