"""Lesson 3, the client: each line of its input is a datagram."""
import os
import socket
import sys
import time

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "7788"))
PATIENCE = 2.0  # seconds


def ask(post, message):
    """Sends a datagram, and waits for the answer of the one that was asked."""
    # gap: Send the message to (HOST, PORT), and receive until an answer comes from there.
    # What comes from another address or port is no answer. When PATIENCE is over, raise
    # TimeoutError, however many strangers write. Calls: sendto, settimeout, recvfrom,
    # time.monotonic. Lesson 3, "What you saw and why".
    end = time.monotonic() + PATIENCE
    post.sendto(message, (HOST, PORT))
    while (left := end - time.monotonic()) > 0:
        post.settimeout(left)
        data, sender = post.recvfrom(65535)
        if sender == (HOST, PORT):
            return data
    raise TimeoutError("only strangers wrote")
    # end of gap


post = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    for line in sys.stdin.buffer:
        message = line.rstrip(b"\n")
        if message == b"bye":
            post.sendto(message, (HOST, PORT))
            break
        sys.stdout.buffer.write(ask(post, message) + b"\n")
        sys.stdout.buffer.flush()
except OSError as error:
    sys.exit("no answer from %s:%d: %s" % (HOST, PORT, error))
post.close()
