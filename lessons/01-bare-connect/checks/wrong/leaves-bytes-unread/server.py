# caught by 1/end/orderly
# MSG_PEEK leaves the bytes in the queue, and a close with unread bytes is a reset.
import os
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
call.sendall(call.recv(1024, socket.MSG_PEEK).upper())
call.close()
server.close()
