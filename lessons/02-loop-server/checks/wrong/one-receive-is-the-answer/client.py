# caught by 2/client/one-byte-at-a-time
# What one receive brings is taken for the answer.
import os
import socket
import sys


def talk(client, message):
    client.sendall(message)
    data = client.recv(1 << 20)
    if not data:
        sys.exit("end of stream in the middle of an answer")
    print(data)


client = socket.socket()
try:
    client.connect((os.environ["HOST"], int(os.environ["PORT"])))
    for line in sys.stdin.buffer:
        talk(client, line.rstrip(b"\r\n"))
except OSError as error:
    sys.exit(str(error))
client.close()
