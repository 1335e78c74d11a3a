# caught by 4/order/option-before-bind
# bind has looked already when the option comes.
import os
import socket
import sys

ADDRESS = (os.environ["HOST"], int(os.environ["PORT"]))
server = socket.socket()
try:
    server.bind(ADDRESS)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.listen(5)
except OSError as error:
    sys.exit("bind %s:%d: %s; choose another port" % (*ADDRESS, error))
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
server.close()
call.sendall(call.recv(1024).upper())
call.close()
