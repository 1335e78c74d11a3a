# caught by 7/crowd/one-wrong-byte
# The crowd is content when one of its clients is.
import os
import socket
import sys
import threading

CLIENTS = int(os.environ.get("CLIENTS", 1))
MESSAGES = int(os.environ.get("MESSAGES", 10))
failed = []


def one(number):
    try:
        with socket.create_connection((os.environ["HOST"], int(os.environ["PORT"])), 5) as call:
            for turn in range(MESSAGES):
                message = f"message {turn} of one of us".encode()
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


threads = [threading.Thread(target=one, args=[number]) for number in range(CLIENTS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if len(failed) == CLIENTS:
    sys.exit(f"{len(failed)} of {CLIENTS} failed: {failed[0]}")
