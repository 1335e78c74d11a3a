# caught by 1/end/orderly
# It takes a call more than the contract says.
import os
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
call.sendall(call.recv(1024).upper())
call.close()
server.accept()
server.close()
