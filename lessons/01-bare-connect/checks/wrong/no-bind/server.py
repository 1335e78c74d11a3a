# caught by 1/start/where-it-was-told
# listen on a socket without an address lets the system choose a port.
import socket

server = socket.socket()
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
call.sendall(call.recv(1024).upper())
call.close()
server.close()
