# caught by 2/callers/next
# There is no outer loop.
import os
import socket
import time

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
with call:
    while data := call.recv(1024):
        call.sendall(data.upper())
