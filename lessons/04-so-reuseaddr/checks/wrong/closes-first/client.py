# caught by 4/client/second
# It closes as soon as it has its answer.
import os
import socket
import sys

for line in sys.stdin.buffer:
    client = socket.socket()
    try:
        client.connect((os.environ["HOST"], int(os.environ["PORT"])))
        client.sendall(line.strip())
        print(client.recv(1024))
        first = "the client"
    except OSError as error:
        sys.exit(str(error))
    print(first, "closed first")
    client.close()
