# caught by 5/silence/next
# The timeout ends the loop of callers.
import os
import socket
import sys
import time

try:
    TIMEOUT = float(os.environ.get("TIMEOUT", 5))
except ValueError:
    sys.exit("TIMEOUT is no number")
if not TIMEOUT > 0:
    sys.exit("TIMEOUT has to be above 0")
LINES = os.environ.get("UNTIL") == "newline"
DEADLINE = float(os.environ.get("DEADLINE", 3600))


def request(call):
    end = time.monotonic() + DEADLINE
    heard = b""
    while len(heard) < 1024:
        left = min(TIMEOUT, end - time.monotonic())
        if left <= 0:
            raise TimeoutError
        call.settimeout(left)
        data = call.recv(1024 - len(heard))
        if not data:
            return None
        heard += data
        if not LINES:
            return heard
        if b"\n" in heard:
            return heard.split(b"\n")[0].removesuffix(b"\r")
    return heard


server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
while True:
    call, peer = server.accept()
    with call:
        try:
            heard = request(call)
            if heard is not None:
                welcome = heard == b"1"
                call.sendall(b"welcome to server!" if welcome else b"please go out!")
        except TimeoutError:
            sys.exit("time out")
        except OSError as error:
            print(error)
