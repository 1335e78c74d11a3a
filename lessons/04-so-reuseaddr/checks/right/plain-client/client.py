# It is right, and does nothing special.
import os
import socket
import sys

for line in sys.stdin.buffer:
    client = socket.socket()
    try:
        client.connect((os.environ["HOST"], int(os.environ["PORT"])))
        client.sendall(line.strip())
        print(client.recv(1024))
        first = "the server" if client.recv(1) == b"" else "nobody yet"
    except OSError as error:
        sys.exit(str(error))
    print(first, "closed first")
    client.close()
