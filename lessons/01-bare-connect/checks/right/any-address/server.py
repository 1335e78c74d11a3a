# It ignores what it is told, and listens on all addresses at the usual port.
import socket

server = socket.socket()
server.bind(("", 8081))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
call.sendall(call.recv(1024).upper())
call.close()
server.close()
