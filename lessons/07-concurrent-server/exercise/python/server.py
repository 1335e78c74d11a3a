"""Lesson 7, the server: nobody waits for somebody else."""
import os
import socket
import threading
import time

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8084"))


def start(call, caller):
    """Has a caller served while we go on."""
    # gap: Start a thread that serves this caller. It must not keep the program alive at its end.
    # Call: threading.Thread. Taught in lesson 7, "What is new".
    threading.Thread(target=serve, args=(call, caller), daemon=True).start()
    # end of gap


def serve(call, caller):
    """One call, from its first message to its end."""
    # gap: Receive, answer in upper case, and receive again, until the end of the stream or an
    # error; close on each way out. Calls: recv, sendall. You know them from lesson 2.
    with call:
        try:
            while data := call.recv(65536):
                call.sendall(data.upper())
        except OSError as error:
            print("call of %s:%d:" % caller, error, flush=True)
    # end of gap


phone = socket.create_server((HOST, PORT), backlog=1024)
print("listening on %s:%d" % phone.getsockname(), flush=True)
while True:
    try:
        call, caller = phone.accept()
    except OSError as error:
        # gap: An accept that fails concerns one caller, or passes: print the error, rest for a
        # moment, and go on. Call: time.sleep. Lesson 7, "Break it".
        print("accept:", error, flush=True)
        time.sleep(0.1)
        # end of gap
    else:
        start(call, caller)
