# caught by 5/client/silent-server
# connect has a timeout, and recv has none.
import os
import socket
import sys

TIMEOUT = float(os.environ.get("TIMEOUT", 5))
ADDRESS = (os.environ["HOST"], int(os.environ["PORT"]))
for line in sys.stdin.buffer:
    try:
        with socket.create_connection(ADDRESS, TIMEOUT) as client:
            client.settimeout(None)
            client.sendall(line.rstrip(b"\r\n"))
            answer = b""
            while data := client.recv(1024):
                answer += data
    except OSError as error:
        sys.exit(str(error))
    if not answer:
        sys.exit("the server hung up without an answer")
    print(answer.decode(errors="replace"))
