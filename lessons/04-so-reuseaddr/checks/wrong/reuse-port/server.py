# caught by 4/restart/second-copy
# SO_REUSEPORT is another option: it lets two servers have one port.
import os
import socket
import sys

ADDRESS = (os.environ["HOST"], int(os.environ["PORT"]))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
try:
    server.bind(ADDRESS)
    server.listen(5)
except OSError as error:
    sys.exit("bind %s:%d: %s; choose another port" % (*ADDRESS, error))
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
server.close()
call.sendall(call.recv(1024).upper())
call.close()
