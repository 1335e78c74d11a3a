"""Lesson 5, the client: each line of its input is a call."""
import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "9001"))
TIMEOUT = float(os.environ.get("TIMEOUT", "5"))  # seconds, for each wait


def dial():
    """A connection to the server, in time."""
    # gap: Connect to (HOST, PORT), and give up after TIMEOUT seconds.
    # Call: socket.create_connection. Without a timeout the system tries for two minutes.
    # Lesson 5, "Break it": "Fill the queue".
    return socket.create_connection((HOST, PORT), TIMEOUT)
    # end of gap


def ask(call, message):
    """Sends the message, and receives until the server hangs up."""
    # gap: Send the message and receive until the end of the stream, with a timeout for each
    # receive. If nothing came before the end, raise EOFError. Calls: sendall, settimeout, recv.
    # Lesson 5, "What you saw and why".
    call.settimeout(TIMEOUT)
    call.sendall(message)
    answer = b""
    while piece := call.recv(1024):
        answer += piece
    if not answer:
        raise EOFError("end of stream before an answer")
    return answer
    # end of gap


try:
    for line in sys.stdin.buffer:
        with dial() as call:
            answer = ask(call, line.rstrip(b"\n"))
        print("received", answer.decode("utf-8", "backslashreplace"), flush=True)
except (OSError, EOFError) as error:
    sys.exit("call to %s:%d: %s" % (HOST, PORT, error))
