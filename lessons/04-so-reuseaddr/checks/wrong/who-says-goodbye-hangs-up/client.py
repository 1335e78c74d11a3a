# caught by 4/order/the-server-is-first
# An agreement of the two: whoever says goodbye hangs up, once it was understood.
import os
import socket
import sys

client = socket.socket()
try:
    client.connect((os.environ["HOST"], int(os.environ["PORT"])))
    client.sendall(b"goodbye")
    answer = client.recv(1024)
    print(answer)
    if answer != b"GOODBYE":
        first = "the server" if client.recv(1) == b"" else "nobody yet"
        print(first, "closed first")
except OSError as error:
    sys.exit(str(error))
client.close()
