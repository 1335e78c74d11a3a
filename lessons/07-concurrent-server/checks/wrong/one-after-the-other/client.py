# caught by 7/crowd/all-at-once
# Each client of the crowd waits for the end of the one before.
import os
import socket
import sys

CLIENTS = int(os.environ.get("CLIENTS", 1))
MESSAGES = int(os.environ.get("MESSAGES", 10))
failed = []


def one(number):
    try:
        with socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])), 30) as call:
            for turn in range(MESSAGES):
                message = f"caller {number}, message {turn}".encode()
                call.sendall(message)
                answer = b""
                while len(answer) < len(message):
                    data = call.recv(len(message) - len(answer))
                    if not data:
                        raise OSError("end of stream in the middle of an answer")
                    answer += data
                if answer != message.upper():
                    raise OSError("a wrong answer")
            call.shutdown(socket.SHUT_WR)
            if call.recv(1):
                raise OSError("more than the answers")
    except OSError as error:
        failed.append(error)


for number in range(CLIENTS):
    one(number)
if failed:
    sys.exit(f"{len(failed)} of {CLIENTS} failed: {failed[0]}")
