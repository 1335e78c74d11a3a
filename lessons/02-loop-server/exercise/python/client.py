"""Lesson 2, the client: each line of its input is a message."""
import os
import socket
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8080"))
AHEAD = 4096  # so many bytes may be under way without an answer


def exchange(phone, message):
    """Sends a message, and receives as many bytes as it has."""
    # gap: Send and receive in turns, until you have as many bytes as the message.
    # Send at most AHEAD bytes more than you have received, and never receive more than is missing.
    # Calls: sendall, recv. 0 bytes are the end of the stream: raise EOFError. Lesson 2, "Break it".
    answer, sent = b"", 0
    while len(answer) < len(message):
        if sent < len(message):
            part = message[sent : len(answer) + AHEAD]
            phone.sendall(part)
            sent += len(part)
        piece = phone.recv(min(len(message) - len(answer), 65536))
        if not piece:
            raise EOFError("end of stream in mid-answer")
        answer += piece
    return answer
    # end of gap


try:
    phone = socket.create_connection((HOST, PORT))
    for line in sys.stdin.buffer:
        answer = exchange(phone, line.rstrip(b"\n"))
        sys.stdout.buffer.write(answer + b"\n")
        sys.stdout.buffer.flush()
    phone.close()
except (OSError, EOFError) as error:
    sys.exit("call to %s:%d: %s" % (HOST, PORT, error))
