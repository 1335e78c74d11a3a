# Each byte of the answer is a send of its own, after a while, and the close is late.
import os
import socket
import time

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
call.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for byte in call.recv(1024).upper():
    call.sendall(bytes([byte]))
    time.sleep(0.0005)
time.sleep(0.5)
call.close()
server.close()
