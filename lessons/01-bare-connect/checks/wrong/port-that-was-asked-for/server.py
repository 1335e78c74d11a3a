# caught by 1/start/port-zero
# The port that was asked for is not always the one that it got.
import os
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % (os.environ["HOST"], int(os.environ["PORT"])), flush=True)
call, peer = server.accept()
call.sendall(call.recv(1024).upper())
call.close()
server.close()
