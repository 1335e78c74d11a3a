# caught by 1/end/hangs-up-without-a-word
# 0 bytes are taken for "nothing yet".
import os
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
while not (data := call.recv(1024)):
    pass
call.sendall(data.upper())
call.close()
server.close()
