# It starts after 2 s.
import os
import socket
import time

time.sleep(2)
server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
call.sendall(call.recv(1024).upper())
call.close()
server.close()
