# caught by 1/client/unreachable
# Refused is one reason of many.
import os
import socket
import sys

client = socket.socket()
try:
    client.connect((os.environ["HOST"], int(os.environ["PORT"])))
except ConnectionRefusedError as error:
    sys.exit(f"connect: {error}")
try:
    client.sendall(b"hello")
    answer = client.recv(1024)
except OSError as error:
    sys.exit(f"recv: {error}")
if not answer:
    sys.exit("recv: the server hung up without an answer")
print(answer)
client.close()
