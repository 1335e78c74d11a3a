# caught by 4/restart/second-copy
# Nobody catches the error of bind.
import os
import socket

ADDRESS = (os.environ["HOST"], int(os.environ["PORT"]))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(ADDRESS)
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
server.close()
call.sendall(call.recv(1024).upper())
call.close()
