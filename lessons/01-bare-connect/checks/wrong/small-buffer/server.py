# caught by 1/call/longest
# recv(100) takes a part of a longer message.
import os
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
call.sendall(call.recv(100).upper())
call.close()
server.close()
