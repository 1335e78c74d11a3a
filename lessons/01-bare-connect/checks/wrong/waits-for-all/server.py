# caught by 1/call/one-byte
# MSG_WAITALL waits until the buffer is full.
import os
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
call.sendall(call.recv(1024, socket.MSG_WAITALL).upper())
call.close()
server.close()
