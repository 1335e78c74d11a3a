# caught by 1/client/refused
# Nobody catches the error of connect.
import os
import socket
import sys

client = socket.socket()
client.connect((os.environ["HOST"], int(os.environ["PORT"])))
try:
    client.sendall(b"hello")
    answer = client.recv(1024)
except OSError as error:
    sys.exit(f"recv: {error}")
if not answer:
    sys.exit("recv: the server hung up without an answer")
print(answer)
client.close()
